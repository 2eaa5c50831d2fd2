/* What is shown against dcm2pnm: windows, look-up tables, polarity, palettes, colours; and that a picture is no larger than asked for. */
#include "cn_test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jpeglib.h>

#include "base/child.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "support_dicom.h"
#include "viewer/dicom/reader.h"

#define SHARED DICOM_SHARED "dicom/"

typedef struct picture {
    uint8_t *pixel; /* RGB */
    unsigned width, height;
} picture;

static void from_jpeg(const void *bytes, size_t len, picture *out)
{
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_decompress(&jpeg);
    jpeg_mem_src(&jpeg, bytes, len);
    jpeg_read_header(&jpeg, TRUE);
    jpeg.out_color_space = JCS_RGB;
    jpeg_start_decompress(&jpeg);
    *out = (picture){.width = jpeg.output_width, .height = jpeg.output_height};
    out->pixel = cn_calloc((size_t)out->width * out->height, 3);
    while (jpeg.output_scanline < out->height) {
        JSAMPROW line = out->pixel + (size_t)jpeg.output_scanline * out->width * 3;
        jpeg_read_scanlines(&jpeg, &line, 1);
    }
    jpeg_finish_decompress(&jpeg);
    jpeg_destroy_decompress(&jpeg);
}

static void from_pnm(const char *path, picture *out)
{
    char *bytes = NULL;
    size_t n = 0;
    unsigned most = 0;
    int head = 0;
    assert_int_equal(cn_file_read(path, 1u << 27, &bytes, &n), CN_OK);
    assert_true(sscanf(bytes, "P%*c %u %u %u%n", &out->width, &out->height, &most, &head) == 3 && most == 255);
    size_t pixels = (size_t)out->width * out->height;
    const uint8_t *from = (const uint8_t *)bytes + head + 1;
    out->pixel = cn_calloc(pixels, 3);
    for (size_t at = 0; at < 3 * pixels; at++) out->pixel[at] = bytes[1] == '5' ? from[at / 3] : from[at];
    free(bytes);
}

static void ours(const char *path, const cn_dicom_view *view, picture *out)
{
    char why[256] = "";
    void *jpeg = NULL;
    size_t len = 0;
    CN_AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (cn_dicom_reader_render(reader, fd, view, &jpeg, &len, why, sizeof(why)) != CN_OK) fail_msg("%s: %s", path, why);
    from_jpeg(jpeg, len, out);
    free(jpeg);
}

static double mean_difference(const picture *one, const picture *other)
{
    size_t n = (size_t)one->width * one->height * 3;
    double sum = 0;
    for (size_t at = 0; at < n; at++) sum += abs(one->pixel[at] - other->pixel[at]);
    return sum / (double)n;
}

static const struct {
    const char *path, *program, *option, *value;
    bool windowed;
    double center, width;
} rows[] = {
    {"pydicom-data/693_UNCI.dcm", "dcm2pnm", "+Wi", "1", false, 0, 0},
    {"pydicom-data/693_UNCI.dcm", "dcm2pnm", "+Ww", "40 400", true, 40, 400},
    {"pydicom/MR_small_implicit.dcm", "dcm2pnm", "+Wi", "1", false, 0, 0},
    {"pydicom/MR_small_expb.dcm", "dcm2pnm", "+Wi", "1", false, 0, 0},
    {"pydicom-data/vlut_04.dcm", "dcm2pnm", "+Wl", "1", false, 0, 0},
    {"pydicom-data/mlut_18.dcm", "dcm2pnm", "+Wm", NULL, false, 0, 0},
    {"dicomdir/77654033/CR1/6154", "dcm2pnm", "+Wi", "1", false, 0, 0},
    {"pydicom/examples_palette.dcm", "dcm2pnm", NULL, NULL, false, 0, 0},
    {"pydicom-data/OT-PAL-8-face.dcm", "dcm2pnm", NULL, NULL, false, 0, 0},
    {"pydicom/examples_rgb_color.dcm", "dcm2pnm", NULL, NULL, false, 0, 0},
    {"dcm4che/YBR_422.dcm", "dcm2pnm", NULL, NULL, false, 0, 0},
    {"pydicom/examples_ybr_color.dcm", "dcmj2pnm", NULL, NULL, false, 0, 0},
    {"pydicom/JPEG-lossy.dcm", "dcmj2pnm", "+Wm", NULL, false, 0, 0},
    {"dcm4che/CT-JPEGLosslessSV1.dcm", "dcmj2pnm", "+Wi", "1", false, 0, 0},
    {"pydicom/MR_small_jpeg_ls_lossless.dcm", "dcml2pnm", "+Wi", "1", false, 0, 0},
    {"orthanc/2023-04-21-RLEPlanarConfigurationYBR_FULL.dcm", "dcm2pnm", NULL, NULL, false, 0, 0},
    {"orthanc/2020-11-16-SalimKanounAnonymization.dcm", "dcm2pnm", "+Wi", "1", false, 0, 0},
};

static void as_others_show_it(void **state)
{
    (void)state;
    char pnm[] = "/tmp/consilium-test-render-XXXXXX";
    int fd = mkstemp(pnm);
    unsigned wrong = 0;
    assert_true(fd >= 0);
    close(fd);
    for (size_t i = 0; have_shared() && i < sizeof(rows) / sizeof(rows[0]); i++) {
        char path[512], first[16] = "", second[16] = "";
        assert_true(cn_fmt(path, sizeof(path), SHARED "%s", rows[i].path));
        if (rows[i].value) sscanf(rows[i].value, "%15s %15s", first, second);
        const char *argv[10] = {rows[i].program, "+op"};
        size_t n = 2;
        if (rows[i].option) argv[n++] = rows[i].option;
        if (*first) argv[n++] = first;
        if (*second) argv[n++] = second;
        argv[n++] = path;
        argv[n++] = pnm;
        argv[n] = NULL;
        int status = -1;
        assert_int_equal(cn_child_run(argv, &(cn_child_limits){.wall_seconds = 60}, &status), CN_OK);
        if (status != 0) fail_msg("%s %s: %d", argv[0], rows[i].path, status);
        picture one = {.pixel = NULL}, other = {.pixel = NULL};
        const cn_dicom_view view = {.size = 8192,
                                    .quality = 100,
                                    .windowed = rows[i].windowed,
                                    .center = rows[i].center,
                                    .width = rows[i].width};
        from_pnm(pnm, &one);
        ours(path, &view, &other);
        if (one.width != other.width || one.height != other.height)
            fail_msg("%s: %ux%u, not %ux%u", rows[i].path, other.width, other.height, one.width, one.height);
        double off = mean_difference(&one, &other);
        print_message("%s: %.3f\n", rows[i].path, off);
        wrong += off > 1.5;
        free(one.pixel);
        free(other.pixel);
    }
    unlink(pnm);
    assert_int_equal(wrong, 0);
}

static void no_larger_than_asked(void **state)
{
    (void)state;
    if (!have_shared()) return;
    picture of = {.pixel = NULL};
    const cn_dicom_view view = {.size = 100, .quality = 80};
    ours(SHARED "dcm4che/YBR_422.dcm", &view, &of);
    assert_true(of.width == 100 && of.height == 69);
    free(of.pixel);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(as_others_show_it), cmocka_unit_test(no_larger_than_asked)};
    return cmocka_run_group_tests(tests, dicom_setup, dicom_teardown);
}
