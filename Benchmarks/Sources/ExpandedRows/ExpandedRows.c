// What ustreamer's CPU encoder and mjpg-streamer's UVC input do with YUYV: each line is expanded to three bytes a pixel
// (each pair's U and V twice) and given to libjpeg, which then averages the chroma of two by two pixels again. The
// range is left as it is: what we do about it is in our time and not in this one's.
#include "ExpandedRows.h"

#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

size_t expanded_rows_encode(
    const uint8_t *yuyv, int width, int height, int quality, uint8_t *target, size_t capacity) {
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    unsigned char *written = target;
    unsigned long size = capacity;
    uint8_t *line = malloc((size_t)width * 3);
    if (!line) return 0;

    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &written, &size);
    jpeg.image_width = width;
    jpeg.image_height = height;
    jpeg.input_components = 3;
    jpeg.in_color_space = JCS_YCbCr;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, quality, TRUE);
    jpeg_start_compress(&jpeg, TRUE);
    while (jpeg.next_scanline < jpeg.image_height) {
        uint8_t *pixel = line;
        for (int x = 0; x < width; x++) {
            int is_odd = x & 1;
            pixel[0] = yuyv[is_odd ? 2 : 0];
            pixel[1] = yuyv[1];
            pixel[2] = yuyv[3];
            pixel += 3;
            yuyv += is_odd ? 4 : 0;
        }
        JSAMPROW row = line;
        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    free(line);
    // Memory of libjpeg's own: the room did not suffice.
    if (written != target) {
        free(written);
        return 0;
    }
    return size;
}
