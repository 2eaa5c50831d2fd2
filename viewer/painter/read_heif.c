/* A phone's HEIC: the primary picture, turned as the file itself says (its EXIF's word is for other programs). */
#include <libheif/heif.h>
#include <stdlib.h>

#include "base/mem.h"
#include "viewer/painter/source.h"

#define BITS 8

typedef struct heif_source {
    struct heif_context *file;
    struct heif_image_handle *primary;
    struct heif_image *image;
    void *icc;
} heif_source;

static cn_err said(struct heif_error err)
{
    switch (err.code) {
    case heif_error_Ok: return CN_OK;
    case heif_error_Memory_allocation_error: return CN_ERR_TOOBIG;
    case heif_error_Unsupported_filetype:
    case heif_error_Unsupported_feature: return CN_ERR_UNSUPPORTED;
    default: return CN_ERR_CORRUPT;
    }
}

static cn_err decode(heif_source *of)
{
    struct heif_decoding_options *options = heif_decoding_options_alloc();
    if (!options) return CN_ERR_NOMEM;
    options->convert_hdr_to_8bit = 1;
    cn_err err =
        said(heif_decode_image(of->primary, &of->image, heif_colorspace_RGB, heif_chroma_interleaved_RGB, options));
    heif_decoding_options_free(options);
    return err;
}

static cn_err give(heif_source *of, const cn_picture_sink *sink)
{
    int stride = 0;
    const uint8_t *plane = heif_image_get_plane_readonly(of->image, heif_channel_interleaved, &stride);
    cn_picture_head head = {.width = heif_image_get_width(of->image, heif_channel_interleaved),
                            .height = heif_image_get_height(of->image, heif_channel_interleaved)};
    if (!plane || head.width < 1 || heif_image_get_bits_per_pixel_range(of->image, heif_channel_interleaved) != BITS)
        return CN_ERR_UNSUPPORTED;
    size_t icc_bytes = heif_image_handle_get_raw_color_profile_size(of->primary);
    if (icc_bytes && (of->icc = cn_calloc(1, icc_bytes)) &&
        heif_image_handle_get_raw_color_profile(of->primary, of->icc).code == heif_error_Ok) {
        head.icc = of->icc;
        head.icc_bytes = icc_bytes;
    }
    CN_TRY(sink->begin(sink->ctx, &head));
    for (int64_t y = 0; y < head.height; y++) CN_TRY(sink->lines(sink->ctx, plane + y * stride, 1));
    return CN_OK;
}

static cn_err read_file(heif_source *of, const char *path, const cn_picture_sink *sink)
{
    heif_context_set_max_decoding_threads(of->file, 0);
    CN_TRY(said(heif_context_read_from_file(of->file, path, NULL)));
    CN_TRY(said(heif_context_get_primary_image_handle(of->file, &of->primary)));
    int64_t width = heif_image_handle_get_width(of->primary), height = heif_image_handle_get_height(of->primary);
    if (width < 1 || height < 1) return CN_ERR_CORRUPT;
    if (width > CN_PICTURE_SIDE || height > CN_PICTURE_SIDE || width > CN_PICTURE_PIXELS / height) return CN_ERR_TOOBIG;
    CN_TRY(decode(of));
    return give(of, sink);
}

cn_err cn_read_heif(const char *path, const cn_picture_sink *sink)
{
    heif_source of = {.file = heif_context_alloc()};
    if (!of.file) return CN_ERR_NOMEM;
    cn_err err = read_file(&of, path, sink);
    if (of.image) heif_image_release(of.image);
    if (of.primary) heif_image_handle_release(of.primary);
    heif_context_free(of.file);
    free(of.icc);
    return err;
}
