#include <stddef.h>
#include <stdint.h>

/// Encodes a YUYV picture without padding between its lines the way ustreamer and mjpg-streamer do.
///
/// Writes the JPEG to `target`, which has room for `capacity` bytes: enough for whatever the
/// picture holds. Returns the JPEG's size; 0 where it did not fit. Any other fault ends the
/// process, as libjpeg's own handler does.
size_t expanded_rows_encode(
    const uint8_t *_Nonnull yuyv, int width, int height, int quality, uint8_t *_Nonnull target, size_t capacity);
