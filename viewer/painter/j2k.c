#include "viewer/painter/j2k.h"

#include <openjpeg.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define TALLEST 4096              /* lines of a tile that are decoded at once */
#define PART 1024                 /* lines of a picture without tiles */
#define SMALL ((int64_t)16 << 20) /* pixels, that are decoded at once */

typedef struct memory {
    const uint8_t *bytes;
    size_t len, at;
} memory;

typedef struct opened {
    memory memory;
    opj_stream_t *stream;
    opj_codec_t *codec;
    opj_image_t *image;
} opened;

/* ---- the file ---- */

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

static void shut(opened *of)
{
    if (of->image) opj_image_destroy(of->image);
    if (of->codec) opj_destroy_codec(of->codec);
    if (of->stream) opj_stream_destroy(of->stream);
}

static opj_stream_t *stream_of(const cn_j2k *file, memory *own)
{
    if (file->path) return opj_stream_create_default_file_stream(file->path, OPJ_TRUE);
    opj_stream_t *stream = opj_stream_default_create(OPJ_TRUE);
    if (!stream) return NULL;
    *own = (memory){.bytes = file->bytes, .len = file->len};
    opj_stream_set_user_data(stream, own, NULL);
    opj_stream_set_user_data_length(stream, file->len);
    opj_stream_set_read_function(stream, read_memory);
    opj_stream_set_skip_function(stream, skip_memory);
    opj_stream_set_seek_function(stream, seek_memory);
    return stream;
}

/* A bare codestream begins with SOC and SIZ (ISO 15444-1 A.4.1), a file with a box. */
static bool is_bare(const cn_j2k *file)
{
    uint8_t start[4] = {0};
    if (!file->path) return file->len >= 4 && memcmp(file->bytes, "\xff\x4f\xff\x51", 4) == 0;
    FILE *opened_file = fopen(file->path, "rbe");
    bool bare = opened_file && fread(start, 1, 4, opened_file) == 4 && memcmp(start, "\xff\x4f\xff\x51", 4) == 0;
    if (opened_file) fclose(opened_file);
    return bare;
}

static cn_err open_it(const cn_j2k *file, opened *of)
{
    opj_dparameters_t parameters;
    *of = (opened){.stream = NULL};
    of->stream = stream_of(file, &of->memory);
    of->codec = opj_create_decompress(is_bare(file) ? OPJ_CODEC_J2K : OPJ_CODEC_JP2);
    if (!of->stream || !of->codec) return CN_ERR_NOMEM;
    opj_set_default_decoder_parameters(&parameters);
    if (!opj_setup_decoder(of->codec, &parameters) || !opj_read_header(of->stream, of->codec, &of->image))
        return CN_ERR_CORRUPT;
    const opj_image_t *image = of->image;
    if (!image->numcomps || image->x1 <= image->x0 || image->y1 <= image->y0) return CN_ERR_CORRUPT;
    return image->comps[0].dx == 1 && image->comps[0].dy == 1 ? CN_OK : CN_ERR_UNSUPPORTED;
}

static void measure(const opened *of, cn_j2k_size *out)
{
    *out = (cn_j2k_size){.width = of->image->x1 - of->image->x0, .height = of->image->y1 - of->image->y0};
    opj_codestream_info_v2_t *info = opj_get_cstr_info(of->codec);
    bool tiled = info && info->th > 1 && info->tdy <= TALLEST;
    out->step = tiled ? info->tdy : out->width <= SMALL / out->height ? out->height : PART;
    out->first = tiled ? (int64_t)info->ty0 + info->tdy - of->image->y0 : out->step;
    if (out->first < 1 || out->first > out->height) out->first = out->step < out->height ? out->step : out->height;
    if (info) opj_destroy_cstr_info(&info);
}

cn_err cn_j2k_look(const cn_j2k *file, cn_j2k_size *out, void **icc, size_t *icc_bytes)
{
    opened of;
    cn_err err = open_it(file, &of);
    if (err == CN_OK) measure(&of, out);
    if (err == CN_OK && icc && of.image->icc_profile_buf && of.image->icc_profile_len >= 128) {
        size_t n = of.image->icc_profile_len;
        if ((*icc = cn_calloc(1, n))) {
            memcpy(*icc, of.image->icc_profile_buf, n);
            *icc_bytes = n;
        }
    }
    shut(&of);
    return err;
}

/* ---- colours ---- */

