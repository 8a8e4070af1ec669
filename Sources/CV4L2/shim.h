/* V4L2 for Swift: what its importer leaves out of videodev2.h and libv4l2.h. Struct layouts stay the headers' own. */
#ifndef FRAMESTREAMING_CV4L2_H
#define FRAMESTREAMING_CV4L2_H
#include <linux/videodev2.h>
#include <libv4l2.h>
#include <libv4lconvert.h>
#include <errno.h>
#include <string.h>

/* The ioctl numbers: macros with arguments, which are not imported. */
static const unsigned long fs_VIDIOC_QUERYCAP = VIDIOC_QUERYCAP;
static const unsigned long fs_VIDIOC_ENUM_FMT = VIDIOC_ENUM_FMT;
static const unsigned long fs_VIDIOC_G_FMT = VIDIOC_G_FMT;
static const unsigned long fs_VIDIOC_S_FMT = VIDIOC_S_FMT;
static const unsigned long fs_VIDIOC_TRY_FMT = VIDIOC_TRY_FMT;
static const unsigned long fs_VIDIOC_REQBUFS = VIDIOC_REQBUFS;
static const unsigned long fs_VIDIOC_QUERYBUF = VIDIOC_QUERYBUF;
static const unsigned long fs_VIDIOC_QBUF = VIDIOC_QBUF;
static const unsigned long fs_VIDIOC_DQBUF = VIDIOC_DQBUF;
static const unsigned long fs_VIDIOC_STREAMON = VIDIOC_STREAMON;
static const unsigned long fs_VIDIOC_STREAMOFF = VIDIOC_STREAMOFF;
static const unsigned long fs_VIDIOC_G_PARM = VIDIOC_G_PARM;
static const unsigned long fs_VIDIOC_S_PARM = VIDIOC_S_PARM;
static const unsigned long fs_VIDIOC_G_CTRL = VIDIOC_G_CTRL;
static const unsigned long fs_VIDIOC_S_CTRL = VIDIOC_S_CTRL;
static const unsigned long fs_VIDIOC_QUERYCTRL = VIDIOC_QUERYCTRL;
static const unsigned long fs_VIDIOC_QUERYMENU = VIDIOC_QUERYMENU;
static const unsigned long fs_VIDIOC_G_INPUT = VIDIOC_G_INPUT;
static const unsigned long fs_VIDIOC_ENUMINPUT = VIDIOC_ENUMINPUT;
static const unsigned long fs_VIDIOC_ENUM_FRAMESIZES = VIDIOC_ENUM_FRAMESIZES;
static const unsigned long fs_VIDIOC_ENUM_FRAMEINTERVALS = VIDIOC_ENUM_FRAMEINTERVALS;
static const unsigned long fs_VIDIOC_QUERY_DV_TIMINGS = VIDIOC_QUERY_DV_TIMINGS;
static const unsigned long fs_VIDIOC_S_DV_TIMINGS = VIDIOC_S_DV_TIMINGS;
static const unsigned long fs_VIDIOC_G_DV_TIMINGS = VIDIOC_G_DV_TIMINGS;
static const unsigned long fs_VIDIOC_SUBSCRIBE_EVENT = VIDIOC_SUBSCRIBE_EVENT;
static const unsigned long fs_VIDIOC_DQEVENT = VIDIOC_DQEVENT;

/* v4l2_ioctl is variadic, which is not imported. Never with a NULL argument: libv4l2 does not take one.
   Returns 0 or errno. */
static inline int fs_v4l2_ioctl(int fd, unsigned long request, void *argument) {
    return v4l2_ioctl(fd, request, argument) == -1 ? errno : 0;
}

