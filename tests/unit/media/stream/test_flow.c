#include "cn_test.h"

#include "media/stream/flow.h"

#define MS 1000000ull

/* Packets every `gap_ms` in [from, to). */
static void flow(cn_flow *stream, uint64_t from_ms, uint64_t to_ms, uint64_t gap_ms)
{
    for (uint64_t t = from_ms; t < to_ms; t += gap_ms) cn_flow_packet(stream, t * MS);
}

static void a_stretch_counts_for_as_long_as_it_flowed(void **state)
{
    (void)state;
    static const struct {
        uint64_t from_ms, to_ms; /* the layer flows; asked for: [5000, 6000) */
        unsigned pictures;
        uint64_t least_ms, most_ms;
    } cases[] = {
        {1000, 6000, 30, 1000, 1000}, /* all the time */
        {1000, 5400, 12, 360, 400},   /* switched off within */
        {5500, 6000, 15, 500, 500},   /* began within */
        {5300, 5650, 10, 310, 350},   /* both */
        {1000, 5100, 3, 0, 0},        /* too short to tell */
        {5900, 6000, 3, 0, 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        cn_flow stream = {0};
        flow(&stream, cases[i].from_ms, cases[i].to_ms, 33);
        uint64_t time = cn_flow_time(&stream, 5000 * MS, 6000 * MS, cases[i].pictures, true);
        assert_in_range(time, cases[i].least_ms * MS, cases[i].most_ms * MS);
        assert_int_equal(stream.skipped, !time);
    }
}

/* When nothing better is known, and when a stream is never without pauses, the stretch counts whole. */
static void few_pictures_count_at_last(void **state)
{
    (void)state;
    cn_flow first = {0};
    flow(&first, 5900, 6000, 33);
    assert_int_equal(cn_flow_time(&first, 5000 * MS, 6000 * MS, 3, false), 1000 * MS);
    cn_flow slow = {0}; /* a shared screen that stands still */
    flow(&slow, 0, 9000, 900);
    assert_int_equal(cn_flow_time(&slow, 8000 * MS, 9000 * MS, 1, true), 0);
    assert_int_equal(cn_flow_time(&slow, 9000 * MS, 10000 * MS, 1, true), 1000 * MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stretch_counts_for_as_long_as_it_flowed),
        cmocka_unit_test(few_pictures_count_at_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
