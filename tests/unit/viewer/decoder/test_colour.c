/* Colour profiles: the table against lcms' own transform, where it is found in a file, and what is refused. */
#include "cn_test.h"

#include <lcms2.h>
#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <tiffio.h>

#include "base/file.h"
#include "base/str.h"
#include "viewer/decode_proto.h"
#include "viewer/decoder/colour.h"

static char folder[] = "/tmp/consilium-test-colour-XXXXXX";

typedef struct profile {
    uint8_t *bytes;
    cmsUInt32Number n;
} profile;

static void save(cmsHPROFILE made, profile *out)
{
    assert_true(cmsSaveProfileToMem(made, NULL, &out->n));
    out->bytes = malloc(out->n);
    assert_non_null(out->bytes);
    assert_true(cmsSaveProfileToMem(made, out->bytes, &out->n));
    cmsCloseProfile(made);
}

/* A camera's: its own primaries, white and gamma. */
static void scanner(double gamma, const cmsCIExyY *white, profile *out)
{
    const cmsCIExyYTRIPLE primaries = {{0.68, 0.32, 1}, {0.265, 0.69, 1}, {0.15, 0.06, 1}};
    cmsToneCurve *curve = cmsBuildGamma(NULL, gamma), *curves[3] = {curve, curve, curve};
    cmsHPROFILE made = cmsCreateRGBProfile(white, &primaries, curves);
    cmsSetDeviceClass(made, cmsSigInputClass);
    cmsFreeToneCurve(curve);
    save(made, out);
}

/* One whose heart is a table: colours that were dyed, so that no matrix says the same. */
static cmsInt32Number dyed(const cmsUInt16Number in[], cmsUInt16Number out[], void *cargo)
{
    double r = in[0] / 65535.0, g = in[1] / 65535.0, b = in[2] / 65535.0;
    (void)cargo;
    cmsCIELab lab = {.L = 100 * pow(0.3 * r + 0.6 * g + 0.1 * b, 1.1), .a = 60 * (r - g), .b = 60 * (g - b)};
    cmsFloat2LabEncoded(out, &lab);
    return 1;
}

static void table_profile(profile *out)
{
    cmsHPROFILE made = cmsCreateProfilePlaceholder(NULL);
    cmsPipeline *pipeline = cmsPipelineAlloc(NULL, 3, 3);
    cmsStage *clut = cmsStageAllocCLut16bit(NULL, 17, 3, 3, NULL);
    cmsSetProfileVersion(made, 4.3);
    cmsSetDeviceClass(made, cmsSigInputClass);
    cmsSetColorSpace(made, cmsSigRgbData);
    cmsSetPCS(made, cmsSigLabData);
    assert_true(cmsStageSampleCLut16bit(clut, dyed, NULL, 0));
    cmsPipelineInsertStage(pipeline, cmsAT_BEGIN, cmsStageAllocToneCurves(NULL, 3, NULL));
    cmsPipelineInsertStage(pipeline, cmsAT_END, clut);
    cmsPipelineInsertStage(pipeline, cmsAT_END, cmsStageAllocToneCurves(NULL, 3, NULL));
    assert_true(cmsWriteTag(made, cmsSigAToB0Tag, pipeline));
    cmsPipelineFree(pipeline);
    save(made, out);
}

/* ---- as exact as it is used ---- */

static double number_at(const uint8_t *table, int i)
{
    int bits = table[2 * i] | table[2 * i + 1] << 8, exponent = bits >> 10 & 31, mantissa = bits & 1023;
    double value = exponent ? ldexp(1024 + mantissa, exponent - 25) : ldexp(mantissa, -24);
    return bits & 0x8000 ? -value : value;
}

/* As a shader looks it up. */
static void look_up(const uint8_t *table, const uint8_t rgb[3], uint8_t out[3])
{
    const int side = CN_DECODE_COLOUR_SIDE, step[3] = {3, 3 * side, 3 * side * side};
    int low[3];
    double part[3];
    for (int c = 0; c < 3; c++) {
        double at = rgb[c] / 255.0 * (side - 1);
        low[c] = at >= side - 1 ? side - 2 : (int)at;
        part[c] = at - low[c];
    }
    for (int c = 0; c < 3; c++) {
        double sum = 0;
        for (int corner = 0; corner < 8; corner++) {
            double weight = 1;
            int at = c;
            for (int axis = 0; axis < 3; axis++) {
                int far = corner >> axis & 1;
                weight *= far ? part[axis] : 1 - part[axis];
                at += (low[axis] + far) * step[axis];
            }
            sum += weight * number_at(table, at);
        }
        sum = sum < 0 ? 0 : sum > 1 ? 1 : sum;
        out[c] = (uint8_t)(sum * 255 + 0.5);
    }
}