/* Members of packed structs and of nameless unions. */
static inline unsigned fs_pix_encoding(const struct v4l2_format *f) { return f->fmt.pix.ycbcr_enc; }
static inline unsigned fs_mplane_count(const struct v4l2_format *f) { return f->fmt.pix_mp.num_planes; }
static inline unsigned fs_mplane_encoding(const struct v4l2_format *f) { return f->fmt.pix_mp.ycbcr_enc; }
static inline unsigned fs_mplane_quantization(const struct v4l2_format *f) { return f->fmt.pix_mp.quantization; }
static inline unsigned fs_mplane_width(const struct v4l2_format *f) { return f->fmt.pix_mp.width; }
static inline unsigned fs_mplane_height(const struct v4l2_format *f) { return f->fmt.pix_mp.height; }
static inline unsigned fs_mplane_fourcc(const struct v4l2_format *f) { return f->fmt.pix_mp.pixelformat; }
static inline unsigned fs_mplane_field(const struct v4l2_format *f) { return f->fmt.pix_mp.field; }
static inline unsigned fs_mplane_colorspace(const struct v4l2_format *f) { return f->fmt.pix_mp.colorspace; }
static inline unsigned fs_mplane_stride(const struct v4l2_format *f, unsigned plane) {
    return plane < VIDEO_MAX_PLANES ? f->fmt.pix_mp.plane_fmt[plane].bytesperline : 0;
}
static inline unsigned fs_mplane_size(const struct v4l2_format *f, unsigned plane) {
    return plane < VIDEO_MAX_PLANES ? f->fmt.pix_mp.plane_fmt[plane].sizeimage : 0;
}
static inline void fs_set_mplane(struct v4l2_format *f, unsigned width, unsigned height, unsigned fourcc,
                                 unsigned field) {
    f->fmt.pix_mp.width = width;
    f->fmt.pix_mp.height = height;
    f->fmt.pix_mp.pixelformat = fourcc;
    f->fmt.pix_mp.field = field;
}
static inline void fs_set_mplane_layout(struct v4l2_format *f, unsigned plane, unsigned stride, unsigned size) {
    if (plane >= VIDEO_MAX_PLANES) return;
    f->fmt.pix_mp.plane_fmt[plane].bytesperline = stride;
    f->fmt.pix_mp.plane_fmt[plane].sizeimage = size;
    if (f->fmt.pix_mp.num_planes <= plane) f->fmt.pix_mp.num_planes = plane + 1;
}
static inline void fs_set_pix_encoding(struct v4l2_format *f, unsigned encoding) { f->fmt.pix.ycbcr_enc = encoding; }

/* A field of 32 bytes that need not end with a zero, copied to 33 that do. */
static inline void fs_copy_name(char *to, const void *name) {
    memcpy(to, name, 32);
    to[32] = 0;
}
static inline void fs_menu_name(char *to, const struct v4l2_querymenu *menu) { fs_copy_name(to, menu->name); }
static inline __s64 fs_menu_value(const struct v4l2_querymenu *menu) { return menu->value; }
static inline void fs_set_menu(struct v4l2_querymenu *menu, const char *name) {
    strncpy((char *)menu->name, name, sizeof menu->name);
}

static inline unsigned fs_timings_width(const struct v4l2_dv_timings *t) { return t->bt.width; }
static inline unsigned fs_timings_height(const struct v4l2_dv_timings *t) { return t->bt.height; }
static inline void fs_set_timings(struct v4l2_dv_timings *t, unsigned width, unsigned height, __u64 clock) {
    memset(t, 0, sizeof *t);
    t->type = V4L2_DV_BT_656_1120;
    t->bt.width = width;
    t->bt.height = height;
    t->bt.pixelclock = clock;
}
/* Whether two timings are the same signal; the clock is measured, so 0.5 % of it may differ. */
static inline int fs_timings_match(const struct v4l2_dv_timings *a, const struct v4l2_dv_timings *b) {
    __u64 x = a->bt.pixelclock, y = b->bt.pixelclock, gap = x > y ? x - y : y - x;
    return a->type == b->type && a->bt.width == b->bt.width && a->bt.height == b->bt.height &&
           a->bt.interlaced == b->bt.interlaced && gap <= x / 200;
}
#endif
