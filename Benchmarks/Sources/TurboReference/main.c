// libturbojpeg alone: one thread that encodes, one that decodes, and a ring in memory between them.
//
// The pictures are in memory before the clock starts, full range already: reading and the range pass are not in the figures.
// usage: TurboReference CLIP.y4m FRAMES QUALITY
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <turbojpeg.h>

enum { SLOTS = 4, FLAGS = TJFLAG_NOREALLOC };

static int width, height, picture_count;
static unsigned char **pictures;
static long frames;
static int quality;

struct slot {
    unsigned char *bytes;
    unsigned long size;
};
static struct slot ring[SLOTS];
static long written, taken;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int64_t encode_time, decode_time, byte_count;

static void die(const char *what) {
    fprintf(stderr, "TurboReference: %s\n", what);
    exit(1);
}

static int64_t now(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

static int clamp(double value) { return value < 0 ? 0 : value > 255 ? 255 : (int)(value + 0.5); }

static void load(const char *path) {
    FILE *file = fopen(path, "rb");
    char line[256];
    if (!file || !fgets(line, sizeof line, file) || strncmp(line, "YUV4MPEG2 ", 10)) die("the clip is no Y4M");
    for (char *word = strtok(line, " \n"); word; word = strtok(NULL, " \n")) {
        if (word[0] == 'W') width = atoi(word + 1);
        if (word[0] == 'H') height = atoi(word + 1);
        if (word[0] == 'C' && strncmp(word, "C420", 4)) die("the clip is not 4:2:0");
    }
    if (width < 16 || height < 16 || width % 16 || height % 16) die("the clip's sides must be multiples of 16");
    unsigned char luma[256], chroma[256];
    for (int i = 0; i < 256; i++) {
        luma[i] = clamp((i - 16) * 255.0 / 219);
        chroma[i] = clamp((i - 128) * 255.0 / 224 + 128);
    }
    size_t y = (size_t)width * height, total = y * 3 / 2;
    while (fgets(line, sizeof line, file)) {
        unsigned char *picture = malloc(total);
        if (!picture || fread(picture, 1, total, file) != total) die("the clip was cut");
        for (size_t i = 0; i < y; i++) picture[i] = luma[picture[i]];
        for (size_t i = y; i < total; i++) picture[i] = chroma[picture[i]];
        pictures = realloc(pictures, (picture_count + 1) * sizeof *pictures);
        pictures[picture_count++] = picture;
    }
    fclose(file);
    if (!picture_count) die("the clip is empty");
}

static void *encode(void *unused) {
    tjhandle handle = tjInitCompress();
    for (long i = 0; i < frames; i++) {
        pthread_mutex_lock(&lock);
        while (written - taken == SLOTS) pthread_cond_wait(&changed, &lock);
        pthread_mutex_unlock(&lock);
        struct slot *slot = &ring[i % SLOTS];
        const unsigned char *y = pictures[i % picture_count];
        const unsigned char *planes[3] = {y, y + (size_t)width * height, y + (size_t)width * height * 5 / 4};
        int strides[3] = {width, width / 2, width / 2};
        int64_t start = now(CLOCK_THREAD_CPUTIME_ID);
        if (tjCompressFromYUVPlanes(
                handle, planes, width, strides, height, TJSAMP_420, &slot->bytes, &slot->size, quality, FLAGS))
            die(tjGetErrorStr2(handle));
        encode_time += now(CLOCK_THREAD_CPUTIME_ID) - start;
        byte_count += slot->size;
        pthread_mutex_lock(&lock);
        written++;
        pthread_cond_signal(&changed);
        pthread_mutex_unlock(&lock);
    }
    tjDestroy(handle);
    return unused;
}

static void *decode(void *unused) {
    tjhandle handle = tjInitDecompress();
    unsigned char *pixels = malloc((size_t)width * height * 3);
    for (long i = 0; i < frames; i++) {
        pthread_mutex_lock(&lock);
        while (written == taken) pthread_cond_wait(&changed, &lock);
        pthread_mutex_unlock(&lock);
        struct slot *slot = &ring[i % SLOTS];
        int64_t start = now(CLOCK_THREAD_CPUTIME_ID);
        if (tjDecompress2(handle, slot->bytes, slot->size, pixels, width, width * 3, height, TJPF_BGR, 0))
            die(tjGetErrorStr2(handle));
        decode_time += now(CLOCK_THREAD_CPUTIME_ID) - start;
        pthread_mutex_lock(&lock);
        taken++;
        pthread_cond_signal(&changed);
        pthread_mutex_unlock(&lock);
    }
    free(pixels);
    tjDestroy(handle);
    return unused;
}

int main(int count, char **arguments) {
    if (count != 4) die("usage: TurboReference CLIP.y4m FRAMES QUALITY");
    frames = atol(arguments[2]);
    quality = atoi(arguments[3]);
    if (frames < 1 || quality < 1 || quality > 100) die("at least one frame, and a quality of 1 to 100");
    load(arguments[1]);
    for (int i = 0; i < SLOTS; i++) ring[i].bytes = malloc(tjBufSize(width, height, TJSAMP_420));
    int64_t start = now(CLOCK_MONOTONIC);
    pthread_t encoder, decoder;
    pthread_create(&encoder, NULL, encode, NULL);
    pthread_create(&decoder, NULL, decode, NULL);
    pthread_join(encoder, NULL);
    pthread_join(decoder, NULL);
    double seconds = (now(CLOCK_MONOTONIC) - start) / 1e9;
    printf(
        "{\"fps\":%.2f,\"encodeMicroseconds\":%.1f,\"decodeMicroseconds\":%.1f,\"bytesPerFrame\":%.0f}\n",
        frames / seconds, encode_time / 1e3 / frames, decode_time / 1e3 / frames, (double)byte_count / frames);
    return 0;
}
