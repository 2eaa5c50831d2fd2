/* IIIF Image API 3.0: what parameters ask for, row by row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "viewer/slide/iiif.h"

#define WIDTH 10000
#define HEIGHT 6000

static cn_err parse(const char *region, const char *size, const char *rotation, const char *quality, const char *format,
                    cn_iiif_ask *out)
{
    const char *wrong = "";
    const cn_iiif_texts texts = {region, size, rotation, quality, format};
    return cn_iiif_parse(&texts, WIDTH, HEIGHT, out, &wrong);
}

static void regions(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t x, y, width, height; /* width 0: refused */
    } rows[] = {
        {"full", 0, 0, WIDTH, HEIGHT},
        {"square", 2000, 0, 6000, 6000},
        {"125,15,120,140", 125, 15, 120, 140},
        {"9990,5990,500,500", 9990, 5990, 10, 10},
        {"pct:41.6,7.5,40,70", 4160, 450, 4000, 4200},
        {"pct:41.6,7.5,66.6,100", 4160, 450, 5840, 5550},
        {"10000,0,1,1", 0, 0, 0, 0},
        {"0,0,0,10", 0, 0, 0, 0},
        {"pct:100,0,10,10", 0, 0, 0, 0},
        {"pct:0,0,0,10", 0, 0, 0, 0},
        {"1,2,3", 0, 0, 0, 0},
        {"1,2,3,4,5", 0, 0, 0, 0},
        {"-1,2,3,4", 0, 0, 0, 0},
        {"1.5,2,3,4", 0, 0, 0, 0},
        {"1,2,3,4 ", 0, 0, 0, 0},
        {"1e3,2,3,4", 0, 0, 0, 0},
        {"pct:1.,2,3,4", 0, 0, 0, 0},
        {"1,2,99999999999999999999,4", 0, 0, 0, 0},
        {"", 0, 0, 0, 0},
        {"Full", 0, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cn_iiif_ask ask;
        cn_err err = parse(rows[i].text, "!10,10", "0", "default", "jpg", &ask);
        if (err != (rows[i].width ? CN_OK : CN_ERR_PARSE)) fail_msg("%s: %d", rows[i].text, (int)err);
        if (err == CN_OK &&
            (ask.x != rows[i].x || ask.y != rows[i].y || ask.width != rows[i].width || ask.height != rows[i].height))
            fail_msg("%s", rows[i].text);
    }
}

static void sizes(void **state)
{
    (void)state;
    static const struct {
        const char *region, *text;
        uint32_t width, height; /* 0: refused */
    } rows[] = {
        {"0,0,600,400", "max", 600, 400},
        {"full", "max", 2643, 1586}, /* maxArea */
        {"0,0,10000,100", "max", 4096, 40},
        {"0,0,600,400", "150,", 150, 100},
        {"0,0,600,400", ",150", 225, 150},
        {"0,0,600,400", "pct:50", 300, 200},
        {"0,0,600,400", "pct:0.01", 1, 1},
        {"0,0,600,400", "225,100", 225, 100},
        {"0,0,600,400", "!225,100", 150, 100},
        {"0,0,600,400", "!2000,2000", 600, 400},
        {"full", "!9000,9000", 2643, 1586},
        {"0,0,600,400", "601,", 0, 0},
        {"0,0,600,400", ",401", 0, 0},
        {"0,0,600,400", "600,401", 0, 0},
        {"0,0,600,400", "pct:101", 0, 0},
        {"0,0,600,400", "pct:0", 0, 0},
        {"0,0,600,400", "^max", 0, 0},
        {"0,0,600,400", "^1200,", 0, 0},
        {"0,0,600,400", "0,", 0, 0},
        {"0,0,600,400", ",", 0, 0},
        {"0,0,600,400", "!10", 0, 0},
        {"0,0,600,400", "full", 0, 0}, /* of version 2 */
        {"0,0,600,400", "1,2,3", 0, 0},
        {"full", "5000,", 0, 0},
        {"full", "pct:90", 0, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cn_iiif_ask ask;
        cn_err err = parse(rows[i].region, rows[i].text, "0", "default", "jpg", &ask);
        if (err != (rows[i].width ? CN_OK : CN_ERR_PARSE)) fail_msg("%s: %d", rows[i].text, (int)err);
        if (err == CN_OK && (ask.out_width != rows[i].width || ask.out_height != rows[i].height))
            fail_msg("%s of %s: %u x %u", rows[i].text, rows[i].region, ask.out_width, ask.out_height);
    }
}

static void the_rest(void **state)
{
    (void)state;
    static const struct {
        const char *rotation, *quality, *format;
        cn_err err;
        const char *canonical;
    } rows[] = {
        {"0", "default", "jpg", CN_OK, "full/600,360/0/default.jpg"},
        {"360", "color", "png", CN_OK, "full/600,360/0/default.png"},
        {"90.0", "gray", "png", CN_OK, "full/600,360/90/gray.png"},
        {"!270", "bitonal", "jpg", CN_OK, "full/600,360/!270/bitonal.jpg"},
        {"45", "default", "jpg", CN_ERR_PARSE, NULL},
        {"22.5", "default", "jpg", CN_ERR_PARSE, NULL},
        {"450", "default", "jpg", CN_ERR_PARSE, NULL},
        {"-90", "default", "jpg", CN_ERR_PARSE, NULL},
        {"", "default", "jpg", CN_ERR_PARSE, NULL},
        {"0", "grey", "jpg", CN_ERR_PARSE, NULL},
        {"0", "default", "tif", CN_ERR_UNSUPPORTED, NULL},
        {"0", "default", "", CN_ERR_UNSUPPORTED, NULL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cn_iiif_ask ask;
        char canonical[CN_IIIF_CANONICAL];
        cn_err err = parse("full", "600,", rows[i].rotation, rows[i].quality, rows[i].format, &ask);
        if (err != rows[i].err) fail_msg("%s/%s.%s: %d", rows[i].rotation, rows[i].quality, rows[i].format, (int)err);
        if (err != CN_OK) continue;
        cn_iiif_canonical(&ask, WIDTH, HEIGHT, canonical);
        assert_string_equal(canonical, rows[i].canonical);
    }
    cn_iiif_ask ask;
    char canonical[CN_IIIF_CANONICAL];
    assert_int_equal(parse("pct:1,2,3,4", "max", "0", "default", "jpg", &ask), CN_OK);
    cn_iiif_canonical(&ask, WIDTH, HEIGHT, canonical);
    assert_string_equal(canonical, "100,120,300,240/max/0/default.jpg");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(regions),
        cmocka_unit_test(sizes),
        cmocka_unit_test(the_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
