#include <openjpeg.h>
#include <string.h>

#include "viewer/dicom/decoder/codecs.h"

typedef struct memory {
    const uint8_t *bytes;
    size_t len, at;
} memory;

static OPJ_SIZE_T read_memory(void *buffer, OPJ_SIZE_T wanted, void *user)
{
    memory *from = user;
    size_t left = from->len - from->at;
    if (!left) return (OPJ_SIZE_T)-1;
    if (wanted > left) wanted = left;
    memcpy(buffer, from->bytes + from->at, wanted);
    from->at += wanted;
    return wanted;
}

static OPJ_OFF_T skip_memory(OPJ_OFF_T by, void *user)
{
    memory *from = user;
    if (by < 0) return -1;
    size_t left = from->len - from->at, step = (size_t)by < left ? (size_t)by : left;
    from->at += step;
    return (OPJ_OFF_T)step;
}

static OPJ_BOOL seek_memory(OPJ_OFF_T to, void *user)
{
    memory *from = user;
    if (to < 0 || (size_t)to > from->len) return OPJ_FALSE;
    from->at = (size_t)to;
    return OPJ_TRUE;
}

static uint8_t clamp(double value)
{
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value + 0.5);
}

void cn_ybr_to_rgb(uint8_t part[3])
{
    double y = part[0], cb = part[1] - 128, cr = part[2] - 128;
    part[0] = clamp(y + 1.402 * cr);
    part[1] = clamp(y - 0.344136 * cb - 0.714136 * cr);
    part[2] = clamp(y + 1.772 * cb);
}

/* Only where the codestream did not turn them itself. */
static void to_rgb(const cn_target *to)
{
    for (size_t at = 0; at < (size_t)to->rows * to->columns; at++) cn_ybr_to_rgb(to->out + 3 * at);
}

static cn_err check(const opj_image_t *image, cn_target *to)
{
    if (image->numcomps != to->samples) return cn_target_refuse(to, CN_ERR_CORRUPT, CN_WHY_SIZE);
    for (uint32_t part = 0; part < to->samples; part++) {
        const opj_image_comp_t *of = &image->comps[part];
        if (of->dx != 1 || of->dy != 1 || of->w != to->columns || of->h != to->rows)
            return cn_target_refuse(to, CN_ERR_CORRUPT, CN_WHY_SIZE);
        if (of->prec < 1 || of->prec > 8 * to->bytes) return cn_target_refuse(to, CN_ERR_CORRUPT, CN_WHY_DEPTH);
    }
    return CN_OK;
}

static cn_err take(const opj_image_t *image, cn_target *to)
{
    size_t pixels = (size_t)to->rows * to->columns;
    CN_TRY(check(image, to));
    for (uint32_t part = 0; part < to->samples; part++) {
        const opj_image_comp_t *of = &image->comps[part];
        if (!of->data) return cn_target_refuse(to, CN_ERR_CORRUPT, CN_WHY_DAMAGED);
        for (size_t at = 0; at < pixels; at++) cn_target_put(to, at * to->samples + part, of->data[at]);
    }
    return CN_OK;
}

static cn_err decode(opj_codec_t *codec, opj_stream_t *stream, opj_image_t **image, cn_target *to)
{
    opj_dparameters_t parameters;
    opj_set_default_decoder_parameters(&parameters);
    if (!opj_setup_decoder(codec, &parameters) || !opj_read_header(stream, codec, image))
        return cn_target_refuse(to, CN_ERR_CORRUPT, "this is no JPEG 2000");
    if ((*image)->x1 - (*image)->x0 != to->columns || (*image)->y1 - (*image)->y0 != to->rows)
        return cn_target_refuse(to, CN_ERR_CORRUPT, CN_WHY_SIZE);
    opj_codestream_info_v2_t *info = opj_get_cstr_info(codec);
    bool turns = info && info->m_default_tile_info.mct;
    if (info) opj_destroy_cstr_info(&info);
    if (!opj_decode(codec, stream, *image)) return cn_target_refuse(to, CN_ERR_CORRUPT, CN_WHY_DAMAGED);
    CN_TRY(take(*image, to));
    if (to->ybr && !turns && to->samples == 3 && to->bytes == 1) to_rgb(to);
    return CN_OK;
}

cn_err cn_codec_j2k(const uint8_t *bytes, size_t len, cn_target *to)
{
    memory own = {.bytes = bytes, .len = len};
    bool bare = len >= 4 && memcmp(bytes, "\xff\x4f\xff\x51", 4) == 0;
    opj_stream_t *stream = opj_stream_default_create(OPJ_TRUE);
    opj_codec_t *codec = opj_create_decompress(bare ? OPJ_CODEC_J2K : OPJ_CODEC_JP2);
    opj_image_t *image = NULL;
    cn_err err = CN_ERR_NOMEM;
    if (stream && codec) {
        opj_stream_set_user_data(stream, &own, NULL);
        opj_stream_set_user_data_length(stream, len);
        opj_stream_set_read_function(stream, read_memory);
        opj_stream_set_skip_function(stream, skip_memory);
        opj_stream_set_seek_function(stream, seek_memory);
        err = decode(codec, stream, &image, to);
    }
    if (image) opj_image_destroy(image);
    if (codec) opj_destroy_codec(codec);
    if (stream) opj_stream_destroy(stream);
    return err;
}
