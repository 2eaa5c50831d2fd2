/* When a consultation really took place: by the ledger and the request's history, not by the plan. */
#include "support_story.h"

#include "consult/minutes/held.h"
#include "consult/minutes/meter.h"
#include "consult/request/begin.h"

#define MIN INT64_C(60000)
#define T0 INT64_C(1795312800000) /* in session */
#define STAYS 3

/* minutes after T0 */
typedef struct stay {
    int64_t from, to;
    bool left;
} stay;

static cn_held held_of(bool seen, int64_t closed, int64_t now, const stay stays[STAYS])
{
    cn_held_stay list[STAYS];
    cn_held_facts facts = {.session_ms = T0,
                           .seen = seen,
                           .room_open = closed < 0,
                           .closed_ms = closed < 0 ? 0 : T0 + closed * MIN,
                           .stays = list};
    for (; facts.count < STAYS && stays[facts.count].to; facts.count++)
        list[facts.count] = (cn_held_stay){.from_ms = T0 + stays[facts.count].from * MIN,
                                           .to_ms = T0 + stays[facts.count].to * MIN,
                                           .left = stays[facts.count].left};
    return cn_held_of(&facts, T0 + now * MIN);
}

static void real_times(void **state)
{
    static const struct {
        const char *what;
        bool seen;
        int64_t closed, now; /* closed −1: the room is open */
        stay stays[STAYS];
        int64_t start, end; /* −1: none */
        bool ongoing;
    } rows[] = {
        {"just begun, nothing in the ledger yet", true, -1, 1, {{0}}, 0, -1, true},
        {"begun long ago, nobody was ever connected", true, -1, 60, {{0}}, 0, -1, false},
        {"accepted, nobody there yet", false, -1, 1, {{0}}, -1, -1, false},
        {"accepted, he came after 3 minutes", false, -1, 6, {{3, 5, false}}, 3, -1, true},
        {"both are there", true, -1, 31, {{0, 30, false}, {1, 30, false}}, 0, -1, true},
        {"one of two has left", true, -1, 31, {{0, 12, true}, {1, 30, false}}, 0, -1, true},
        {"all have left, the room is open", true, -1, 90, {{0, 28, true}, {1, 30, true}}, 0, 30, false},
        {"no checkpoint any more: the server fell", true, -1, 90, {{0, 29, false}, {1, 30, false}}, 0, 30, false},
        {"came early: the session counts", true, -1, 31, {{-25, 30, false}, {0, 30, false}}, 0, -1, true},
        {"the devices were tried the day before", true, -1, 31, {{-1440, -1430, true}, {0, 30, false}}, 0, -1, true},
        {"ended for all, the ledger lags", true, 31, 31, {{0, 30, false}, {1, 30, false}}, 0, 31, false},
        {"ended for all, a minute of farewell", true, 31, 60, {{0, 32, true}, {1, 31, true}}, 0, 31, false},
        {"all had left long before somebody finished it", true, 300, 400, {{0, 28, true}, {1, 30, true}}, 0, 30, false},
        {"finished, the server had fallen", true, 300, 400, {{0, 28, false}, {1, 30, false}}, 0, 30, false},
        {"finished, nobody was ever connected", true, 20, 400, {{0}}, 0, 20, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cn_held held = held_of(rows[i].seen, rows[i].closed, rows[i].now, rows[i].stays);
        int64_t start = rows[i].start < 0 ? 0 : T0 + rows[i].start * MIN,
                end = rows[i].end < 0 ? 0 : T0 + rows[i].end * MIN;
        if (held.start_ms != start || held.end_ms != end || held.ongoing != rows[i].ongoing)
            fail_msg("%s: from %lld to %lld%s", rows[i].what, (long long)(held.start_ms - T0) / MIN,
                     (long long)(held.end_ms - T0) / MIN, held.ongoing ? ", goes on" : "");
    }
    const cn_held_facts never = {.room_open = true};
    assert_int_equal(cn_held_of(&never, T0).start_ms, 0);
}

static void in_ledger(platform *rig, const char *room, const char *participant, int64_t start, int64_t ms,
                      const char *kind, const char *cause)
{
    const cn_ledger_row row = {.room = room,
                               .request = "",
                               .participant = participant,
                               .user = rig->lead.user,
                               .hospital = "",
                               .kind = kind,
                               .start_ms = start,
                               .duration_ms = ms,
                               .rule_version = CN_METER_RULE_VERSION,
                               .end_cause = cause};
    assert_ok(cn_chain_ledger(rig->c->ledger, &row, 1));
}

static cn_held load(platform *rig, const char *id, int64_t now)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    cn_held held;
    assert_ok(cn_conn_acquire(rig->c->db, &conn));
    assert_ok(cn_held_load(conn, id, now, &held));
    return held;
}

static void test_of_a_request(void **state)
{
    platform rig;
    char id[CN_ID_TEXT], room[CN_ID_TEXT];
    cn_problem problem = {.err = CN_OK};
    platform_open(&rig, state);
    request_new(&rig, false, "李明", id);
    request_until(&rig, id, CN_STATE_SCHEDULED);
    assert_ok(cn_request_room(rig.c, &rig.referrer, id, room, &problem));
    /* he looks at his camera, connected, a day before; a recorder is nobody */
    int64_t now = cn_wall_ms();
    in_ledger(&rig, room, "p0", now - 86400000, 5 * MIN, "person", "leave");
    in_ledger(&rig, room, "bot", now - 90000000, 200000000, "bot", "leave");
    assert_int_equal(load(&rig, id, now).start_ms, 0);
    bool scheduled = true;
    const cn_present both = {.referrer = true, .expert = true};
    assert_ok(cn_request_begin(rig.c, &rig.lead, id, &both, now, &scheduled));
    int64_t begun = platform_int(&rig, "SELECT at_ms FROM request_history WHERE action = 'begin'");
    cn_held held = load(&rig, id, begun + 1000);
    assert_true(held.ongoing);
    assert_int_equal(held.start_ms, begun);
    in_ledger(&rig, room, "p1", begun + 100, MIN, "person", "tier");
    in_ledger(&rig, room, "p1", begun + 100 + MIN, MIN, "person", "leave");
    in_ledger(&rig, room, "p2", begun + 2000, 3 * MIN, "person", "checkpoint");
    assert_true(load(&rig, id, begun + 4 * MIN).ongoing);
    held = load(&rig, id, begun + 20 * MIN);
    assert_false(held.ongoing);
    assert_int_equal(held.end_ms, begun + 2000 + 3 * MIN);
    /* it did not take place after all, and then it does */
    assert_ok(request_do(&rig, &rig.lead, id, "no_show", ""));
    assert_int_equal(load(&rig, id, begun + 20 * MIN).start_ms, 0);
    platform_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(real_times),
        CN_DB_TESTS(test_of_a_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
