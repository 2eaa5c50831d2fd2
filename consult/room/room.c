#include "consult/room/room.h"

#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "consult/minutes/held.h"
#include "consult/minutes/meter.h"
#include "consult/scope.h"

static bool name_valid(const char *text)
{
    size_t n = strlen(text);
    return n >= 1 && n < 64 &&
           text[strspn(text, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_")] == 0;
}

static const char *const unmutes[] = {"all", "host", NULL};
static const char *const codecs[] = {"", "vp8", "h264", "vp9", "av1", NULL};

static bool listed(const char *const *list, const char *word)
{
    while (*list && strcmp(*list, word) != 0) list++;
    return *list != NULL;
}

static bool picture_tier(const char *word)
{
    int tier = 1; /* 0 is voice: no ceiling of pictures */
    while (tier < CN_METER_TIERS && strcmp(cn_meter_tier_name(tier), word) != 0) tier++;
    return tier < CN_METER_TIERS;
}

cn_room_settings cn_room_settings_default(void)
{
    return (cn_room_settings){.unmute = "all", .tier_max = "4k"};
}

bool cn_room_settings_valid(const cn_room_settings *settings, const char **field)
{
    *field = !listed(unmutes, settings->unmute)  ? "unmute"
             : !picture_tier(settings->tier_max) ? "tier_max"
             : !listed(codecs, settings->codec)  ? "codec"
                                                 : NULL;
    return !*field;
}

static void read_settings(cn_rows *rows, size_t at, cn_room_settings *out)
{
    out->locked = cn_rows_int(rows, at) != 0;
    out->lobby = cn_rows_int(rows, at + 1) != 0;
    cn_strcpy(out->unmute, sizeof(out->unmute), cn_rows_text(rows, at + 2));
    cn_strcpy(out->tier_max, sizeof(out->tier_max), cn_rows_text(rows, at + 3));
    cn_strcpy(out->codec, sizeof(out->codec), cn_rows_text(rows, at + 4));
}

cn_err cn_room_look(cn_conn *conn, const cn_actor *actor, const char *room, cn_room_info *out)
{
    if (!name_valid(room)) return CN_ERR_NOTFOUND;
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(
        conn, &rows,
        "SELECT request_id, title, closed_ms, locked, lobby, unmute, tier_max, codec FROM rooms WHERE id = $1",
        cn_text(room)));
    if (!cn_rows_next(rows)) return CN_ERR_NOTFOUND;
    cn_room_info info = {.open = cn_rows_int(rows, 2) == 0};
    cn_strcpy(info.id, sizeof(info.id), room);
    cn_strcpy(info.request, sizeof(info.request), cn_rows_text(rows, 0));
    cn_strcpy(info.title, sizeof(info.title), cn_rows_text(rows, 1));
    read_settings(rows, 3, &info.settings);
    if (info.request[0]) {
        cn_request_scope scope;
        CN_TRY(cn_request_scope_get(conn, actor, info.request, &scope));
        info.urgent = scope.urgent;
        info.scheduled = scope.state == CN_STATE_SCHEDULED;
        info.parts = scope.parts;
    } else if (cn_actor_may(actor, CN_RIGHT_ROOM_MODERATE)) {
        info.parts = CN_PART_REVIEWER;
    } else {
        return CN_ERR_NOTFOUND;
    }
    *out = info;
    return CN_OK;
}

cn_err cn_room_get(cn_consult *consult, const cn_actor *actor, const char *room, cn_room_info *out)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_TRY(cn_conn_acquire(consult->db, &conn));
    return cn_room_look(conn, actor, room, out);
}

cn_err cn_room_began(cn_consult *consult, const char *request, int64_t now_ms, int64_t *began_ms)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    cn_held held;
    CN_TRY(cn_conn_acquire(consult->db, &conn));
    CN_TRY(cn_held_load(conn, request, now_ms, &held));
    *began_ms = held.start_ms;
    return CN_OK;
}

