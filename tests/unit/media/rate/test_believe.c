#include "cn_test.h"

#include "media/rate/believe.h"

typedef struct claim_case {
    const char *what;
    cn_size_claim claim;
    cn_size_doubt doubt;
    uint32_t least, most; /* that may be counted */
} claim_case;

#define FULL(w, h) (w) * (h), (w) * (h)
#define SD 307200
#define MAX_VP8_KEY 3 /* bits of a block */

static const claim_case cases[] = {
    /* lies */
    {"VP8, a key frame of 300 bytes that claims everything",
     {.codec = CN_CODEC_VP8, .width = 16383, .height = 16383, .key_bytes = 300},
     CN_SIZE_TOO_LARGE,
     1,
     SD},
    {"H.264, the same",
     {.codec = CN_CODEC_H264, .width = 16383, .height = 16383, .key_bytes = 300},
     CN_SIZE_TOO_LARGE,
     1,
     SD},
    {"VP9, the same",
     {.codec = CN_CODEC_VP9, .width = 16383, .height = 16383, .key_bytes = 300},
     CN_SIZE_TOO_LARGE,
     1,
     SD},
    {"AV1, the same",
     {.codec = CN_CODEC_AV1, .width = 16383, .height = 16383, .key_bytes = 300},
     CN_SIZE_TOO_LARGE,
     1,
     SD},
    {"all of it as a number",
     {.codec = CN_CODEC_VP9, .width = UINT32_MAX, .height = UINT32_MAX, .key_bytes = UINT32_MAX},
     CN_SIZE_TOO_LARGE,
     1,
     CN_BELIEVE_LEVELS},
    {"VP8 of 4K in a packet",
     {.codec = CN_CODEC_VP8, .width = 3840, .height = 2160, .key_bytes = 1200},
     CN_SIZE_TOO_LARGE,
     1,
     SD},
    {"5 Mbit/s of 16 × 16",
     {.codec = CN_CODEC_VP9, .width = 16, .height = 16, .key_bytes = 40000, .bytes = 625000, .frames = 30},
     CN_SIZE_TOO_SMALL,
     921601,
     2073600},
    {"the encoder's word is four times as large",
     {.codec = CN_CODEC_VP9,
      .width = 640,
      .height = 360,
      .key_bytes = 40000,
      .bytes = 600000,
      .frames = 30,
      .allocated_area = 1280 * 720},
     CN_SIZE_CONTRADICTED,
     FULL(1280, 720)},
    {"the encoder's word is a quarter, and the key frame large enough: no gain by saying less",
     {.codec = CN_CODEC_VP8, .width = 1280, .height = 720, .key_bytes = 40000, .allocated_area = 640 * 360},
     CN_SIZE_CONTRADICTED,
     FULL(1280, 720)},
    {"the encoder's word is the lie",
     {.codec = CN_CODEC_VP8, .width = 640, .height = 360, .key_bytes = 9000, .allocated_area = 16383ull * 16383},
     CN_SIZE_BELIEVED,
     FULL(640, 360)},
    /* what is true */
    {"a still 4K screen: 2 kbit/s after its key frame",
     {.codec = CN_CODEC_VP8, .width = 3840, .height = 2160, .key_bytes = 90000, .bytes = 250, .frames = 5},
     CN_SIZE_BELIEVED,
     FULL(3840, 2160)},
    {"a still 4K screen of which nothing came in the last second",
     {.codec = CN_CODEC_VP9, .width = 3840, .height = 2160, .key_bytes = 30000},
     CN_SIZE_BELIEVED,
     FULL(3840, 2160)},
    {"a white 4K page in VP8: each block as short as can be",
     {.codec = CN_CODEC_VP8, .width = 3840, .height = 2160, .key_bytes = 240 * 135 * MAX_VP8_KEY / 8 + 60},
     CN_SIZE_BELIEVED,
     FULL(3840, 2160)},
    {"an encoder without a signal: black 1080p in H.264",
     {.codec = CN_CODEC_H264, .width = 1920, .height = 1080, .key_bytes = 450, .bytes = 1500, .frames = 30},
     CN_SIZE_BELIEVED,
     FULL(1920, 1080)},
    {"black 4K in VP9",
     {.codec = CN_CODEC_VP9, .width = 3840, .height = 2160, .key_bytes = 620},
     CN_SIZE_BELIEVED,
     FULL(3840, 2160)},
    {"black 4K in AV1",
     {.codec = CN_CODEC_AV1, .width = 3840, .height = 2160, .key_bytes = 160},
     CN_SIZE_BELIEVED,
     FULL(3840, 2160)},
    {"the top of three spatial layers",
     {.codec = CN_CODEC_VP9, .based = true, .width = 1280, .height = 720, .key_bytes = 5600},
     CN_SIZE_BELIEVED,
     FULL(1280, 720)},
    {"a thumbnail of 80 × 45 with three packets a second",
     {.codec = CN_CODEC_VP8, .width = 80, .height = 45, .key_bytes = 900, .bytes = 2400, .frames = 3},
     CN_SIZE_BELIEVED,
     FULL(80, 45)},
    {"intra frames of a capture card",
     {.codec = CN_CODEC_H264, .width = 640, .height = 480, .key_bytes = 150000, .bytes = 3750000, .frames = 25},
     CN_SIZE_BELIEVED,
     FULL(640, 480)},
    {"sides that are rounded",
     {.codec = CN_CODEC_VP8, .width = 1366, .height = 768, .key_bytes = 40000, .allocated_area = 1366 * 766},
     CN_SIZE_BELIEVED,
     FULL(1366, 768)},
    /* nothing to say yet */
    {"no claim", {.codec = CN_CODEC_AV1, .key_bytes = 3000}, CN_SIZE_BELIEVED, 0, 0},
    {"no key frame", {.codec = CN_CODEC_VP8, .width = 640, .height = 360}, CN_SIZE_BELIEVED, 0, 0},
};

static void claims_are_held_against_what_was_sent(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const claim_case *c = &cases[i];
        cn_size_doubt doubt = CN_SIZE_CONTRADICTED;
        uint32_t counted = cn_believe(&c->claim, &doubt);
        if (doubt != c->doubt || counted < c->least || counted > c->most)
            fail_msg("%s: %u pixels, doubt %d", c->what, counted, (int)doubt);
    }
}

static void more_bytes_never_count_less(void **state)
{
    (void)state;
    const cn_codec codecs[] = {CN_CODEC_VP8, CN_CODEC_H264, CN_CODEC_VP9, CN_CODEC_AV1};
    for (size_t i = 0; i < sizeof codecs / sizeof *codecs; i++) {
        uint32_t before = 0;
        for (uint32_t bytes = 1; bytes < 1u << 24; bytes += 1 + bytes / 8) {
            cn_size_doubt doubt;
            cn_size_claim claim = {.codec = codecs[i], .width = 3840, .height = 2160, .key_bytes = bytes};
            uint32_t counted = cn_believe(&claim, &doubt);
            assert_true(counted >= before && counted <= 3840 * 2160);
            before = counted;
        }
        assert_int_equal(before, 3840 * 2160);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claims_are_held_against_what_was_sent),
        cmocka_unit_test(more_bytes_never_count_less),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
