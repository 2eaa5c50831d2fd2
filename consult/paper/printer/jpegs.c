#include "consult/paper/printer/jpegs.h"

#include <setjmp.h>
#include <stdio.h> /* jpeglib.h needs it */
#include <stdlib.h>

#include <jpeglib.h>

#define QUALITY 90
#define SIDE 4096

typedef struct carrier_failure {
    struct jpeg_error_mgr manager; /* first: the library gives its address */
    jmp_buf back;
} carrier_failure;

static void fail(j_common_ptr jpeg)
{
    longjmp(((carrier_failure *)(void *)jpeg->err)->back, 1);
}

/* Cairo's pixels are 0x00RRGGBB in the machine's order: on the machines that Debian's packages are for, blue is first. */
static void write_lines(struct jpeg_compress_struct *jpeg, const unsigned char *pixels, int stride)
{
    while (jpeg->next_scanline < jpeg->image_height) {
        JSAMPROW line = (JSAMPROW)(pixels + (size_t)stride * jpeg->next_scanline);
        jpeg_write_scanlines(jpeg, &line, 1);
    }
}

static void describe(struct jpeg_compress_struct *jpeg, cairo_surface_t *surface)
{
    jpeg->image_width = (JDIMENSION)cairo_image_surface_get_width(surface);
    jpeg->image_height = (JDIMENSION)cairo_image_surface_get_height(surface);
    jpeg->input_components = 4;
    jpeg->in_color_space = JCS_EXT_BGRX;
    jpeg_set_defaults(jpeg);
    jpeg_set_quality(jpeg, QUALITY, TRUE);
    for (int i = 0; i < jpeg->num_components; i++)
        jpeg->comp_info[i].h_samp_factor = jpeg->comp_info[i].v_samp_factor = 1;
}

cn_err cn_jpegs_write(cairo_surface_t *surface, cn_buf *out)
{
    struct jpeg_compress_struct jpeg;
    carrier_failure failure;
    unsigned char *bytes = NULL;
    unsigned long len = 0;
    volatile bool good = false;
    cairo_surface_flush(surface);
    jpeg.err = jpeg_std_error(&failure.manager);
    failure.manager.error_exit = fail;
    jpeg_create_compress(&jpeg);
    if (setjmp(failure.back) == 0) {
        jpeg_mem_dest(&jpeg, &bytes, &len);
        describe(&jpeg, surface);
        jpeg_start_compress(&jpeg, TRUE);
        write_lines(&jpeg, cairo_image_surface_get_data(surface), cairo_image_surface_get_stride(surface));
        jpeg_finish_compress(&jpeg);
        good = true;
    }
    if (good) cn_buf_add(out, bytes, len);
    jpeg_destroy_compress(&jpeg);
    free(bytes);
    return good ? out->err : CN_ERR_NOMEM;
}

static bool read_size(const unsigned char *bytes, size_t len, int *width, int *height)
{
    struct jpeg_decompress_struct jpeg;
    carrier_failure failure;
    volatile bool good = false;
    jpeg.err = jpeg_std_error(&failure.manager);
    failure.manager.error_exit = fail;
    jpeg_create_decompress(&jpeg);
    if (setjmp(failure.back) == 0) {
        jpeg_mem_src(&jpeg, bytes, len);
        good = jpeg_read_header(&jpeg, TRUE) == JPEG_HEADER_OK && jpeg.image_width <= SIDE && jpeg.image_height <= SIDE;
        *width = (int)jpeg.image_width;
        *height = (int)jpeg.image_height;
    }
    jpeg_destroy_decompress(&jpeg);
    return good;
}

cairo_surface_t *cn_jpegs_carry(const unsigned char *bytes, size_t len)
{
    int width = 0, height = 0;
    if (!read_size(bytes, len, &width, &height)) return NULL;
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
    if (cairo_surface_set_mime_data(surface, CAIRO_MIME_TYPE_JPEG, bytes, len, NULL, NULL) == CAIRO_STATUS_SUCCESS)
        return surface;
    cairo_surface_destroy(surface);
    return NULL;
}