/* The worst and the mean CIE 1976 difference of the table from lcms' own way, over colours all through the space. */
static double worst_of(const profile *from, const uint8_t *table, double *mean)
{
    cmsHPROFILE scan = cmsOpenProfileFromMem(from->bytes, from->n), srgb = cmsCreate_sRGBProfile();
    cmsHPROFILE lab = cmsCreateLab4Profile(NULL);
    cmsHTRANSFORM own = cmsCreateTransform(scan, TYPE_RGB_8, srgb, TYPE_RGB_8, INTENT_RELATIVE_COLORIMETRIC,
                                           cmsFLAGS_BLACKPOINTCOMPENSATION | cmsFLAGS_NOOPTIMIZE);
    cmsHTRANSFORM seen = cmsCreateTransform(srgb, TYPE_RGB_8, lab, TYPE_Lab_DBL, INTENT_RELATIVE_COLORIMETRIC, 0);
    double worst = 0, sum = 0;
    int n = 0;
    for (int r = 0; r < 256; r += 5)
        for (int g = 0; g < 256; g += 5)
            for (int b = 0; b < 256; b += 5, n++) {
                const uint8_t rgb[3] = {(uint8_t)r, (uint8_t)g, (uint8_t)b};
                uint8_t have[3], want[3];
                cmsCIELab a, c;
                look_up(table, rgb, have);
                cmsDoTransform(own, rgb, want, 1);
                cmsDoTransform(seen, have, &a, 1);
                cmsDoTransform(seen, want, &c, 1);
                double apart = cmsDeltaE(&a, &c);
                sum += apart;
                if (apart > worst) worst = apart;
            }
    cmsDeleteTransform(own);
    cmsDeleteTransform(seen);
    cmsCloseProfile(scan);
    cmsCloseProfile(srgb);
    cmsCloseProfile(lab);
    *mean = sum / n;
    return worst;
}

static void close_to_lcms(const char *name, profile *from)
{
    static uint8_t table[CN_DECODE_COLOUR_BYTES];
    double mean = 0;
    assert_ok(cn_colour_table(from->bytes, from->n, table));
    double worst = worst_of(from, table, &mean);
    print_message("%s: dE worst %.2f, mean %.3f\n", name, worst, mean);
    assert_true(worst <= 2);
    free(from->bytes);
}

static void tables_are_within_two(void **state)
{
    const cmsCIExyY d65 = {0.3127, 0.3290, 1}, d50 = {0.3457, 0.3585, 1};
    profile from;
    (void)state;
    scanner(2.2, &d65, &from);
    close_to_lcms("gamma 2.2", &from);
    scanner(1.8, &d50, &from);
    close_to_lcms("gamma 1.8", &from);
    table_profile(&from);
    close_to_lcms("a table of its own", &from);
    save(cmsCreate_sRGBProfile(), &from);
    close_to_lcms("sRGB", &from);
}

static void glass_stays_white_and_black_black(void **state)
{
    const cmsCIExyY d50 = {0.3457, 0.3585, 1};
    static uint8_t table[CN_DECODE_COLOUR_BYTES];
    profile from;
    (void)state;
    scanner(1.8, &d50, &from);
    assert_ok(cn_colour_table(from.bytes, from.n, table));
    const int last = CN_DECODE_COLOUR_NUMBERS - 3;
    for (int c = 0; c < 3; c++) {
        assert_true(fabs(number_at(table, c)) < 1e-3);
        assert_true(fabs(number_at(table, last + c) - 1) < 2e-3);
    }
    /* the second colour is a little red, the last but one lacks some */
    assert_true(number_at(table, 3) > 0.01 && number_at(table, 4) < 0.01 && number_at(table, 5) < 0.01);
    assert_true(number_at(table, last - 3) < 0.995);
    free(from.bytes);
}

/* ---- what is refused ---- */

static void strangers_are_refused(void **state)
{
    static uint8_t table[CN_DECODE_COLOUR_BYTES];
    const cmsCIExyY d50 = {0.3457, 0.3585, 1};
    profile from, grey;
    (void)state;
    scanner(2.2, &d50, &from);
    for (cmsUInt32Number n = 0; n < from.n; n += 7)
        assert_int_equal(cn_colour_table(from.bytes, n, table), CN_ERR_UNSUPPORTED);
    assert_int_equal(cn_colour_table(from.bytes, CN_DECODE_ICC_BYTES + 1, table), CN_ERR_UNSUPPORTED);
    from.bytes[36] = 'x'; /* no "acsp" */
    assert_false(cn_colour_is_rgb_profile(from.bytes, from.n));
    cmsToneCurve *curve = cmsBuildGamma(NULL, 2.2);
    save(cmsCreateGrayProfile(&d50, curve), &grey);
    cmsFreeToneCurve(curve);
    assert_false(cn_colour_is_rgb_profile(grey.bytes, grey.n));
    free(from.bytes);
    free(grey.bytes);
}

