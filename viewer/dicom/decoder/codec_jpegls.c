#include <stdlib.h>
#include <string.h>

#include <charls/charls.h>

#include "base/mem.h"
#include "viewer/dicom/decoder/codecs.h"

/* Components that the codestream has one behind the other come to stand beside each other. */
static void place(const cn_target *to, const uint8_t *made, unsigned width, bool planes)
{
    size_t pixels = (size_t)to->rows * to->columns;
    for (size_t at = 0; at < pixels; at++)
        for (uint32_t part = 0; part < to->samples; part++) {
            size_t from = planes ? part * pixels + at : at * to->samples + part;
            uint16_t value = made[from];
            if (width == 2) memcpy(&value, made + 2 * from, sizeof(value));
            cn_target_put(to, at * to->samples + part, value);
        }
}

static cn_err decode(charls_jpegls_decoder *decoder, const uint8_t *bytes, size_t len, cn_target *to)
{
    charls_frame_info info;
    charls_interleave_mode mode;
    size_t size = 0;
    if (charls_jpegls_decoder_set_source_buffer(decoder, bytes, len) || charls_jpegls_decoder_read_header(decoder) ||
        charls_jpegls_decoder_get_frame_info(decoder, &info) ||
        charls_jpegls_decoder_get_interleave_mode(decoder, &mode))
        return cn_target_refuse(to, CN_ERR_CORRUPT, "this is no JPEG-LS");
    if (info.width != to->columns || info.height != to->rows || info.component_count != (int)to->samples)
        return cn_target_refuse(to, CN_ERR_CORRUPT, CN_WHY_SIZE);
    if (info.bits_per_sample > (int)(8 * to->bytes)) return cn_target_refuse(to, CN_ERR_CORRUPT, CN_WHY_DEPTH);
    unsigned width = info.bits_per_sample > 8 ? 2 : 1;
    if (charls_jpegls_decoder_get_destination_size(decoder, 0, &size) ||
        size != (size_t)to->rows * to->columns * to->samples * width)
        return cn_target_refuse(to, CN_ERR_CORRUPT, CN_WHY_SIZE);
    CN_AUTO_FREE uint8_t *made = malloc(size);
    if (!made) return CN_ERR_NOMEM;
    if (charls_jpegls_decoder_decode_to_buffer(decoder, made, size, 0))
        return cn_target_refuse(to, CN_ERR_CORRUPT, CN_WHY_DAMAGED);
    place(to, made, width, mode == CHARLS_INTERLEAVE_MODE_NONE);
    return CN_OK;
}

cn_err cn_codec_jpegls(const uint8_t *bytes, size_t len, cn_target *to)
{
    charls_jpegls_decoder *decoder = charls_jpegls_decoder_create();
    if (!decoder) return CN_ERR_NOMEM;
    cn_err err = decode(decoder, bytes, len, to);
    charls_jpegls_decoder_destroy(decoder);
    return err;
}
