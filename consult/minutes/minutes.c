#include "consult/minutes/minutes.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "consult/minutes/meter.h"

#define DAY_MS ((int64_t)86400000)
#define DAYS 31
#define DOUBT_MS 3600000 /* so long after a size was doubted segments of its room are marked */

/* constant pieces of statements: never anything from outside */
static const struct {
    const char *by, *id, *name, *join;
} groups[] = {
    {"room", "m.room_id", "COALESCE(n.title, '')", "LEFT JOIN rooms n ON n.id = m.room_id"},
    {"user", "m.user_id", "COALESCE(n.display_name, '')", "LEFT JOIN users n ON n.id = m.user_id"},
    {"hospital", "m.hospital_id", "COALESCE(n.name, '')", "LEFT JOIN hospitals n ON n.id = m.hospital_id"},
};
static const struct {
    const char *rule, *tier;
} rules[] = {{"aggregate", "m.tier_aggregate"}, {"max_tier", "m.tier_max"}};

/* What a question is about, after the checks. */
typedef struct month_query {
    const char *month, *tier;
    int64_t from, to;
    size_t group;
} month_query;

static cn_err check_month_and_rule(const char *month, const char *rule, int zone, month_query *asked,
                                   cn_problem *problem)
{
    if (!cn_month_bounds(month, zone, &asked->from, &asked->to))
        return cn_problem_field(problem, CN_WRONG_FORMAT, "month", "must be a month YYYY-MM");
    asked->month = month;
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        if (!rule || strcmp(rules[i].rule, rule) == 0) {
            asked->tier = rules[i].tier;
            return CN_OK;
        }
    return cn_problem_field(problem, CN_WRONG_FORMAT, "rule", "must be aggregate or max_tier");
}

static cn_err check_group(const char *by, month_query *asked, cn_problem *problem)
{
    for (asked->group = 0; asked->group < sizeof(groups) / sizeof(groups[0]); asked->group++)
        if (strcmp(groups[asked->group].by, by) == 0) return CN_OK;
    return cn_problem_field(problem, CN_WRONG_FORMAT, "by", "must be room, user or hospital");
}

static cn_err check_right(cn_consult *consult, const cn_actor *actor, const char *object, cn_problem *problem)
{
    bool may = cn_actor_may(actor, CN_RIGHT_MINUTES_READ);
    cn_audit_note(consult, actor, "minutes.read", object, may ? "ok" : "denied", NULL);
    return may ? CN_OK : cn_problem_set(problem, CN_ERR_FORBIDDEN, "", "you may not see the minutes");
}

static cn_err query(cn_conn *conn, cn_rows **out, cn_buf *sql, const cn_val *values, size_t count)
{
    cn_err err = sql->err == CN_OK ? cn_db_query_v(conn, out, sql->p, values, count) : sql->err;
    cn_buf_free(sql);
    return err;
}

/* ---- items ---- */

typedef struct billed_item {
    const char *id, *name; /* borrowed from the rows */
    int64_t ms[CN_METER_TIERS];
    int64_t weighted_ms, share;
} billed_item;

typedef struct billed_items {
    billed_item *list;
    size_t n;
    int64_t ms[CN_METER_TIERS]; /* of all */
} billed_items;

static int64_t weigh(const int64_t ms[CN_METER_TIERS])
{
    int64_t sum = 0;
    for (int i = 0; i < CN_METER_TIERS; i++) sum += ms[i] * cn_meter_weight(i);
    return sum;
}

static cn_err query_items(cn_conn *conn, const month_query *asked, cn_rows **out)
{
    cn_buf sql = {0};
    const char *id = groups[asked->group].id, *name = groups[asked->group].name;
    cn_buf_fmt(&sql,
               "SELECT %s, %s, %s, SUM(m.duration_ms) FROM minute_ledger m %s WHERE m.start_ms >= $1 AND m.start_ms < "
               "$2 GROUP BY %s, %s, %s ORDER BY %s",
               id, name, asked->tier, groups[asked->group].join, id, name, asked->tier, id);
    return query(conn, out, &sql, (const cn_val[]){cn_int(asked->from), cn_int(asked->to)}, 2);
}

