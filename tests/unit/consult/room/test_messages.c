/* What people write in a room: whose it is to read and write, counted without gaps, there once however often it is sent,
 * and sealed. */
#include "support_story.h"

#include <pthread.h>

#include "consult/room/messages.h"
#include "consult/room/room.h"

typedef struct talk {
    platform rig;
    char request[CN_ID_TEXT], room[CN_ID_TEXT];
} talk;

static void talk_open(talk *own, void **state)
{
    cn_problem problem = {.err = CN_OK};
    platform_open(&own->rig, state);
    request_new(&own->rig, false, "张三", own->request);
    request_until(&own->rig, own->request, CN_STATE_IN_SESSION);
    assert_ok(cn_request_room(own->rig.c, &own->rig.lead, own->request, own->room, &problem));
}

static cn_err say(talk *own, const cn_actor *actor, const char *id, const char *text, const char *file, int64_t *seq)
{
    CN_AUTO_JSON json_t *out = NULL;
    bool fresh = false;
    cn_problem problem = {.err = CN_OK};
    const cn_message_new message = {.id = id, .text = text, .file = file};
    cn_err err = cn_message_add(own->rig.c, actor, own->room, &message, &out, &fresh, &problem);
    if (seq) *seq = json_integer_value(json_object_get(out, "seq"));
    if (err == CN_OK) assert_string_equal(json_string_value(json_object_get(out, "id")), id);
    return err;
}

static json_t *read_as(talk *own, const cn_actor *actor, int64_t after, int64_t before, int64_t size)
{
    json_t *out = NULL;
    const cn_message_range range = {.after = after, .before = before, .size = size};
    assert_ok(cn_messages_get(own->rig.c, actor, own->room, &range, &out));
    return out;
}

/* "1 2 3+" for what a range has; '+' where there are more. */
static const char *seqs(talk *own, int64_t after, int64_t before, int64_t size)
{
    static char text[256];
    CN_AUTO_JSON json_t *page = read_as(own, &own->rig.lead, after, before, size);
    size_t i, n = 0;
    json_t *one;
    *text = '\0';
    json_array_foreach(json_object_get(page, "messages"), i, one) n += (size_t)snprintf(
        text + n, sizeof text - n, i ? " %d" : "%d", (int)json_integer_value(json_object_get(one, "seq")));
    if (json_is_true(json_object_get(page, "more"))) snprintf(text + n, sizeof text - n, "+");
    return text;
}

static const char *word(const json_t *page, size_t at, const char *key)
{
    return json_string_value(json_object_get(json_array_get(json_object_get(page, "messages"), at), key));
}

static void in_order_and_by_page(void **state)
{
    talk own;
    int64_t seq = 0;
    talk_open(&own, state);
    assert_string_equal(seqs(&own, -1, 0, 200), "");
    for (int i = 1; i <= 7; i++) {
        char id[8];
        snprintf(id, sizeof id, "m%d", i);
        assert_ok(
            say(&own, i % 2 ? &own.rig.referrer : &own.rig.lead, id, i == 3 ? "第一行\n第二行" : "text", "", &seq));
        assert_int_equal(seq, i);
    }
    assert_string_equal(seqs(&own, -1, 0, 200), "1 2 3 4 5 6 7");
    assert_string_equal(seqs(&own, -1, 0, 3), "5 6 7+");
    assert_string_equal(seqs(&own, -1, 5, 3), "2 3 4+");
    assert_string_equal(seqs(&own, -1, 2, 3), "1");
    assert_string_equal(seqs(&own, 0, 0, 3), "1 2 3+");
    assert_string_equal(seqs(&own, 5, 0, 200), "6 7");
    assert_string_equal(seqs(&own, 7, 0, 200), "");
    CN_AUTO_JSON json_t *page = read_as(&own, &own.rig.second, 2, 0, 1);
    assert_string_equal(word(page, 0, "text"), "第一行\n第二行");
    assert_int_equal(json_integer_value(json_object_get(page, "last")), 7);
    const json_t *author = json_object_get(json_array_get(json_object_get(page, "messages"), 0), "author");
    assert_string_equal(json_string_value(json_object_get(author, "id")), own.rig.referrer.user);
    platform_close(&own.rig);
}

