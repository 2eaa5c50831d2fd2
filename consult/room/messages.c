#include "consult/room/messages.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "consult/file/file.h"
#include "consult/room/room.h"
#include "consult/scope.h"

/* ---- rows to JSON ---- */

#define COLUMNS                                                                                         \
    "SELECT m.seq, m.client_id, m.at_ms, m.text_sealed, m.file_id, u.id, u.display_name, u.title FROM " \
    "room_messages m JOIN users u ON u.id = m.author_id WHERE m.room_id = $1 AND "

static bool place_of(const char *room, int64_t seq, char out[128])
{
    return cn_fmt(out, 128, "room_messages.text:%s:%" PRId64, room, seq);
}

/* A new reference: the file as in the request's list, null for none or one that was deleted since. */
static json_t *file_in(const json_t *files, const char *id)
{
    size_t i;
    json_t *file;
    json_array_foreach(files, i, file)
    {
        if (strcmp(json_string_value(json_object_get(file, "id")), id) == 0) return json_incref(file);
    }
    return json_null();
}

static cn_err message_json(cn_consult *consult, const char *room, const cn_rows *rows, const json_t *files,
                           json_t **out)
{
    char place[128], *text = NULL;
    size_t n = 0;
    const void *sealed = cn_rows_blob(rows, 3, &n);
    const char *file = cn_rows_text(rows, 4);
    if (!place_of(room, cn_rows_int(rows, 0), place)) return CN_ERR_INVALID;
    CN_TRY(cn_vault_open_text(consult->vault, place, sealed, n, &text));
    json_t *shown = file_in(files, file);
    bool gone = *file && json_is_null(shown);
    *out = json_pack("{s:I, s:s, s:I, s:s, s:o, s:b, s:{s:s, s:s, s:s}}", "seq", (json_int_t)cn_rows_int(rows, 0), "id",
                     cn_rows_text(rows, 1), "at", (json_int_t)cn_rows_int(rows, 2), "text", text ? text : "", "file",
                     shown, "file_gone", gone, "author", "id", cn_rows_text(rows, 5), "name", cn_rows_text(rows, 6),
                     "title", cn_rows_text(rows, 7));
    if (text) cn_free_secret(text, strlen(text));
    return *out ? CN_OK : CN_ERR_NOMEM;
}

/* Appends, or with `back` puts in front, at most `size` rows. *more: there are others. */
static cn_err collect(cn_consult *consult, const char *room, cn_rows *rows, const json_t *files, bool back,
                      int64_t size, json_t *list, bool *more)
{
    *more = false;
    while (cn_rows_next(rows)) {
        json_t *one = NULL;
        if ((int64_t)json_array_size(list) == size) {
            *more = true;
            return CN_OK;
        }
        CN_TRY(message_json(consult, room, rows, files, &one));
        if (json_array_insert_new(list, back ? 0 : json_array_size(list), one) < 0) return CN_ERR_NOMEM;
    }
    return CN_OK;
}

static cn_err files_of(cn_consult *consult, cn_conn *conn, const char *room, const char *request, json_t **out)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(conn, &rows, "SELECT 1 FROM room_messages WHERE room_id = $1 AND file_id <> '' LIMIT 1",
                       cn_text(room)));
    if (*request && cn_rows_next(rows)) return cn_file_list(consult, conn, request, out);
    *out = json_array();
    return *out ? CN_OK : CN_ERR_NOMEM;
}

/* Without a look at anybody's part. */
static cn_err page(cn_consult *consult, cn_conn *conn, const char *room, const char *request,
                   const cn_message_range *range, json_t **out)
{
    CN_AUTO_ROWS cn_rows *rows = NULL, *counted = NULL;
    CN_AUTO_JSON json_t *list = json_array(), *files = NULL;
    bool back = range->after < 0, more = false;
    int64_t after = back ? 0 : range->after, before = range->before > 0 ? range->before : INT64_MAX;
    if (range->size < 1 || range->size > CN_MESSAGES_PAGE) return CN_ERR_INVALID;
    CN_TRY(cn_db_query(conn, &counted, "SELECT messages FROM rooms WHERE id = $1", cn_text(room)));
    int64_t last = cn_rows_next(counted) ? cn_rows_int(counted, 0) : 0;
    CN_TRY(files_of(consult, conn, room, request, &files));
    CN_TRY(cn_db_query(conn, &rows,
                       back ? COLUMNS "m.seq > $2 AND m.seq < $3 ORDER BY m.seq DESC LIMIT $4"
                            : COLUMNS "m.seq > $2 AND m.seq < $3 ORDER BY m.seq LIMIT $4",
                       cn_text(room), cn_int(after), cn_int(before), cn_int(range->size + 1)));
    CN_TRY(collect(consult, room, rows, files, back, range->size, list, &more));
    *out = json_pack("{s:O, s:I, s:b}", "messages", list, "last", (json_int_t)last, "more", more);
    return *out ? CN_OK : CN_ERR_NOMEM;
}

