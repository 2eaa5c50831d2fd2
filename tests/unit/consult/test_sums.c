/* Refusals are summed up before they are rows, on both databases. */
#include "cn_test.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "consult/sums.h"
#include "support_consult.h"
#include "support_db.h"

static int64_t audit_rows(support_consult *support, const char *action, int64_t *count)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_AUTO_ROWS cn_rows *rows = NULL;
    int64_t n = 0;
    *count = 0;
    assert_ok(cn_conn_acquire(support->c.db, &conn));
    assert_ok(
        cn_db_query(conn, &rows, "SELECT detail FROM audit_log WHERE action = $1 ORDER BY counter", cn_text(action)));
    for (; cn_rows_next(rows); n++) {
        const char *at = strstr(cn_rows_text(rows, 0), "\"count\":");
        *count += at ? strtoll(at + 8, NULL, 10) : 1;
    }
    return n;
}

static void what_strangers_repeat_is_summed_up(void **state)
{
    support_consult *support = support_consult_new(SUPPORT_DB_KIND(state));
    cn_actor stranger = {.user = "", .address = "10.0.0.8"}, other = {.user = "", .address = "10.0.0.9"};
    int64_t count;
    for (int i = 0; i < 500; i++) {
        char object[32];
        assert_true(cn_fmt(object, sizeof object, "room:%d", i));
        cn_audit_sum(&support->c, &stranger, "room.view", object, "denied", "{}");
    }
    cn_audit_sum(&support->c, &other, "room.view", "room:1", "denied", "{}");
    assert_int_equal(audit_rows(support, "room.view", &count), 2); /* the first of each address at once */
    cn_audit_sums_write(&support->c, false);
    assert_int_equal(audit_rows(support, "room.view", &count), 2); /* the minute is not over */
    cn_audit_sums_write(&support->c, true);
    assert_int_equal(audit_rows(support, "room.view", &count), 3);
    assert_int_equal(count, 501);
    /* of whoever is logged in each object and way stands for itself */
    for (int i = 0; i < 6; i++)
        cn_audit_sum(&support->c, &support->expert, "access", "", "denied",
                     i % 2 ? "{\"why\":\"csrf\"}" : "{\"why\":\"right\"}");
    cn_audit_sums_write(&support->c, true);
    assert_int_equal(audit_rows(support, "access", &count), 4);
    assert_int_equal(count, 6);
    support_consult_free(support);
}

static void many_strangers_are_no_more_rows_than_the_table_holds(void **state)
{
    support_consult *support = support_consult_new(SUPPORT_DB_KIND(state));
    int64_t count;
    for (int i = 0; i < 700; i++) {
        cn_actor stranger = {.user = ""};
        assert_true(cn_fmt(stranger.address, sizeof stranger.address, "10.%d.%d.1", i / 256, i % 256));
        cn_audit_sum(&support->c, &stranger, "access", "", "denied", "{\"why\":\"cross-site\"}");
    }
    cn_audit_sums_write(&support->c, true);
    assert_true(audit_rows(support, "access", &count) <= 512);
    assert_int_equal(count, 700);
    support_consult_free(support);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CN_DB_TESTS(what_strangers_repeat_is_summed_up),
        CN_DB_TESTS(many_strangers_are_no_more_rows_than_the_table_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