static void sent_again_it_is_there_once(void **state)
{
    talk own;
    int64_t first = 0, again = 0, next = 0;
    talk_open(&own, state);
    assert_ok(say(&own, &own.rig.lead, "a", "once", "", &first));
    assert_ok(say(&own, &own.rig.lead, "a", "once", "", &again));
    assert_int_equal(again, first);
    assert_ok(say(&own, &own.rig.referrer, "a", "another's", "", &next)); /* ids are the writer's own */
    assert_int_equal(next, first + 1);
    assert_string_equal(seqs(&own, -1, 0, 200), "1 2");
    platform_close(&own.rig);
}

typedef struct writer {
    talk *own;
    int number;
} writer;

static void *write_many(void *arg)
{
    const writer *me = arg;
    for (int i = 0; i < 6; i++) {
        char id[16];
        cn_err err = CN_ERR_AGAIN;
        snprintf(id, sizeof id, i % 2 ? "shared%d" : "own%d-%d", i, me->number);
        while (err == CN_ERR_AGAIN) err = say(me->own, &me->own->rig.lead, id, "t", "", NULL);
        assert_ok(err);
    }
    return NULL;
}

/* Several connections at once, some with the same id: a page that resends while its first try still waits. */
static void at_once(void **state)
{
    talk own;
    writer writers[4];
    pthread_t threads[4];
    talk_open(&own, state);
    for (int i = 0; i < 4; i++) {
        writers[i] = (writer){.own = &own, .number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, write_many, &writers[i]), 0);
    }
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    assert_string_equal(seqs(&own, -1, 0, 200), "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15");
    platform_close(&own.rig);
}

static void whose_it_is(void **state)
{
    talk own;
    talk_open(&own, state);
    assert_ok(say(&own, &own.rig.lead, "first", "x", "", NULL));
    const struct {
        const cn_actor *who;
        cn_err written, read;
    } cases[] = {
        {&own.rig.referrer, CN_OK, CN_OK},
        {&own.rig.second, CN_OK, CN_OK},
        {&own.rig.admin, CN_OK, CN_OK},
        {&own.rig.reader, CN_ERR_FORBIDDEN, CN_OK},
        {&own.rig.colleague, CN_ERR_NOTFOUND, CN_ERR_NOTFOUND}, /* of another hospital */
        {&own.rig.third, CN_ERR_NOTFOUND, CN_ERR_NOTFOUND},     /* an expert of no part */
        {&own.rig.nobody, CN_ERR_NOTFOUND, CN_ERR_NOTFOUND},
    };
    const cn_message_range newest = {.after = -1, .size = 200};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CN_AUTO_JSON json_t *page = NULL, *same = NULL;
        assert_err(say(&own, cases[i].who, "x", "x", "", NULL), cases[i].written);
        assert_err(cn_messages_get(own.rig.c, cases[i].who, own.room, &newest, &page), cases[i].read);
        assert_err(cn_messages_of_request(own.rig.c, cases[i].who, own.request, &newest, &same), cases[i].read);
        if (cases[i].read == CN_OK) assert_true(json_equal(page, same));
    }
    /* an expert who was replaced has no part any more */
    char body[128];
    snprintf(body, sizeof body, "{'lead': '%s', 'experts': []}", own.rig.lead.user);
    assert_ok(request_do(&own.rig, &own.rig.admin, own.request, "experts", body));
    assert_err(say(&own, &own.rig.second, "y", "y", "", NULL), CN_ERR_NOTFOUND);
    platform_close(&own.rig);
}