/* ---- reading ---- */

static cn_err page_of_room(cn_act *act, const char *room, const cn_message_range *range, json_t **out)
{
    cn_room_info info;
    CN_TRY(cn_room_look(act->conn, act->actor, room, &info));
    return page(act->c, act->conn, room, info.request, range, out);
}

static cn_err page_of_request(cn_act *act, const char *request, const cn_message_range *range, json_t **out)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    cn_request_scope scope;
    CN_TRY(cn_request_scope_get(act->conn, act->actor, request, &scope));
    CN_TRY(cn_db_query(act->conn, &rows, "SELECT id FROM rooms WHERE request_id = $1", cn_text(request)));
    return page(act->c, act->conn, cn_rows_next(rows) ? cn_rows_text(rows, 0) : "", request, range, out);
}

static cn_err read_page(cn_consult *consult, const cn_actor *actor, const char *object, const char *id,
                        cn_err (*fn)(cn_act *, const char *, const cn_message_range *, json_t **),
                        const cn_message_range *range, json_t **out)
{
    cn_act act;
    json_t *found = NULL;
    CN_TRY(cn_act_begin(&act, consult, actor));
    cn_err err = cn_act_end(&act, fn(&act, id, range, &found), "room.messages", object, NULL);
    if (err == CN_OK)
        *out = found;
    else
        json_decref(found);
    return err;
}

cn_err cn_messages_get(cn_consult *consult, const cn_actor *actor, const char *room, const cn_message_range *range,
                       json_t **out)
{
    char object[80];
    cn_fmt(object, sizeof(object), "room:%.63s", room);
    return read_page(consult, actor, object, room, page_of_room, range, out);
}

cn_err cn_messages_of_request(cn_consult *consult, const cn_actor *actor, const char *request,
                              const cn_message_range *range, json_t **out)
{
    char object[48];
    cn_fmt(object, sizeof(object), "request:%.26s", request);
    return read_page(consult, actor, object, request, page_of_request, range, out);
}

/* ---- writing ---- */

typedef struct writing {
    cn_act act;
    const char *room;
    const cn_message_new *message;
    int64_t seq;
    bool fresh;
    cn_problem *p;
} writing;

static bool id_valid(const char *id)
{
    size_t n = strlen(id);
    return n >= 1 && n < CN_MESSAGE_ID &&
           id[strspn(id, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_")] == 0;
}

cn_err cn_message_read(const json_t *body, cn_message_new *out, cn_problem *problem)
{
    cn_message_new message = {.id = "", .text = "", .file = ""};
    CN_TRY(cn_json_line(body, "id", true, 1, CN_MESSAGE_ID - 1, &message.id, problem));
    if (!id_valid(message.id))
        return cn_problem_field(problem, CN_WRONG_FORMAT, "id", "must be letters, digits, - or _");
    CN_TRY(cn_json_line(body, "file", false, 0, CN_ID_TEXT - 1, &message.file, problem));
    CN_TRY(cn_json_str(body, "text", !*message.file, 0, CN_MESSAGE_CHARS, &message.text, problem));
    if (!*message.file && message.text[strspn(message.text, " \t\n")] == '\0')
        return cn_problem_field(problem, CN_WRONG_MISSING, "text", "must not be empty");
    *out = message;
    return CN_OK;
}

/* Whoever may enter may write. */
static cn_err may_write(writing *work, cn_room_info *info)
{
    CN_TRY(cn_room_look(work->act.conn, work->act.actor, work->room, info));
    return info->parts & ~(uint32_t)CN_PART_READER ? CN_OK : CN_ERR_FORBIDDEN;
}

/* Who may read the request may read its files. */
static cn_err file_of(writing *work, const char *request)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    const char *file = work->message->file;
    if (!*file) return CN_OK;
    CN_TRY(cn_db_query(work->act.conn, &rows,
                       "SELECT 1 FROM files WHERE id = $1 AND request_id = $2 AND deleted_ms = 0", cn_text(file),
                       cn_text(request)));
    if (*request && cn_id_valid(file) && cn_rows_next(rows)) return CN_OK;
    return cn_problem_set(work->p, CN_ERR_NOTFOUND, "file", "this file does not belong to the room's request");
}

/* Whoever writes in this room meanwhile comes behind. */
static cn_err lock(writing *work)
{
    return cn_db_exec(work->act.conn, NULL, "UPDATE rooms SET messages = messages WHERE id = $1", cn_text(work->room));
}

/* The next number. */
static cn_err count(writing *work)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(work->act.conn, &rows,
                       "UPDATE rooms SET messages = messages + 1 WHERE id = $1 AND messages < $2 RETURNING messages",
                       cn_text(work->room), cn_int(CN_MESSAGES_MAX)));
    if (!cn_rows_next(rows))
        return cn_problem_set(work->p, CN_ERR_STATE, "room", "no more can be written in this room");
    work->seq = cn_rows_int(rows, 0);
    return CN_OK;
}