/* Rows come ordered by id: one item per run. */
static cn_err collect(cn_rows *rows, billed_items *out)
{
    out->list = cn_calloc(cn_rows_count(rows) + 1, sizeof(*out->list));
    if (!out->list) return CN_ERR_NOMEM;
    while (cn_rows_next(rows)) {
        const char *id = cn_rows_text(rows, 0);
        int64_t tier = cn_rows_int(rows, 2), ms = cn_rows_int(rows, 3);
        if (tier < 0 || tier >= CN_METER_TIERS || ms < 0) return CN_ERR_CORRUPT;
        if (out->n == 0 || strcmp(out->list[out->n - 1].id, id) != 0)
            out->list[out->n++] = (billed_item){.id = id, .name = cn_rows_text(rows, 1)};
        out->list[out->n - 1].ms[tier] += ms;
        out->ms[tier] += ms;
    }
    return CN_OK;
}

static cn_err share(billed_items *all)
{
    CN_AUTO_FREE int64_t *weights = cn_calloc(all->n + 1, sizeof(*weights));
    CN_AUTO_FREE int64_t *shares = cn_calloc(all->n + 1, sizeof(*shares));
    if (!weights || !shares) return CN_ERR_NOMEM;
    for (size_t i = 0; i < all->n; i++) weights[i] = all->list[i].weighted_ms = weigh(all->list[i].ms);
    cn_meter_shares(weights, all->n, cn_meter_weighted(all->ms), shares);
    for (size_t i = 0; i < all->n; i++) all->list[i].share = shares[i];
    return CN_OK;
}

static int by_weight(const void *left, const void *right)
{
    const billed_item *first = left, *second = right;
    if (first->weighted_ms != second->weighted_ms) return first->weighted_ms < second->weighted_ms ? 1 : -1;
    return strcmp(first->id, second->id);
}

static json_t *ms_json(const int64_t ms[CN_METER_TIERS])
{
    json_t *list = json_array();
    for (int i = 0; i < CN_METER_TIERS; i++) json_array_append_new(list, json_integer(ms[i]));
    return list;
}

static json_t *items_json(const billed_items *all)
{
    json_t *list = json_array();
    for (size_t i = 0; i < all->n; i++) {
        const billed_item *it = &all->list[i];
        json_array_append_new(list, json_pack("{s:s, s:s, s:I, s:I, s:o}", "id", it->id, "name", it->name, "weighted",
                                              (json_int_t)it->share, "weighted_ms", (json_int_t)it->weighted_ms, "ms",
                                              ms_json(it->ms)));
    }
    return list;
}

static json_t *tiers_json(const billed_items *all)
{
    json_t *list = json_array();
    for (int i = 0; i < CN_METER_TIERS; i++) {
        int64_t minutes = (all->ms[i] + 59999) / 60000;
        json_t *tier = json_pack("{s:s, s:I, s:I, s:i, s:I}", "tier", cn_meter_tier_name(i), "ms",
                                 (json_int_t)all->ms[i], "minutes", (json_int_t)minutes, "weight", cn_meter_weight(i),
                                 "weighted", (json_int_t)(minutes * cn_meter_weight(i)));
        int64_t area = cn_meter_tier_area(i);
        json_object_set_new(tier, "area_to", area < INT64_MAX ? json_integer(area) : json_null());
        json_array_append_new(list, tier);
    }
    return list;
}

/* ---- days ---- */

typedef struct days {
    int64_t from;
    size_t n;
    int64_t weighted[DAYS]; /* ms */
    int64_t share[DAYS];    /* minutes, of the month's total */
} days;

static void add_to_day(days *calendar, int64_t day, int64_t weighted_ms)
{
    if (day >= 0 && day < (int64_t)calendar->n) calendar->weighted[day] += weighted_ms;
}

static cn_err sum_days(cn_conn *conn, const month_query *asked, days *calendar)
{
    cn_buf sql = {0};
    CN_AUTO_ROWS cn_rows *rows = NULL;
    cn_buf_fmt(&sql,
               "SELECT (m.start_ms - $1) / 86400000, %s, SUM(m.duration_ms) FROM minute_ledger m WHERE m.start_ms >= "
               "$1 AND m.start_ms < $2 GROUP BY 1, 2",
               asked->tier);
    CN_TRY(query(conn, &rows, &sql, (const cn_val[]){cn_int(asked->from), cn_int(asked->to)}, 2));
    while (cn_rows_next(rows))
        add_to_day(calendar, cn_rows_int(rows, 0), cn_rows_int(rows, 2) * cn_meter_weight((int)cn_rows_int(rows, 1)));
    return CN_OK;
}