static void file_id(talk *own, const char *request, char out[CN_ID_TEXT])
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_AUTO_ROWS cn_rows *rows = NULL;
    assert_ok(cn_conn_acquire(own->rig.c->db, &conn));
    assert_ok(cn_db_query(conn, &rows, "SELECT id FROM files WHERE request_id = $1", cn_text(request)));
    assert_true(cn_rows_next(rows));
    cn_strcpy(out, CN_ID_TEXT, cn_rows_text(rows, 0));
}

static void with_a_file(void **state)
{
    talk own;
    char mine[CN_ID_TEXT], other[CN_ID_TEXT], another[CN_ID_TEXT];
    talk_open(&own, state);
    request_new(&own.rig, false, "李四", another);
    request_consent(&own.rig, another);
    file_id(&own, own.request, mine);
    file_id(&own, another, other);
    assert_ok(say(&own, &own.rig.referrer, "a", "", mine, NULL));
    assert_err(say(&own, &own.rig.referrer, "b", "", other, NULL), CN_ERR_NOTFOUND); /* his own, of another request */
    assert_err(say(&own, &own.rig.referrer, "c", "", "no such file", NULL), CN_ERR_NOTFOUND);
    CN_AUTO_JSON json_t *page = read_as(&own, &own.rig.lead, -1, 0, 200);
    const json_t *message = json_array_get(json_object_get(page, "messages"), 0);
    assert_string_equal(json_string_value(json_object_get(json_object_get(message, "file"), "name")), "知情同意书.pdf");
    assert_false(json_is_true(json_object_get(message, "file_gone")));
    platform_sql(&own.rig, "UPDATE files SET deleted_ms = 5");
    CN_AUTO_JSON json_t *later = read_as(&own, &own.rig.lead, -1, 0, 200);
    message = json_array_get(json_object_get(later, "messages"), 0);
    assert_true(json_is_null(json_object_get(message, "file")));
    assert_true(json_is_true(json_object_get(message, "file_gone")));
    platform_close(&own.rig);
}

static void after_the_room(void **state)
{
    talk own;
    CN_AUTO_JSON json_t *out = NULL, *page = NULL, *none = NULL;
    bool fresh = false;
    cn_problem problem = {.err = CN_OK};
    char another[CN_ID_TEXT];
    const cn_message_range newest = {.after = -1, .size = 200};
    talk_open(&own, state);
    assert_ok(say(&own, &own.rig.lead, "a", "before", "", NULL));
    assert_ok(request_do(&own.rig, &own.rig.lead, own.request, "finish", ""));
    assert_err(say(&own, &own.rig.lead, "b", "after", "", NULL), CN_ERR_STATE);
    /* who did not hear the answer asks again, and hears that it was kept */
    assert_ok(say(&own, &own.rig.lead, "a", "before", "", NULL));
    const cn_message_new bye = {.id = "c", .text = "bye", .file = "", .farewell = true};
    assert_ok(cn_message_add(own.rig.c, &own.rig.lead, own.room, &bye, &out, &fresh, &problem));
    assert_true(fresh);
    assert_ok(cn_messages_of_request(own.rig.c, &own.rig.referrer, own.request, &newest, &page));
    assert_string_equal(word(page, 0, "text"), "before");
    assert_string_equal(word(page, 1, "text"), "bye");
    CN_AUTO_JSON json_t *whole = NULL;
    assert_ok(cn_request_get(own.rig.c, &own.rig.referrer, own.request, &whole));
    assert_int_equal(json_integer_value(json_object_get(whole, "messages")), 2);
    request_new(&own.rig, false, "李四", another);
    assert_ok(cn_messages_of_request(own.rig.c, &own.rig.referrer, another, &newest, &none));
    assert_int_equal(json_array_size(json_object_get(none, "messages")), 0);
    platform_close(&own.rig);
}

