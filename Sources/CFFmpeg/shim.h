/* FFmpeg 5.1: what of it is a macro, memory for pictures in one piece, and its last words. */
#ifndef FRAMESTREAMING_CFFMPEG_H
#define FRAMESTREAMING_CFFMPEG_H
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/buffer.h>
#include <libavutil/dict.h>
#include <libavutil/display.h>
#include <libavutil/hwcontext.h>
#include <libavutil/imgutils.h>
#include <libavutil/log.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>

static const int fs_media_end = AVERROR_EOF;
static const int fs_media_again = AVERROR(EAGAIN);
static const int fs_media_interrupted = AVERROR_EXIT;
static const int fs_media_invalid = AVERROR_INVALIDDATA;
static const int fs_media_no_demuxer = AVERROR_DEMUXER_NOT_FOUND;
static const int fs_media_no_decoder = AVERROR_DECODER_NOT_FOUND;
static const int fs_media_no_protocol = AVERROR_PROTOCOL_NOT_FOUND;
static const int fs_media_no_stream = AVERROR_STREAM_NOT_FOUND;
static const int fs_media_not_supported = AVERROR_PATCHWELCOME;
static const int fs_media_http_bad_request = AVERROR_HTTP_BAD_REQUEST;
static const int fs_media_http_unauthorized = AVERROR_HTTP_UNAUTHORIZED;
static const int fs_media_http_forbidden = AVERROR_HTTP_FORBIDDEN;
static const int fs_media_http_not_found = AVERROR_HTTP_NOT_FOUND;
static const int fs_media_http_other = AVERROR_HTTP_OTHER_4XX;
static const int fs_media_http_server = AVERROR_HTTP_SERVER_ERROR;
static const int64_t fs_media_no_time = AV_NOPTS_VALUE;
static const uint64_t fs_media_is_rgb = AV_PIX_FMT_FLAG_RGB;
static const uint64_t fs_media_is_palette = AV_PIX_FMT_FLAG_PAL;
static const uint64_t fs_media_is_bayer = AV_PIX_FMT_FLAG_BAYER;

/* The last error that FFmpeg logged on this thread, which says more than its code does. Only MediaFailure.swift uses the functions
   below: each Swift file has a variable of its own. */
#define FS_MEDIA_WORDS 256
static inline char *fs_media_words(void) {
    static __thread char words[FS_MEDIA_WORDS];
    return words;
}

static inline void fs_media_note(void *context, int level, const char *format, va_list arguments) {
    if (level > AV_LOG_ERROR || format == NULL) return;
    vsnprintf(fs_media_words(), FS_MEDIA_WORDS, format, arguments);
}

static inline void fs_media_keep_words(void) { av_log_set_callback(fs_media_note); }
static inline void fs_media_forget_words(void) { fs_media_words()[0] = 0; }
static inline const char *fs_media_last_words(void) { return fs_media_words(); }

/* The pictures of a decoder, with all planes of one in one run of memory: FFmpeg's own allocator takes a run for each plane. */
typedef struct {
    pthread_mutex_t lock;
    AVBufferPool *pool;
    size_t size;
} fs_media_memory;

static inline fs_media_memory *fs_media_memory_make(void) {
    fs_media_memory *memory = (fs_media_memory *)calloc(1, sizeof *memory);
    if (memory != NULL) pthread_mutex_init(&memory->lock, NULL);
    return memory;
}

/* Pictures that are still held keep their memory. */
static inline void fs_media_memory_free(fs_media_memory *memory) {
    if (memory == NULL) return;
    av_buffer_pool_uninit(&memory->pool);
    pthread_mutex_destroy(&memory->lock);
    free(memory);
}

static inline AVBufferRef *fs_media_memory_take(fs_media_memory *memory, size_t size) {
    AVBufferRef *buffer = NULL;
    pthread_mutex_lock(&memory->lock);
    if (memory->pool == NULL || memory->size != size) {
        av_buffer_pool_uninit(&memory->pool);
        memory->pool = av_buffer_pool_init(size, av_buffer_allocz);
        memory->size = size;
    }
    if (memory->pool != NULL) buffer = av_buffer_pool_get(memory->pool);
    pthread_mutex_unlock(&memory->lock);
    return buffer;
}