/* What lies after midnight was counted on the day it began: it moves. */
static cn_err move_over_midnight(cn_conn *conn, const month_query *asked, days *calendar)
{
    cn_buf sql = {0};
    CN_AUTO_ROWS cn_rows *rows = NULL;
    cn_buf_fmt(&sql,
               "SELECT m.start_ms, m.duration_ms, %s FROM minute_ledger m WHERE m.start_ms >= $1 AND m.start_ms < $2 "
               "AND (m.start_ms - $1) %% 86400000 + m.duration_ms > 86400000",
               asked->tier);
    CN_TRY(query(conn, &rows, &sql, (const cn_val[]){cn_int(asked->from), cn_int(asked->to)}, 2));
    while (cn_rows_next(rows)) {
        int64_t start = cn_rows_int(rows, 0) - calendar->from, left = cn_rows_int(rows, 1);
        int64_t weight = cn_meter_weight((int)cn_rows_int(rows, 2)), day = start / DAY_MS;
        left -= DAY_MS - start % DAY_MS;
        for (; left > 0 && day + 1 < (int64_t)calendar->n; day++, left -= DAY_MS) {
            add_to_day(calendar, day, -left * weight);
            add_to_day(calendar, day + 1, left * weight);
        }
    }
    return CN_OK;
}

static json_t *days_json(const days *calendar, int zone_minutes)
{
    json_t *list = json_array();
    for (size_t i = 0; i < calendar->n; i++) {
        char text[CN_TIME_TEXT];
        cn_time_format(calendar->from + (int64_t)i * DAY_MS + (int64_t)zone_minutes * 60000, text);
        text[10] = 0;
        json_array_append_new(list,
                              json_pack("{s:s, s:I, s:I}", "day", text, "weighted_ms",
                                        (json_int_t)calendar->weighted[i], "weighted", (json_int_t)calendar->share[i]));
    }
    return list;
}

/* ---- the month ---- */

static cn_err load(cn_conn *conn, const month_query *asked, cn_rows **rows, billed_items *all, days *calendar)
{
    CN_TRY(query_items(conn, asked, rows));
    CN_TRY(collect(*rows, all));
    CN_TRY(share(all));
    qsort(all->list, all->n, sizeof(*all->list), by_weight);
    calendar->from = asked->from;
    calendar->n = (size_t)((asked->to - asked->from) / DAY_MS);
    CN_TRY(sum_days(conn, asked, calendar));
    CN_TRY(move_over_midnight(conn, asked, calendar));
    cn_meter_shares(calendar->weighted, calendar->n, cn_meter_weighted(all->ms), calendar->share);
    return CN_OK;
}

cn_err cn_minutes_month(cn_consult *consult, const cn_actor *actor, const char *month, const char *by, int64_t quota,
                        const char *rule, json_t **out, cn_problem *problem)
{
    month_query asked;
    billed_items all = {0};
    days calendar = {0};
    char object[48];
    CN_TRY(check_month_and_rule(month, rule, consult->zone_minutes, &asked, problem));
    CN_TRY(check_group(by, &asked, problem));
    cn_fmt(object, sizeof(object), "month:%s", month);
    CN_TRY(check_right(consult, actor, object, problem));
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_conn_acquire(consult->db, &conn));
    cn_err err = load(conn, &asked, &rows, &all, &calendar);
    if (err == CN_OK) {
        *out =
            json_pack("{s:s, s:s, s:I, s:I, s:o, s:o, s:o}", "month", month, "rule", rule ? rule : rules[0].rule,
                      "quota", (json_int_t)quota, "total", (json_int_t)cn_meter_weighted(all.ms), "tiers",
                      tiers_json(&all), "items", items_json(&all), "days", days_json(&calendar, consult->zone_minutes));
        if (!*out) err = CN_ERR_NOMEM;
    }
    free(all.list);
    return err;
}

/* ---- segments ---- */

static json_t *segment_json(const cn_rows *rows)
{
    int64_t ms = cn_rows_int(rows, 8);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:b}", "room",
                     cn_rows_text(rows, 0), "title", cn_rows_text(rows, 1), "request", cn_rows_text(rows, 2),
                     "participant", cn_rows_text(rows, 3), "user", cn_rows_text(rows, 4), "name", cn_rows_text(rows, 5),
                     "kind", cn_rows_text(rows, 6), "start", (json_int_t)cn_rows_int(rows, 7), "ms", (json_int_t)ms,
                     "area_sum", (json_int_t)cn_rows_int(rows, 9), "area_max", (json_int_t)cn_rows_int(rows, 10),
                     "tier_aggregate", (json_int_t)cn_rows_int(rows, 11), "tier_max", (json_int_t)cn_rows_int(rows, 12),
                     "weighted_ms", (json_int_t)(ms * cn_meter_weight((int)cn_rows_int(rows, 13))), "end_cause",
                     cn_rows_text(rows, 14), "doubted", (int)(cn_rows_int(rows, 15) != 0));
}

