#include "consult/room/token.h"

#include <string.h>

#include "base/clock.h"
#include "base/str.h"

static void token_hash(const char *token, char out[65])
{
    uint8_t sum[CN_SHA256_LEN];
    cn_sha256(token, strlen(token), sum);
    cn_hex(sum, sizeof sum, out);
}

cn_err cn_room_token_new(cn_consult *consult, const cn_actor *actor, const char *room, bool publish, int64_t lives_ms,
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
                         "INSERT INTO room_tokens (token_hash, room_id, may_publish, created_ms, expires_ms) VALUES "
                         "($1, $2, $3, $4, $5)",
                         cn_text(hash), cn_text(room), cn_int(publish), cn_int(now), cn_int(now + lives_ms));
    return cn_act_end(&act, err, "room.token", object, publish ? "{\"publish\":true}" : "{\"publish\":false}");
}

cn_err cn_room_token_check(cn_consult *consult, const char *token, const char *room, bool publish)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_AUTO_ROWS cn_rows *rows = NULL;
    char hash[65];
    token_hash(token, hash);
    CN_TRY(cn_conn_acquire(consult->db, &conn));
    CN_TRY(cn_db_query(conn, &rows,
                       "SELECT may_publish FROM room_tokens WHERE token_hash = $1 AND room_id = $2 AND expires_ms > $3",
                       cn_text(hash), cn_text(room), cn_int(cn_wall_ms())));
    if (!cn_rows_next(rows)) return CN_ERR_UNAUTH;
    return (cn_rows_int(rows, 0) == 1) == publish ? CN_OK : CN_ERR_FORBIDDEN;
}