/* ---- where it is found ---- */

static void directory(TIFF *tif, bool tiled, const profile *with)
{
    static uint8_t pixels[64 * 64 * 3];
    TIFFSetField(tif, TIFFTAG_IMAGEWIDTH, 64);
    TIFFSetField(tif, TIFFTAG_IMAGELENGTH, 64);
    TIFFSetField(tif, TIFFTAG_BITSPERSAMPLE, 8);
    TIFFSetField(tif, TIFFTAG_SAMPLESPERPIXEL, 3);
    TIFFSetField(tif, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_RGB);
    TIFFSetField(tif, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
    if (with) TIFFSetField(tif, TIFFTAG_ICCPROFILE, with->n, with->bytes);
    if (tiled) {
        TIFFSetField(tif, TIFFTAG_TILEWIDTH, 64);
        TIFFSetField(tif, TIFFTAG_TILELENGTH, 64);
        TIFFWriteEncodedTile(tif, 0, pixels, sizeof(pixels));
    } else {
        TIFFSetField(tif, TIFFTAG_ROWSPERSTRIP, 64);
        TIFFWriteEncodedStrip(tif, 0, pixels, sizeof(pixels));
    }
    TIFFWriteDirectory(tif);
}

static void open_of(const char *name, const profile *strips, const profile *tiles, cn_colour **out)
{
    char path[128];
    cn_fmt(path, sizeof(path), "%s/%s.tif", folder, name);
    TIFF *tif = TIFFOpen(path, "w");
    assert_non_null(tif);
    directory(tif, false, strips);
    directory(tif, true, tiles);
    TIFFClose(tif);
    assert_ok(cn_colour_open(out, path));
}

static void a_label_has_no_say(void **state)
{
    const cmsCIExyY d65 = {0.3127, 0.3290, 1};
    static uint8_t table[CN_DECODE_COLOUR_BYTES];
    cn_colour *colour = NULL;
    profile from, other;
    size_t n = 0;
    (void)state;
    scanner(2.2, &d65, &from);
    scanner(1.8, &d65, &other);
    open_of("both", &other, &from, &colour);
    assert_true(cn_colour_is_usable(colour));
    assert_int_equal(cn_colour_bytes(colour), from.n);
    assert_ok(cn_colour_answer(colour, table, sizeof(table), &n));
    assert_int_equal(n, CN_DECODE_COLOUR_BYTES);
    assert_int_equal(cn_colour_answer(colour, table, sizeof(table) - 1, &n), CN_ERR_TOOBIG);
    cn_colour_close(colour);
    open_of("label", &other, NULL, &colour);
    assert_null(colour);
    assert_int_equal(cn_colour_answer(colour, table, sizeof(table), &n), CN_ERR_NOTFOUND);
    memset(from.bytes, 'x', from.n);
    open_of("nonsense", NULL, &from, &colour);
    assert_int_equal(cn_colour_bytes(colour), from.n);
    assert_false(cn_colour_is_usable(colour));
    cn_colour_close(colour);
    free(from.bytes);
    free(other.bytes);
}

static void too_large_is_said_not_kept(void **state)
{
    profile large = {.bytes = calloc(1, CN_DECODE_ICC_BYTES + 1), .n = CN_DECODE_ICC_BYTES + 1};
    cn_colour *colour = NULL;
    (void)state;
    open_of("large", NULL, &large, &colour);
    assert_int_equal(cn_colour_bytes(colour), large.n);
    assert_false(cn_colour_is_usable(colour));
    cn_colour_close(colour);
    free(large.bytes);
}

static void no_tiff_has_none(void **state)
{
    char path[128];
    cn_colour *colour = NULL;
    (void)state;
    cn_fmt(path, sizeof(path), "%s/text", folder);
    assert_ok(cn_file_write_durable(path, "hello", 5, 0600));
    assert_ok(cn_colour_open(&colour, path));
    assert_null(colour);
    assert_ok(cn_colour_open(&colour, "/nowhere"));
    assert_null(colour);
}

static int setup(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)kind, (void)at;
    return remove(path);
}

static int teardown(void **state)
{
    (void)state;
    return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_within_two),      cmocka_unit_test(glass_stays_white_and_black_black),
        cmocka_unit_test(strangers_are_refused),      cmocka_unit_test(a_label_has_no_say),
        cmocka_unit_test(too_large_is_said_not_kept), cmocka_unit_test(no_tiff_has_none),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