cn_err cn_room_watch(cn_consult *consult, const cn_actor *actor, const char *object, bool note, cn_problem *problem)
{
    bool may = cn_actor_may(actor, CN_RIGHT_ROOM_MODERATE) || cn_actor_may(actor, CN_RIGHT_CONFIG_MANAGE);
    if (note || !may) cn_audit_note(consult, actor, "quality.read", object, may ? "ok" : "denied", NULL);
    return may ? CN_OK : cn_problem_set(problem, CN_ERR_FORBIDDEN, "", "you may not see the quality of rooms");
}

cn_err cn_room_find(cn_consult *consult, const char *said, char room[64], cn_problem *problem)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_conn_acquire(consult->db, &conn));
    CN_TRY(
        cn_db_query(conn, &rows,
                    "SELECT m.id, 0 AS place FROM rooms m WHERE m.id = $1 UNION ALL SELECT COALESCE(m.id, ''), 1 FROM "
                    "requests q LEFT JOIN rooms m ON m.request_id = q.id WHERE q.number = $1 ORDER BY place DESC",
                    cn_text(said)));
    if (!cn_rows_next(rows)) return cn_problem_set(problem, CN_ERR_NOTFOUND, "", "there is no room '%.63s'", said);
    if (!cn_rows_text(rows, 0)[0])
        return cn_problem_set(problem, CN_ERR_STATE, "",
                              "the consultation %.63s has no room yet: it is made when the first one enters", said);
    return cn_strcpy(room, 64, cn_rows_text(rows, 0)) ? CN_OK : CN_ERR_CORRUPT;
}

cn_err cn_room_make(cn_consult *consult, const cn_actor *actor, const char *room)
{
    cn_act act;
    char object[80];
    if (!name_valid(room)) return CN_ERR_INVALID;
    cn_fmt(object, sizeof(object), "room:%s", room);
    CN_TRY(cn_act_begin(&act, consult, actor));
    cn_err err = cn_db_exec(act.conn, NULL,
                            "INSERT INTO rooms (id, request_id, title, opened_ms, closed_ms) VALUES ($1, '', $1, $2, "
                            "0) ON CONFLICT DO NOTHING",
                            cn_text(room), cn_int(cn_wall_ms()));
    return cn_act_end(&act, err, "room.make", object, NULL);
}

static cn_err write_settings(cn_act *act, const char *room, const cn_room_settings *settings)
{
    return cn_db_exec(act->conn, NULL,
                      "UPDATE rooms SET locked = $1, lobby = $2, unmute = $3, tier_max = $4, codec = $5 WHERE id = $6",
                      cn_int(settings->locked), cn_int(settings->lobby), cn_text(settings->unmute),
                      cn_text(settings->tier_max), cn_text(settings->codec), cn_text(room));
}

cn_err cn_room_settings_set(cn_consult *consult, const cn_actor *actor, const char *room,
                            const cn_room_settings *settings)
{
    cn_act act;
    cn_room_info info;
    char object[80], detail[160];
    const char *field;
    if (!cn_room_settings_valid(settings, &field)) return CN_ERR_INVALID;
    cn_fmt(object, sizeof(object), "room:%.63s", room);
    cn_fmt(detail, sizeof(detail),
           "{\"locked\":%s,\"lobby\":%s,\"unmute\":\"%s\",\"tier_max\":\"%s\",\"codec\":\"%s\"}",
           settings->locked ? "true" : "false", settings->lobby ? "true" : "false", settings->unmute,
           settings->tier_max, settings->codec);
    cn_err err = cn_room_get(consult, actor, room, &info);
    if (err == CN_OK && !(info.parts & (CN_PART_LEAD | CN_PART_REFERRER | CN_PART_REVIEWER))) err = CN_ERR_FORBIDDEN;
    if (err == CN_OK && !info.open) err = CN_ERR_STATE;
    if (err != CN_OK) {
        cn_audit_note(consult, actor, "room.settings", object, err == CN_ERR_STATE ? "failed" : "denied", detail);
        return err;
    }
    CN_TRY(cn_act_begin(&act, consult, actor));
    return cn_act_end(&act, write_settings(&act, room, settings), "room.settings", object, detail);
}