static int eight_bits(const opj_image_comp_t *part, int64_t x, int64_t y)
{
    int64_t px = x / part->dx - (int64_t)part->x0, py = y / part->dy - (int64_t)part->y0;
    px = px < 0 ? 0 : px >= part->w ? (int64_t)part->w - 1 : px;
    py = py < 0 ? 0 : py >= part->h ? (int64_t)part->h - 1 : py;
    int64_t value = part->data[py * part->w + px], most = ((int64_t)1 << part->prec) - 1;
    if (part->sgnd) value += (int64_t)1 << (part->prec - 1);
    value = value < 0 ? 0 : value > most ? most : value;
    return (int)((value * 255 + most / 2) / most);
}

static uint8_t clamp(double value)
{
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value + 0.5);
}

/* ISO 10918-5 (JFIF) 7. */
static void from_ycc(const int part[4], uint8_t *rgb)
{
    double y = part[0], cb = part[1] - 128, cr = part[2] - 128;
    rgb[0] = clamp(y + 1.402 * cr);
    rgb[1] = clamp(y - 0.344136 * cb - 0.714136 * cr);
    rgb[2] = clamp(y + 1.772 * cb);
}

static void from_parts(const int part[4], unsigned parts, int space, uint8_t *rgb)
{
    if (parts < 3) {
        rgb[0] = rgb[1] = rgb[2] = (uint8_t)part[0];
    } else if (space == OPJ_CLRSPC_SYCC) {
        from_ycc(part, rgb);
    } else {
        for (int c = 0; c < 3; c++)
            rgb[c] = (uint8_t)(space == OPJ_CLRSPC_CMYK ? (255 - part[c]) * (255 - part[3]) / 255 : part[c]);
    }
}

static int space_of(const opj_image_t *image, cn_j2k_colours colours)
{
    if (colours == CN_J2K_YCC) return OPJ_CLRSPC_SYCC;
    if (colours == CN_J2K_RGB || image->numcomps < 3) return OPJ_CLRSPC_SRGB;
    if (image->color_space == OPJ_CLRSPC_CMYK && image->numcomps >= 4) return OPJ_CLRSPC_CMYK;
    if (image->color_space == OPJ_CLRSPC_SYCC || image->comps[1].dx > 1) return OPJ_CLRSPC_SYCC;
    return OPJ_CLRSPC_SRGB;
}

static cn_err to_rgb(const opj_image_t *image, cn_j2k_colours colours, int64_t width, int64_t height, uint8_t *rgb)
{
    unsigned parts = image->numcomps < 4 ? image->numcomps : 4;
    int space = space_of(image, colours);
    for (unsigned c = 0; c < parts; c++) {
        const opj_image_comp_t *part = &image->comps[c];
        if (!part->data || !part->w || !part->h || !part->dx || !part->dy || part->prec < 1 || part->prec > 31)
            return CN_ERR_CORRUPT;
    }
    for (int64_t y = 0; y < height; y++)
        for (int64_t x = 0; x < width; x++, rgb += 3) {
            int part[4] = {0};
            for (unsigned c = 0; c < parts; c++) part[c] = eight_bits(&image->comps[c], x + image->x0, y + image->y0);
            from_parts(part, parts, space, rgb);
        }
    return CN_OK;
}

static cn_err decode(opened *of, int64_t from, int64_t to)
{
    OPJ_UINT32 x0 = of->image->x0, x1 = of->image->x1, y0 = of->image->y0;
    if (!opj_set_decode_area(of->codec, of->image, (OPJ_INT32)x0, (OPJ_INT32)(y0 + from), (OPJ_INT32)x1,
                             (OPJ_INT32)(y0 + to)))
        return CN_ERR_CORRUPT;
    return opj_decode(of->codec, of->stream, of->image) ? CN_OK : CN_ERR_CORRUPT;
}

cn_err cn_j2k_lines(const cn_j2k *file, int64_t width, int64_t from, int64_t to, uint8_t **out)
{
    opened of;
    cn_err err = open_it(file, &of);
    if (err == CN_OK && (of.image->x1 - of.image->x0 != width || of.image->y1 - of.image->y0 < to))
        err = CN_ERR_CORRUPT;
    if (err == CN_OK) err = decode(&of, from, to);
    uint8_t *rgb = err == CN_OK ? cn_calloc((size_t)(width * (to - from)), 3) : NULL;
    if (err == CN_OK) err = rgb ? to_rgb(of.image, file->colours, width, to - from, rgb) : CN_ERR_NOMEM;
    shut(&of);
    if (err == CN_OK)
        *out = rgb;
    else
        free(rgb);
    return err;
}