static size_t where(cn_buf *sql, const month_query *asked, const cn_segment_filter *filter, cn_val values[4])
{
    size_t n = 0;
    values[n++] = cn_int(asked->from);
    values[n++] = cn_int(asked->to);
    cn_buf_str(sql, " WHERE m.start_ms >= $1 AND m.start_ms < $2");
    if (filter->room) {
        values[n++] = cn_text(filter->room);
        cn_buf_fmt(sql, " AND m.room_id = $%zu", n);
    }
    if (filter->user) {
        values[n++] = cn_text(filter->user);
        cn_buf_fmt(sql, " AND m.user_id = $%zu", n);
    }
    return n;
}

static cn_err count_segments(cn_conn *conn, const month_query *asked, const cn_segment_filter *filter, int64_t *total)
{
    cn_buf sql = {0};
    cn_val values[4];
    CN_AUTO_ROWS cn_rows *rows = NULL;
    cn_buf_str(&sql, "SELECT COUNT(*) FROM minute_ledger m");
    size_t n = where(&sql, asked, filter, values);
    CN_TRY(query(conn, &rows, &sql, values, n));
    *total = cn_rows_next(rows) ? cn_rows_int(rows, 0) : 0;
    return CN_OK;
}

static cn_err fetch_segments(cn_conn *conn, const month_query *asked, const cn_segment_filter *filter, json_t **list)
{
    cn_buf sql = {0};
    cn_val values[4];
    CN_AUTO_ROWS cn_rows *rows = NULL;
    cn_buf_fmt(
        &sql,
        "SELECT m.room_id, COALESCE(o.title, ''), m.request_id, m.participant_id, m.user_id, "
        "COALESCE(u.display_name, ''), m.kind, m.start_ms, m.duration_ms, m.area_sum, m.area_max, "
        "m.tier_aggregate, m.tier_max, %s, m.end_cause, CASE WHEN EXISTS (SELECT 1 FROM audit_log a WHERE "
        "a.object = 'room:' || m.room_id AND a.action = 'room.size' AND a.at_ms >= m.start_ms - %d AND "
        "a.at_ms <= m.start_ms + m.duration_ms) THEN 1 ELSE 0 END FROM minute_ledger m LEFT JOIN rooms o ON o.id = "
        "m.room_id LEFT JOIN users u ON u.id = m.user_id",
        asked->tier, DOUBT_MS);
    size_t n = where(&sql, asked, filter, values);
    cn_buf_fmt(&sql, " ORDER BY m.start_ms, m.node, m.boot, m.counter LIMIT %u OFFSET %u", filter->size,
               (filter->page - 1) * filter->size);
    CN_TRY(query(conn, &rows, &sql, values, n));
    *list = json_array();
    while (cn_rows_next(rows)) json_array_append_new(*list, segment_json(rows));
    return *list ? CN_OK : CN_ERR_NOMEM;
}

cn_err cn_minutes_segments(cn_consult *consult, const cn_actor *actor, const cn_segment_filter *filter, json_t **out,
                           cn_problem *problem)
{
    month_query asked;
    int64_t total = 0;
    json_t *list = NULL;
    char object[48];
    CN_TRY(check_month_and_rule(filter->month, filter->rule, consult->zone_minutes, &asked, problem));
    if (filter->page < 1 || filter->page > 1000000 || filter->size < 1 || filter->size > 200)
        return cn_problem_field(problem, CN_WRONG_FORMAT, "page", "page is from 1, size 1 to 200");
    cn_fmt(object, sizeof(object), "month:%s", filter->month);
    CN_TRY(check_right(consult, actor, object, problem));
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_TRY(cn_conn_acquire(consult->db, &conn));
    CN_TRY(count_segments(conn, &asked, filter, &total));
    CN_TRY(fetch_segments(conn, &asked, filter, &list));
    *out = json_pack("{s:o, s:I}", "items", list, "total", (json_int_t)total);
    return *out ? CN_OK : CN_ERR_NOMEM;
}
