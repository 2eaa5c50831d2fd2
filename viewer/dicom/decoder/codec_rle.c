#include <string.h>
#include <zlib.h>

#include "viewer/dicom/decoder/codecs.h"
#include "viewer/dicom/decoder/dataset.h"

#define HEADER 64

/* One segment (PS3.5 §G.3.2) into every `step`th byte. False: it ends before `n` bytes are made. */
static bool unpack(const uint8_t *in, size_t len, uint8_t *out, size_t n, size_t step)
{
    size_t at = 0, made = 0;
    while (made < n && at < len) {
        uint8_t code = in[at++];
        size_t count = code < 128 ? (size_t)code + 1 : code > 128 ? 257 - (size_t)code : 0;
        if (count > n - made) count = n - made;
        if (code < 128 && count > len - at) return false;
        if (code > 128 && at >= len) return false;
        for (size_t i = 0; i < count; i++) out[(made + i) * step] = code < 128 ? in[at + i] : in[at];
        at += code < 128 ? count : code > 128;
        made += count;
    }
    return made == n;
}

/* A segment for each byte of each sample, the highest byte first (§G.2). */
cn_err cn_codec_rle(const uint8_t *bytes, size_t len, cn_target *to)
{
    uint32_t want = to->samples * to->bytes;
    if (len < HEADER) return cn_target_refuse(to, CN_ERR_CORRUPT, "the RLE header is cut off");
    if (cn_dicom_u32(bytes, false) != want || want > 15)
        return cn_target_refuse(to, CN_ERR_CORRUPT,
                                "the RLE header has another number of segments than the picture needs");
    size_t pixels = (size_t)to->rows * to->columns, step = want;
    for (uint32_t i = 0; i < want; i++) {
        size_t from = cn_dicom_u32(bytes + 4 + 4 * (size_t)i, false);
        size_t stop = i + 1 < want ? cn_dicom_u32(bytes + 8 + 4 * (size_t)i, false) : len;
        if (from < HEADER || stop < from || stop > len)
            return cn_target_refuse(to, CN_ERR_CORRUPT, "an RLE segment lies outside the frame");
        uint32_t sample = i / to->bytes, byte = to->bytes - 1 - i % to->bytes;
        if (!unpack(bytes + from, stop - from, to->out + sample * to->bytes + byte, pixels, step))
            return cn_target_refuse(to, CN_ERR_CORRUPT, "an RLE segment ends too early");
    }
    return CN_OK;
}

cn_err cn_codec_deflated(const uint8_t *bytes, size_t len, cn_target *to)
{
    size_t size = (size_t)to->rows * to->columns * to->samples * to->bytes;
    z_stream stream = {
        .next_in = (Bytef *)(uintptr_t)bytes, .avail_in = (uInt)len, .next_out = to->out, .avail_out = (uInt)size};
    if (len > UINT32_MAX || size > UINT32_MAX || inflateInit2(&stream, -15) != Z_OK) return CN_ERR_NOMEM;
    int rc = inflate(&stream, Z_FINISH);
    bool whole = stream.avail_out == 0 && (rc == Z_STREAM_END || rc == Z_BUF_ERROR);
    inflateEnd(&stream);
    return whole ? CN_OK : cn_target_refuse(to, CN_ERR_CORRUPT, CN_WHY_DAMAGED);
}