static void nothing_of_it_is_readable(void **state)
{
    talk own;
    talk_open(&own, state);
    assert_ok(say(&own, &own.rig.lead, "a", "PLAINTEXT", "", NULL));
    assert_int_equal(
        platform_int(&own.rig, "SELECT COUNT(*) FROM audit_log WHERE action = 'room.say' AND outcome = 'ok'"), 1);
    assert_int_equal(platform_int(&own.rig, "SELECT COUNT(*) FROM audit_log WHERE detail LIKE '%PLAINTEXT%'"), 0);
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_AUTO_ROWS cn_rows *rows = NULL;
    size_t n = 0;
    assert_ok(cn_conn_acquire(own.rig.c->db, &conn));
    assert_ok(cn_db_query_v(conn, &rows, "SELECT text_sealed FROM room_messages", NULL, 0));
    assert_true(cn_rows_next(rows));
    const char *sealed = cn_rows_blob(rows, 0, &n);
    for (size_t i = 0; i + 9 <= n; i++) assert_memory_not_equal(sealed + i, "PLAINTEXT", 9);
    /* a text that was moved to another place does not open */
    cn_conn_release(conn);
    conn = NULL;
    assert_ok(say(&own, &own.rig.lead, "b", "other", "", NULL));
    platform_sql(&own.rig,
                 "UPDATE room_messages SET text_sealed = (SELECT text_sealed FROM room_messages WHERE seq = 1) "
                 "WHERE seq = 2");
    json_t *out = NULL;
    const cn_message_range newest = {.after = -1, .size = 200};
    assert_err(cn_messages_get(own.rig.c, &own.rig.lead, own.room, &newest, &out), CN_ERR_CRYPTO);
    platform_close(&own.rig);
}

static void what_may_be_said(void **state)
{
    static char longest[2001], longer[2002];
    memset(longest, 'x', 2000);
    memset(longer, 'x', 2001);
    const struct {
        const char *id, *text, *file;
        cn_err err;
        const char *field, *kept;
    } cases[] = {
        {"a-Z_9", "text", NULL, CN_OK, "", "text"},
        {"a", longest, NULL, CN_OK, "", longest},
        {"a", longer, NULL, CN_ERR_INVALID, "text", NULL},
        {"a", "", NULL, CN_ERR_INVALID, "text", NULL},
        {"a", " \t\n", NULL, CN_ERR_INVALID, "text", NULL},
        {"a", NULL, NULL, CN_ERR_INVALID, "text", NULL},
        {"a", NULL, "01ARZ3NDEKTSV4RRFFQ69G5FAV", CN_OK, "", ""},
        {"a", "", "01ARZ3NDEKTSV4RRFFQ69G5FAV", CN_OK, "", ""},
        {"a", "one\vtwo\xc2\x85three\x7f", NULL, CN_OK, "", "one\ntwo\nthree"},
        {"a", "\x7f\x01", NULL, CN_ERR_INVALID, "text", NULL},
        {"", "text", NULL, CN_ERR_INVALID, "id", NULL},
        {NULL, "text", NULL, CN_ERR_INVALID, "id", NULL},
        {"a b", "text", NULL, CN_ERR_INVALID, "id", NULL},
        {"12345678901234567890123456789012345678901", "text", NULL, CN_ERR_INVALID, "id", NULL},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CN_AUTO_JSON json_t *body = json_object();
        cn_message_new message;
        cn_problem problem = {.err = CN_OK};
        if (cases[i].id) json_object_set_new(body, "id", json_string(cases[i].id));
        if (cases[i].text) json_object_set_new(body, "text", json_string(cases[i].text));
        if (cases[i].file) json_object_set_new(body, "file", json_string(cases[i].file));
        assert_err(cn_message_read(body, &message, &problem), cases[i].err);
        assert_string_equal(problem.field, cases[i].field);
        if (cases[i].kept) assert_string_equal(message.text, cases[i].kept);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_may_be_said),
        CN_DB_TESTS(in_order_and_by_page),
        CN_DB_TESTS(sent_again_it_is_there_once),
        CN_DB_TESTS(at_once),
        CN_DB_TESTS(whose_it_is),
        CN_DB_TESTS(with_a_file),
        CN_DB_TESTS(after_the_room),
        CN_DB_TESTS(nothing_of_it_is_readable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
