#include "viewer/decoder/jpeg.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#define QUALITY 90

typedef struct jpeg_failure {
    struct jpeg_error_mgr mgr;
    jmp_buf back;
} jpeg_failure;

static void jpeg_fail(j_common_ptr jpeg)
{
    jpeg_failure *failure = (jpeg_failure *)(void *)jpeg->err;
    longjmp(failure->back, 1);
}

cn_err cn_jpeg_encode(const uint8_t *rgb, int64_t width, int64_t height, void *out, size_t size, size_t *len)
{
    struct jpeg_compress_struct jpeg;
    jpeg_failure failure;
    unsigned char *volatile buffer = NULL;
    unsigned char *bytes = NULL;
    unsigned long length = 0;
    jpeg.err = jpeg_std_error(&failure.mgr);
    failure.mgr.error_exit = jpeg_fail;
    if (setjmp(failure.back)) {
        jpeg_destroy_compress(&jpeg);
        free(buffer);
        return CN_ERR_CORRUPT;
    }
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &bytes, &length);
    jpeg.image_width = (JDIMENSION)width;
    jpeg.image_height = (JDIMENSION)height;
    jpeg.input_components = 3;
    jpeg.in_color_space = JCS_RGB;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, QUALITY, TRUE);
    jpeg.comp_info[0].h_samp_factor = jpeg.comp_info[0].v_samp_factor = 1; /* thin red fibres keep their colour */
    jpeg_start_compress(&jpeg, TRUE);
    while (jpeg.next_scanline < jpeg.image_height) {
        JSAMPROW line = (JSAMPROW)(uintptr_t)(rgb + (size_t)jpeg.next_scanline * (size_t)width * 3);
        jpeg_write_scanlines(&jpeg, &line, 1);
    }
    jpeg_finish_compress(&jpeg);
    buffer = bytes;
    jpeg_destroy_compress(&jpeg);
    cn_err err = length <= size ? CN_OK : CN_ERR_TOOBIG;
    if (err == CN_OK) {
        memcpy(out, bytes, length);
        *len = length;
    }
    free(bytes);
    return err;
}
