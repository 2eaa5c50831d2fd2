#include "consult/room/token.h"

#include <string.h>

#include "base/clock.h"
#include "base/str.h"

#define ID_DIGITS 16

static void token_hash(const char *token, char out[65])
{
    uint8_t sum[CN_SHA256_LEN];
    cn_sha256(token, strlen(token), sum);
    cn_hex(sum, sizeof sum, out);
}

cn_err cn_room_token_new(cn_consult *consult, const cn_actor *actor, const char *room, const cn_room_token_what *what,
                         char token[CN_ROOM_TOKEN])
{
    cn_act act;
    char hash[65], object[80];
    int64_t now = cn_wall_ms();
    if (!cn_actor_may(actor, CN_RIGHT_ROOM_MODERATE)) return CN_ERR_FORBIDDEN;
    cn_token_new(token, 256);
    token_hash(token, hash);
    cn_fmt(object, sizeof object, "room:%s", room);
    CN_TRY(cn_act_begin(&act, consult, actor));
    cn_err err = cn_db_exec(act.conn, NULL, "DELETE FROM room_tokens WHERE expires_ms < $1", cn_int(now));
    if (err == CN_OK)
        err = cn_db_exec(act.conn, NULL,
                         "INSERT INTO room_tokens (token_hash, room_id, may_publish, created_ms, expires_ms, "
                         "max_sessions) VALUES ($1, $2, $3, $4, $5, $6)",
                         cn_text(hash), cn_text(room), cn_int(what->publish), cn_int(now), cn_int(now + what->lives_ms),
                         cn_int(what->sessions));
    return cn_act_end(&act, err, "room.token", object, what->publish ? "{\"publish\":true}" : "{\"publish\":false}");
}

cn_err cn_room_token_check(cn_consult *consult, const char *token, const char *room, bool publish, int64_t *sessions)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_AUTO_ROWS cn_rows *rows = NULL;
    char hash[65];
    token_hash(token, hash);
    CN_TRY(cn_conn_acquire(consult->db, &conn));
    CN_TRY(cn_db_query(conn, &rows,
                       "SELECT may_publish, max_sessions FROM room_tokens WHERE token_hash = $1 AND room_id = $2 AND "
                       "expires_ms > $3",
                       cn_text(hash), cn_text(room), cn_int(cn_wall_ms())));
    if (!cn_rows_next(rows)) return CN_ERR_UNAUTH;
    *sessions = cn_rows_int(rows, 1);
    return (cn_rows_int(rows, 0) == 1) == publish ? CN_OK : CN_ERR_FORBIDDEN;
}

cn_err cn_room_token_alive(cn_consult *consult, const char *hash, const char *room)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_conn_acquire(consult->db, &conn));
    CN_TRY(cn_db_query(conn, &rows,
                       "SELECT 1 FROM room_tokens WHERE token_hash = $1 AND room_id = $2 AND expires_ms > $3",
                       cn_text(hash), cn_text(room), cn_int(cn_wall_ms())));
    return cn_rows_next(rows) ? CN_OK : CN_ERR_UNAUTH;
}

/* The beginning of the hash names a token: nobody gets in with it. */
static void id_of(const char *hash, char out[ID_DIGITS + 1])
{
    memcpy(out, hash, ID_DIGITS);
    out[ID_DIGITS] = '\0';
}

cn_err cn_room_token_list(cn_consult *consult, const cn_actor *actor, const char *room, json_t **out)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_AUTO_ROWS cn_rows *rows = NULL;
    if (!cn_actor_may(actor, CN_RIGHT_ROOM_MODERATE)) return CN_ERR_FORBIDDEN;
    CN_TRY(cn_conn_acquire(consult->db, &conn));
    CN_TRY(cn_db_query(conn, &rows,
                       "SELECT token_hash, may_publish, max_sessions, created_ms, expires_ms FROM room_tokens WHERE "
                       "room_id = $1 AND expires_ms > $2 ORDER BY created_ms, token_hash LIMIT 1000",
                       cn_text(room), cn_int(cn_wall_ms())));
    json_t *items = json_array();
    while (cn_rows_next(rows)) {
        char id[ID_DIGITS + 1];
        id_of(cn_rows_text(rows, 0), id);
        json_array_append_new(items,
                              json_pack("{s:s, s:b, s:I, s:I, s:I}", "id", id, "publish", cn_rows_int(rows, 1) == 1,
                                        "sessions", (json_int_t)cn_rows_int(rows, 2), "created",
                                        (json_int_t)cn_rows_int(rows, 3), "expires", (json_int_t)cn_rows_int(rows, 4)));
    }
    *out = json_pack("{s:o}", "items", items);
    return *out ? CN_OK : CN_ERR_NOMEM;
}

cn_err cn_room_token_revoke(cn_consult *consult, const cn_actor *actor, const char *room, const char *id)
{
    cn_act act;
    char object[80];
    int64_t gone = 0;
    if (!cn_actor_may(actor, CN_RIGHT_ROOM_MODERATE)) return CN_ERR_FORBIDDEN;
    if (!cn_fmt(object, sizeof object, "room:%s", room)) return CN_ERR_NOTFOUND;
    CN_TRY(cn_act_begin(&act, consult, actor));
    cn_err err = cn_db_exec(
        act.conn, &gone, "DELETE FROM room_tokens WHERE room_id = $1 AND ($2 = '' OR SUBSTR(token_hash, 1, $3) = $2)",
        cn_text(room), cn_text(id ? id : ""), cn_int(ID_DIGITS));
    if (err == CN_OK && gone == 0) err = CN_ERR_NOTFOUND;
    return cn_act_end(&act, err, "room.token.revoke", object, NULL);
}
