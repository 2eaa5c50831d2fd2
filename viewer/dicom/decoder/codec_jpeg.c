#include <stdlib.h>
#include <string.h>

#include <stdio.h>

#include <jpeglib.h>
#include <jerror.h>

#include "base/mem.h"
#include "viewer/dicom/decoder/codecs.h"
#include "viewer/dicom/decoder/jpegfail.h"

/* ---- what a codestream is ---- */

typedef struct frame_head {
    unsigned process; /* of SOFn */
    unsigned bits, rows, columns, parts;
} frame_head;

/* The first SOF segment (ITU-T T.81 B.2.2). */
static bool read_head(const uint8_t *byte, size_t len, frame_head *out)
{
    size_t at = 2;
    if (len < 4 || byte[0] != 0xff || byte[1] != 0xd8) return false;
    while (at + 4 <= len) {
        if (byte[at] != 0xff) return false;
        unsigned marker = byte[at + 1];
        if (marker == 0xff) {
            at++;
            continue;
        }
        size_t segment = (size_t)(byte[at + 2] << 8 | byte[at + 3]);
        bool frame = marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
        if (frame && at + 10 <= len) {
            *out = (frame_head){.process = marker - 0xc0,
                                .bits = byte[at + 4],
                                .rows = (unsigned)(byte[at + 5] << 8 | byte[at + 6]),
                                .columns = (unsigned)(byte[at + 7] << 8 | byte[at + 8]),
                                .parts = byte[at + 9]};
            return true;
        }
        if (frame || marker == 0xda || segment < 2) return false;
        at += 2 + segment;
    }
    return false;
}

/* ---- 8 bits ---- */

/* What is missing is never made up. */
static void warn(j_common_ptr jpeg, int level)
{
    if (level < 0 && (jpeg->err->msg_code == JWRN_JPEG_EOF || jpeg->err->msg_code == JWRN_HIT_MARKER))
        cn_jpegfail_jump(jpeg);
}

static void read_lines(struct jpeg_decompress_struct *jpeg, const cn_target *to)
{
    while (jpeg->output_scanline < to->rows) {
        JSAMPROW line = to->out + (size_t)jpeg->output_scanline * to->columns * to->samples;
        jpeg_read_scanlines(jpeg, &line, 1);
    }
}

/* Of 8 bits where the file allots 16: spread, from the end. */
static void widen(const cn_target *to)
{
    for (size_t at = (size_t)to->rows * to->columns * to->samples; to->bytes > 1 && at-- > 0;)
        cn_target_put(to, at, to->out[at]);
}

static cn_err decode_eight(const uint8_t *bytes, size_t len, cn_target *to)
{
    struct jpeg_decompress_struct jpeg;
    cn_jpegfail of;
    jpeg.err = cn_jpegfail_manager(&of);
    of.mgr.emit_message = warn;
    if (setjmp(of.back)) {
        jpeg_destroy_decompress(&jpeg);
        return cn_target_refuse(to, CN_ERR_CORRUPT, CN_WHY_DAMAGED);
    }
    jpeg_create_decompress(&jpeg);
    jpeg_mem_src(&jpeg, bytes, (unsigned long)len);
    jpeg_read_header(&jpeg, TRUE);
    if (to->samples == 3) {
        jpeg.jpeg_color_space = to->ybr ? JCS_YCbCr : JCS_RGB;
        jpeg.out_color_space = JCS_RGB;
    } else
        jpeg.out_color_space = jpeg.jpeg_color_space;
    jpeg.dct_method = JDCT_ISLOW;
    jpeg_start_decompress(&jpeg);
    bool fits = jpeg.output_components == (int)to->samples && jpeg.output_width == to->columns &&
                jpeg.output_height == to->rows;
    if (fits) read_lines(&jpeg, to);
    if (fits) jpeg_finish_decompress(&jpeg);
    jpeg_destroy_decompress(&jpeg);
    if (!fits) return cn_target_refuse(to, CN_ERR_CORRUPT, CN_WHY_SIZE);
    widen(to);
    return CN_OK;
}

/* ---- the rest ---- */

static cn_err decode_deep(const uint8_t *bytes, size_t len, const frame_head *head, cn_target *to)
{
    unsigned build = head->bits <= 8 ? 8 : head->bits <= 12 && head->process != 3 ? 12 : 16;
    size_t n = (size_t)to->rows * to->columns * to->samples, size = build == 8 ? n : 2 * n;
    CN_AUTO_FREE uint8_t *made = malloc(size);
    if (!made) return CN_ERR_NOMEM;
    if (!cn_dcmtk_jpeg(bytes, len, build, to->is_signed, made, size))
        return cn_target_refuse(to, CN_ERR_CORRUPT, CN_WHY_DAMAGED);
    for (size_t at = 0; at < n; at++) {
        uint16_t value = made[at];
        if (build != 8) memcpy(&value, made + 2 * at, sizeof(value));
        cn_target_put(to, at, to->is_signed && build != 8 ? (int16_t)value : value);
    }
    return CN_OK;
}

cn_err cn_codec_jpeg(const uint8_t *bytes, size_t len, cn_target *to)
{
    frame_head head;
    if (!read_head(bytes, len, &head)) return cn_target_refuse(to, CN_ERR_CORRUPT, "this is no JPEG");
    if (head.rows != to->rows || head.columns != to->columns || head.parts != to->samples)
        return cn_target_refuse(to, CN_ERR_CORRUPT, CN_WHY_SIZE);
    if (head.bits > 8 * to->bytes) return cn_target_refuse(to, CN_ERR_CORRUPT, CN_WHY_DEPTH);
    if (head.bits == 8 && head.process <= 2) return decode_eight(bytes, len, to);
    return decode_deep(bytes, len, &head, to);
}