/* AVCodecContext.get_buffer2, whose opaque is the memory above. Sizes are chosen as avcodec_default_get_buffer2 does it. */
static inline int fs_media_get_buffer(AVCodecContext *context, AVFrame *frame, int flags) {
    enum AVPixelFormat format = (enum AVPixelFormat)frame->format;
    const AVPixFmtDescriptor *description = av_pix_fmt_desc_get(format);
    int aligned[AV_NUM_DATA_POINTERS], width = frame->width, height = frame->height, unaligned, plane;
    ptrdiff_t strides[4];
    size_t sizes[4], total = 0;
    if (context->codec_type != AVMEDIA_TYPE_VIDEO || description == NULL || context->opaque == NULL
        || (description->flags & (AV_PIX_FMT_FLAG_HWACCEL | AV_PIX_FMT_FLAG_PAL)) != 0
        || av_image_check_size2(width, height, context->max_pixels, format, 0, context) < 0)
        return avcodec_default_get_buffer2(context, frame, flags);
    avcodec_align_dimensions2(context, &width, &height, aligned);
    do {
        if (av_image_fill_linesizes(frame->linesize, format, width) < 0) return AVERROR(EINVAL);
        width += width & ~(width - 1);
        for (unaligned = 0, plane = 0; plane < 4; plane++)
            if (aligned[plane] > 0) unaligned |= frame->linesize[plane] % aligned[plane];
    } while (unaligned != 0 && width > 0);
    if (width <= 0) return AVERROR(EINVAL);
    for (plane = 0; plane < 4; plane++) strides[plane] = frame->linesize[plane];
    if (av_image_fill_plane_sizes(sizes, format, height, strides) < 0) return AVERROR(EINVAL);
    for (plane = 0; plane < 4; plane++) {
        /* Decoders write a little behind a plane, and each begins at a cache line. */
        if (sizes[plane] > 0) sizes[plane] = (sizes[plane] + 16 + 127) & ~(size_t)63;
        if (sizes[plane] > (size_t)INT32_MAX - total) return AVERROR(ENOMEM);
        total += sizes[plane];
    }
    memset(frame->data, 0, sizeof frame->data);
    frame->extended_data = frame->data;
    frame->buf[0] = fs_media_memory_take((fs_media_memory *)context->opaque, total);
    if (frame->buf[0] == NULL) return AVERROR(ENOMEM);
    for (total = 0, plane = 0; plane < 4 && sizes[plane] > 0; plane++) {
        frame->data[plane] = frame->buf[0]->data + total;
        total += sizes[plane];
    }
    return 0;
}

static inline void fs_media_use_memory(AVCodecContext *context, fs_media_memory *memory) {
    context->opaque = memory;
    context->get_buffer2 = fs_media_get_buffer;
#if LIBAVCODEC_VERSION_MAJOR < 60
    context->thread_safe_callbacks = 1;
#endif
}

static inline void fs_media_interrupt_by(AVFormatContext *context, int (*ask)(void *), void *opaque) {
    context->interrupt_callback.callback = ask;
    context->interrupt_callback.opaque = opaque;
}

/* The turn of a picture or a stream as its display matrix has it; NULL = it has none. */
static inline const int32_t *fs_media_stream_matrix(const AVStream *stream) {
    size_t size = 0;
    const uint8_t *data = av_stream_get_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, &size);
    return data != NULL && size >= 9 * sizeof(int32_t) ? (const int32_t *)data : NULL;
}

static inline const int32_t *fs_media_frame_matrix(const AVFrame *frame) {
    const AVFrameSideData *data = av_frame_get_side_data(frame, AV_FRAME_DATA_DISPLAYMATRIX);
    return data != NULL && data->size >= 9 * sizeof(int32_t) ? (const int32_t *)data->data : NULL;
}
#endif