/* Whether this person sent a message with this id before; then its number. */
static cn_err sent_before(writing *work)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(work->act.conn, &rows,
                       "SELECT seq FROM room_messages WHERE room_id = $1 AND author_id = $2 AND client_id = $3",
                       cn_text(work->room), cn_text(work->act.actor->user), cn_text(work->message->id)));
    work->fresh = !cn_rows_next(rows);
    if (!work->fresh) work->seq = cn_rows_int(rows, 0);
    return CN_OK;
}

static cn_err insert(writing *work)
{
    CN_AUTO_FREE void *sealed = NULL;
    char place[128];
    size_t n = 0;
    if (!place_of(work->room, work->seq, place)) return CN_ERR_INVALID;
    CN_TRY(cn_vault_seal(work->act.c->vault, place, work->message->text, &sealed, &n));
    return cn_db_exec(work->act.conn, NULL,
                      "INSERT INTO room_messages (room_id, seq, author_id, client_id, at_ms, text_sealed, file_id) "
                      "VALUES ($1, $2, $3, $4, $5, $6, $7)",
                      cn_text(work->room), cn_int(work->seq), cn_text(work->act.actor->user),
                      cn_text(work->message->id), cn_int(cn_wall_ms()), cn_blob(sealed, n),
                      cn_text(work->message->file));
}

static cn_err add(writing *work, const cn_room_info *info)
{
    if (!info->open && !work->message->farewell)
        return cn_problem_set(work->p, CN_ERR_STATE, "room", "this room is closed");
    CN_TRY(file_of(work, info->request));
    CN_TRY(count(work));
    return insert(work);
}

/* What was kept before is answered whatever has become of room and file: its writer may not have heard the answer. */
static cn_err write_message(writing *work, json_t **out)
{
    cn_room_info info;
    CN_AUTO_JSON json_t *found = NULL;
    CN_TRY(may_write(work, &info));
    CN_TRY(lock(work));
    CN_TRY(sent_before(work));
    if (work->fresh) CN_TRY(add(work, &info));
    const cn_message_range own = {.after = work->seq - 1, .before = work->seq + 1, .size = 1};
    CN_TRY(page(work->act.c, work->act.conn, work->room, info.request, &own, &found));
    *out = json_incref(json_array_get(json_object_get(found, "messages"), 0));
    return *out ? CN_OK : CN_ERR_CORRUPT;
}

cn_err cn_message_add(cn_consult *consult, const cn_actor *actor, const char *room, const cn_message_new *message,
                      json_t **out, bool *fresh, cn_problem *problem)
{
    writing work = {.room = room, .message = message, .p = problem};
    char object[80], detail[64];
    json_t *written = NULL;
    cn_fmt(object, sizeof(object), "room:%.63s", room);
    CN_TRY(cn_act_begin(&work.act, consult, actor));
    cn_err err = write_message(&work, &written);
    cn_fmt(detail, sizeof(detail), "{\"seq\":%" PRId64 ",\"file\":\"%.26s\"}", work.seq,
           err == CN_OK ? message->file : "");
    err = cn_act_end(&work.act, err, "room.say", object, detail);
    if (err == CN_OK) {
        *out = written;
        *fresh = work.fresh;
    } else {
        json_decref(written);
    }
    return err;
}
