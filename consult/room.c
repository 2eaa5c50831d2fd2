#include "consult/room.h"

#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "consult/request.h"

static bool name_valid(const char *s)
{
    size_t n = strlen(s);
    return n >= 1 && n < 64 && s[strspn(s, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_")] == 0;
}

cn_err cn_room_get(cn_consult *c, const cn_actor *a, const char *room, cn_room_info *out)
{
    if (!name_valid(room)) return CN_ERR_NOTFOUND;
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_AUTO_ROWS cn_rows *r = NULL;
    CN_TRY(cn_conn_acquire(c->db, &conn));
    CN_TRY(cn_db_query(conn, &r, "SELECT request_id, title, closed_ms FROM rooms WHERE id = $1", cn_text(room)));
    if (!cn_rows_next(r)) return CN_ERR_NOTFOUND;
    cn_room_info info = {.open = cn_rows_int(r, 2) == 0};
    cn_strcpy(info.id, sizeof(info.id), room);
    cn_strcpy(info.request, sizeof(info.request), cn_rows_text(r, 0));
    cn_strcpy(info.title, sizeof(info.title), cn_rows_text(r, 1));
    if (info.request[0]) {
        cn_request_scope s;
        CN_TRY(cn_request_scope_get(conn, a, info.request, &s));
        info.urgent = s.urgent;
        info.parts = s.parts;
    } else if (cn_actor_may(a, CN_RIGHT_ROOM_MODERATE)) {
        info.parts = CN_PART_REVIEWER;
    } else {
        return CN_ERR_NOTFOUND;
    }
    *out = info;
    return CN_OK;
}

cn_err cn_room_make(cn_consult *c, const cn_actor *a, const char *room)
{
    cn_act act;
    char object[80];
    if (!name_valid(room)) return CN_ERR_INVALID;
    cn_fmt(object, sizeof(object), "room:%s", room);
    CN_TRY(cn_act_begin(&act, c, a));
    cn_err err = cn_db_exec(act.conn, NULL,
                            "INSERT INTO rooms (id, request_id, title, opened_ms, closed_ms) VALUES ($1, '', $1, $2, "
                            "0) ON CONFLICT DO NOTHING",
                            cn_text(room), cn_int(cn_wall_ms()));
    return cn_act_end(&act, err, "room.make", object, NULL);
}

cn_err cn_room_close(cn_consult *c, const cn_actor *a, const char *room)
{
    cn_act act;
    char object[80];
    if (!name_valid(room)) return CN_ERR_NOTFOUND;
    cn_fmt(object, sizeof(object), "room:%s", room);
    CN_TRY(cn_act_begin(&act, c, a));
    cn_err err = cn_db_exec(act.conn, NULL, "UPDATE rooms SET closed_ms = $1 WHERE id = $2 AND closed_ms = 0",
                            cn_int(cn_wall_ms()), cn_text(room));
    return cn_act_end(&act, err, "room.close", object, NULL);
}
