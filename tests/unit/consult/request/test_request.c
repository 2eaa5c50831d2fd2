/* The life of a request: who may do what when, on both databases, and that whatever is refused changes nothing. */
#include "support_story.h"

#include <dlfcn.h>
#include <sqlite3.h>

#include "consult/report/report.h"
#include "consult/room/room.h"

enum { REFERRER, COLLEAGUE, LEAD, SECOND, THIRD, ADMIN, NOBODY, READER, ACTORS };

#define BIT(x) (1u << (x))
#define S(id) BIT(CN_STATE_##id)

static const cn_actor *actor(const platform *rig, unsigned who)
{
    const cn_actor *all[ACTORS] = {&rig->referrer, &rig->colleague, &rig->lead,   &rig->second,
                                   &rig->third,    &rig->admin,     &rig->nobody, &rig->reader};
    return all[who];
}

/* What REQUIREMENTS §13 permits, written down a second time; everything that is not here is refused. */
static const struct {
    const char *action, *body; /* %s: lead and second expert, then the time */
    uint32_t from, who;
    cn_state to; /* CN_STATE_COUNT: stays */
} permitted[] = {
    {"submit", "", S(UPLOADING) | S(RETURNED), BIT(REFERRER), CN_STATE_PENDING_REVIEW},
    {"return", "{'reason': '缺病理切片'}", S(PENDING_REVIEW), BIT(ADMIN), CN_STATE_RETURNED},
    {"reject", "{'reason': '不属会诊范围'}", S(PENDING_REVIEW), BIT(ADMIN), CN_STATE_REJECTED},
    {"schedule", "lead", S(PENDING_REVIEW), BIT(ADMIN), CN_STATE_SCHEDULED},
    {"reschedule", "lead", S(SCHEDULED), BIT(ADMIN), CN_STATE_COUNT},
    {"experts", "lead", S(SCHEDULED) | S(IN_SESSION) | S(AWAITING_REPORT), BIT(ADMIN), CN_STATE_COUNT},
    {"accept", "", 0, 0, CN_STATE_IN_SESSION}, /* not an urgent one */
    {"finish", "", S(IN_SESSION), BIT(LEAD) | BIT(ADMIN), CN_STATE_AWAITING_REPORT},
    {"no_show", "", S(IN_SESSION), BIT(LEAD) | BIT(ADMIN), CN_STATE_SCHEDULED},
    {"close", "", S(REPORTED), BIT(REFERRER), CN_STATE_CLOSED},
    {"cancel", "{'reason': '患者转院'}", S(UPLOADING) | S(RETURNED) | S(PENDING_REVIEW), BIT(REFERRER) | BIT(ADMIN),
     CN_STATE_CANCELLED},
    {"cancel", "{'reason': '患者转院'}", S(SCHEDULED) | S(IN_SESSION) | S(AWAITING_REPORT), BIT(ADMIN),
     CN_STATE_CANCELLED},
};

/* Who sees an ordinary request at all; for the others it does not exist. */
static const uint32_t sees = BIT(REFERRER) | BIT(LEAD) | BIT(SECOND) | BIT(ADMIN) | BIT(READER);

static const char *body_for(const platform *rig, const char *body, char out[256])
{
    if (strcmp(body, "lead") != 0) return body;
    snprintf(out, 256, "{'lead': '%s', 'experts': ['%s'], 'at': %lld, 'minutes': 45}", rig->lead.user, rig->second.user,
             (long long)cn_wall_ms() + 7200000);
    return out;
}

/* Puts the request where the test wants it, past the engine. */
static void put(platform *rig, const char *id, cn_state state)
{
    char sql[300];
    snprintf(sql, sizeof sql, "UPDATE requests SET state = '%s', record = '会诊记录' WHERE id = '%s'",
             cn_state_name(state), id);
    platform_sql(rig, sql);
}

static void assign(platform *rig, const char *id)
{
    char sql[300];
    snprintf(sql, sizeof sql, "DELETE FROM request_experts WHERE request_id = '%s'", id);
    platform_sql(rig, sql);
    snprintf(sql, sizeof sql,
             "INSERT INTO request_experts (request_id, user_id, lead) VALUES ('%s', '%s', 1), ('%s', '%s', 0)", id,
             rig->lead.user, id, rig->second.user);
    platform_sql(rig, sql);
}

static int64_t steps(platform *rig)
{
    return platform_int(rig, "SELECT COUNT(*) FROM request_history");
}

static void try_one(platform *rig, const char *id, size_t row, cn_state from, unsigned who)
{
    char buffer[256];
    cn_problem problem = {.err = CN_OK};
    const char *action = permitted[row].action;
    CN_AUTO_JSON json_t *body = json_of(*permitted[row].body ? body_for(rig, permitted[row].body, buffer) : "{}");
    bool fine = false;
    cn_state to = from;
    for (size_t i = 0; i < COUNT_OF(permitted); i++)
        if (strcmp(permitted[i].action, action) == 0 && (permitted[i].from & BIT(from)) &&
            (permitted[i].who & BIT(who))) {
            fine = true;
            if (permitted[i].to != CN_STATE_COUNT) to = permitted[i].to;
        }
    int64_t before = steps(rig);
    unsigned told = rig->changes;
    cn_err err = cn_request_act(rig->c, actor(rig, who), id, action, body, NULL, &problem);
    bool as_expected = fine                 ? err == CN_OK
                       : !(sees & BIT(who)) ? err == CN_ERR_NOTFOUND
                                            : (err == CN_ERR_FORBIDDEN || err == CN_ERR_STATE) && problem.detail[0];
    if (!as_expected || request_state(rig, id) != to || steps(rig) != before + fine || rig->changes != told + fine)
        fail_msg("%s in %s by actor %u: %s (%s), then %s", action, cn_state_name(from), who, cn_err_name(err),
                 problem.detail, cn_state_name(request_state(rig, id)));
    if (fine && to != from) put(rig, id, from);
}

static void test_every_act_in_every_state(void **state)
{
    platform rig;
    char id[CN_ID_TEXT];
    platform_open(&rig, state);
    request_new(&rig, false, "张三", id);
    request_consent(&rig, id);
    assign(&rig, id);
    for (unsigned s = 0; s < CN_STATE_COUNT; s++) {
        put(&rig, id, (cn_state)s);
        for (size_t row = 0; row + 1 < COUNT_OF(permitted); row++) /* the last row is cancel's second */
            for (unsigned who = 0; who < ACTORS; who++) try_one(&rig, id, row, (cn_state)s, who);
    }
    platform_close(&rig);
}

static void test_urgent_is_accepted(void **state)
{
    platform rig;
    char id[CN_ID_TEXT], room[CN_ID_TEXT];
    cn_problem problem = {.err = CN_OK};
    platform_open(&rig, state);
    for (unsigned s = 0; s < CN_STATE_COUNT; s++) {
        request_new(&rig, true, "张三", id);
        put(&rig, id, (cn_state)s);
        bool open = s == CN_STATE_UPLOADING || s == CN_STATE_PENDING_REVIEW;
        assert_err(request_do(&rig, &rig.third, id, "accept", ""), open ? CN_OK : CN_ERR_NOTFOUND);
        assert_int_equal(request_state(&rig, id), open ? CN_STATE_IN_SESSION : (cn_state)s);
        assert_err(request_do(&rig, &rig.colleague, id, "accept", ""), CN_ERR_NOTFOUND);
        assert_err(request_do(&rig, &rig.referrer, id, "accept", ""), CN_ERR_FORBIDDEN);
        /* whoever is second does not see it any more; who was first leads */
        assert_err(request_do(&rig, &rig.lead, id, "accept", ""), CN_ERR_NOTFOUND);
        if (!open) continue;
        CN_AUTO_JSON json_t *request = NULL;
        assert_ok(cn_request_get(rig.c, &rig.third, id, &request));
        assert_string_equal(json_string_value(json_object_get(json_object_get(request, "lead"), "id")), rig.third.user);
        assert_ok(cn_request_room(rig.c, &rig.third, id, room, &problem));
        assert_ok(request_do(&rig, &rig.third, id, "finish", ""));
    }
    platform_close(&rig);
}

/* ---- the form ---- */

static void test_bad_forms(void **state)
{
    static const struct {
        const char *form, *field;
    } bad[] = {
        {"{}", "patient"},
        {"{'patient': {'name': '李', 'sex': 'female'}}", "diagnosis"},
        {"{'patient': {'name': '', 'sex': 'female'}, 'diagnosis': 'd'}", "name"},
        {"{'patient': {'name': 7, 'sex': 'female'}, 'diagnosis': 'd'}", "name"},
        {"{'patient': {'name': '李', 'sex': 'f'}, 'diagnosis': 'd'}", "patient.sex"},
        {"{'patient': {'name': '李', 'sex': 'male', 'birth_date': '1990-13-01'}, 'diagnosis': 'd'}",
         "patient.birth_date"},
        {"{'patient': {'name': '李', 'sex': 'male', 'birth_date': '1990/1/1'}, 'diagnosis': 'd'}",
         "patient.birth_date"},
        {"{'patient': {'name': '李', 'sex': 'male', 'identity_number': '11;--'}, 'diagnosis': 'd'}",
         "patient.identity_number"},
        {"{'patient': {'name': '李', 'sex': 'male', 'phone': '12'}, 'diagnosis': 'd'}", "patient.phone"},
        {"{'patient': {'name': '李', 'sex': 'male', 'birth_date': '2190-01-01'}, 'diagnosis': 'd'}",
         "patient.birth_date"},
        {"{'patient': {'name': '李', 'sex': 'male'}, 'diagnosis': ''}", "diagnosis"},
        {"{'patient': {'name': '李', 'sex': 'male'}, 'diagnosis': 'd', 'urgency': 'now'}", "urgency"},
        {"{'patient': {'name': '李', 'sex': 'male'}, 'diagnosis': 'd', 'kind': 'R'}", "kind"},
        {"{'patient': {'name': '李', 'sex': 'male'}, 'diagnosis': 'd', 'urgency': 'urgent'}", "patient.birth_date"},
    };
    platform rig;
    platform_open(&rig, state);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        char id[CN_ID_TEXT] = "";
        cn_problem problem = {.err = CN_OK};
        CN_AUTO_JSON json_t *body = json_of(bad[i].form);
        cn_err err = cn_request_create(rig.c, &rig.referrer, body, id, NULL, &problem);
        if (err == CN_OK || !strstr(problem.field, bad[i].field) || !problem.detail[0] || id[0])
            fail_msg("%s: %s, field \"%s\"", bad[i].form, cn_err_name(err), problem.field);
    }
    CN_AUTO_JSON json_t *good = json_of("{'patient': {'name': '李', 'sex': 'male'}, 'diagnosis': 'd'}");
    char id[CN_ID_TEXT];
    cn_problem problem = {.err = CN_OK};
    assert_err(cn_request_create(rig.c, &rig.lead, good, id, NULL, &problem), CN_ERR_FORBIDDEN);
    assert_err(cn_request_create(rig.c, &rig.admin, good, id, NULL, &problem), CN_ERR_FORBIDDEN);
    assert_int_equal(platform_int(&rig, "SELECT COUNT(*) FROM requests"), 0);
    assert_ok(cn_request_create(rig.c, &rig.referrer, good, id, NULL, &problem));
    platform_close(&rig);
}

static void test_what_was_written_is_read(void **state)
{
    platform rig;
    char id[CN_ID_TEXT], number[64];
    cn_problem problem = {.err = CN_OK};
    platform_open(&rig, state);
    request_new(&rig, true, "欧阳若兰", id);
    CN_AUTO_JSON json_t *object = NULL;
    assert_ok(cn_request_get(rig.c, &rig.referrer, id, &object));
    const json_t *patient = json_object_get(object, "patient");
    assert_string_equal(json_string_value(json_object_get(patient, "name")), "欧阳若兰");
    assert_string_equal(json_string_value(json_object_get(patient, "identity_number")), "11010119610502002X");
    assert_string_equal(json_string_value(json_object_get(patient, "phone")), "13800000000");
    assert_string_equal(json_string_value(json_object_get(object, "urgency")), "urgent");
    cn_strcpy(number, sizeof number, json_string_value(json_object_get(object, "number")));
    /* nothing of it lies open in the database */
    assert_int_equal(platform_int(&rig, "SELECT COUNT(*) FROM requests WHERE patient_identity_token = ''"), 0);
    CN_AUTO_JSON json_t *body = json_of("{'patient': {'name': '欧阳若岚', 'sex': 'female'}, 'diagnosis': '改后'}");
    assert_ok(cn_request_update(rig.c, &rig.referrer, id, body, NULL, &problem));
    assert_err(cn_request_update(rig.c, &rig.colleague, id, body, NULL, &problem), CN_ERR_NOTFOUND);
    assert_err(cn_request_update(rig.c, &rig.admin, id, body, NULL, &problem), CN_ERR_FORBIDDEN);
    CN_AUTO_JSON json_t *after = NULL;
    assert_ok(cn_request_get(rig.c, &rig.admin, id, &after));
    patient = json_object_get(after, "patient");
    assert_string_equal(json_string_value(json_object_get(patient, "name")), "欧阳若岚");
    assert_string_equal(json_string_value(json_object_get(patient, "phone")), "");
    assert_string_equal(json_string_value(json_object_get(after, "number")), number);
    put(&rig, id, CN_STATE_SCHEDULED);
    assert_err(cn_request_update(rig.c, &rig.referrer, id, body, NULL, &problem), CN_ERR_STATE);
    assert_non_null(strstr(problem.detail, "SCHEDULED"));
    platform_close(&rig);
}

/* ---- who sees what ---- */

static int64_t listed(platform *rig, const cn_actor *actor, const char *tab, const char *name)
{
    const cn_request_filter filter = {.tab = tab, .name = name, .page = 1, .size = 50};
    cn_problem problem = {.err = CN_OK};
    CN_AUTO_JSON json_t *out = NULL;
    assert_ok(cn_request_list(rig->c, actor, &filter, &out, &problem));
    assert_int_equal(json_array_size(json_object_get(out, "items")), json_integer_value(json_object_get(out, "total")));
    return json_integer_value(json_object_get(out, "total"));
}

static void test_room_settings(void **state)
{
    platform rig;
    char id[CN_ID_TEXT], room[CN_ID_TEXT];
    cn_problem problem = {.err = CN_OK};
    cn_room_info info;
    const char *field;
    platform_open(&rig, state);
    request_new(&rig, false, "李明", id);
    request_until(&rig, id, CN_STATE_IN_SESSION);
    assert_ok(cn_request_room(rig.c, &rig.lead, id, room, &problem));
    assert_ok(cn_room_get(rig.c, &rig.lead, room, &info));
    cn_room_settings settings = cn_room_settings_default();
    assert_memory_equal(&info.settings, &settings, sizeof settings);
    assert_true(cn_room_settings_valid(&settings, &field));
    settings.locked = settings.lobby = true;
    cn_strcpy(settings.unmute, sizeof settings.unmute, "host");
    cn_strcpy(settings.tier_max, sizeof settings.tier_max, "super_hd");
    cn_strcpy(settings.codec, sizeof settings.codec, "av1");
    assert_ok(cn_room_settings_set(rig.c, &rig.lead, room, &settings));
    assert_ok(cn_room_settings_set(rig.c, &rig.referrer, room, &settings)); /* host while no lead expert is there */
    assert_ok(cn_room_settings_set(rig.c, &rig.admin, room, &settings));
    assert_err(cn_room_settings_set(rig.c, &rig.second, room, &settings), CN_ERR_FORBIDDEN);
    assert_err(cn_room_settings_set(rig.c, &rig.nobody, room, &settings), CN_ERR_NOTFOUND);
    assert_err(cn_room_settings_set(rig.c, &rig.lead, "no-such-room", &settings), CN_ERR_NOTFOUND);
    assert_ok(cn_room_get(rig.c, &rig.second, room, &info));
    assert_true(info.settings.locked && info.settings.lobby);
    assert_string_equal(info.settings.unmute, "host");
    assert_string_equal(info.settings.tier_max, "super_hd");
    assert_string_equal(info.settings.codec, "av1");
    cn_strcpy(settings.tier_max, sizeof settings.tier_max, "voice");
    assert_false(cn_room_settings_valid(&settings, &field));
    assert_string_equal(field, "tier_max");
    assert_err(cn_room_settings_set(rig.c, &rig.lead, room, &settings), CN_ERR_INVALID);
    {
        CN_AUTO_CONN cn_conn *conn = NULL;
        assert_ok(cn_conn_acquire(rig.c->db, &conn));
        assert_ok(cn_db_exec(conn, NULL, "UPDATE rooms SET closed_ms = 1 WHERE id = $1", cn_text(room)));
    }
    cn_strcpy(settings.tier_max, sizeof settings.tier_max, "sd");
    assert_err(cn_room_settings_set(rig.c, &rig.lead, room, &settings), CN_ERR_STATE);
    platform_close(&rig);
}

static void test_foreign_records_are_invisible(void **state)
{
    platform rig;
    char ordinary[CN_ID_TEXT], urgent[CN_ID_TEXT], room[CN_ID_TEXT], fresh[CN_ID_TEXT];
    cn_problem problem = {.err = CN_OK};
    cn_room_info info;
    platform_open(&rig, state);
    request_new(&rig, false, "李明", ordinary);
    request_until(&rig, ordinary, CN_STATE_IN_SESSION);
    request_new(&rig, true, "王芳", urgent);
    assert_ok(cn_request_room(rig.c, &rig.lead, ordinary, room, &problem));
    const cn_actor *strangers[] = {&rig.colleague, &rig.nobody};
    for (size_t i = 0; i < COUNT_OF(strangers); i++) {
        json_t *object = NULL;
        assert_err(cn_request_get(rig.c, strangers[i], ordinary, &object), CN_ERR_NOTFOUND);
        assert_err(cn_request_get(rig.c, strangers[i], urgent, &object), CN_ERR_NOTFOUND);
        assert_null(object);
        assert_err(cn_request_room(rig.c, strangers[i], ordinary, fresh, &problem), CN_ERR_NOTFOUND);
        assert_err(cn_room_get(rig.c, strangers[i], room, &info), CN_ERR_NOTFOUND);
        assert_int_equal(listed(&rig, strangers[i], NULL, NULL), 0);
        assert_int_equal(listed(&rig, strangers[i], NULL, "李明"), 0);
    }
    assert_int_equal(listed(&rig, &rig.referrer, NULL, NULL), 2);
    assert_int_equal(listed(&rig, &rig.admin, NULL, NULL), 2);
    assert_int_equal(listed(&rig, &rig.reader, NULL, NULL), 2);
    assert_int_equal(listed(&rig, &rig.second, NULL, NULL), 2); /* his own and the urgent one */
    assert_int_equal(listed(&rig, &rig.third, NULL, NULL), 1);
    /* what somebody was is not what he is */
    cn_actor was = rig.second;
    was.rights = 0;
    assert_int_equal(listed(&rig, &was, NULL, NULL), 0);
    assert_err(request_do(&rig, &was, ordinary, "finish", ""), CN_ERR_NOTFOUND);
    /* made-up and mangled numbers */
    json_t *object = NULL;
    cn_id_new(fresh);
    assert_err(cn_request_get(rig.c, &rig.admin, fresh, &object), CN_ERR_NOTFOUND);
    assert_err(cn_request_get(rig.c, &rig.admin, "' OR 1=1 --", &object), CN_ERR_NOTFOUND);
    assert_err(cn_request_get(rig.c, &rig.admin, "", &object), CN_ERR_NOTFOUND);
    assert_true(
        platform_int(&rig, "SELECT COUNT(*) FROM audit_log WHERE action = 'request.read' AND outcome = 'denied'") >= 4);
    platform_close(&rig);
}

static void test_lists(void **state)
{
    platform rig;
    char id[CN_ID_TEXT];
    static const char *const names[] = {"欧阳若兰", "欧阳明", "李若兰", "Anna Smith"};
    cn_problem problem = {.err = CN_OK};
    platform_open(&rig, state);
    for (size_t i = 0; i < COUNT_OF(names); i++) request_new(&rig, false, names[i], id);
    assert_int_equal(listed(&rig, &rig.referrer, "uploading", NULL), 4);
    assert_int_equal(listed(&rig, &rig.referrer, "pending", NULL), 0);
    assert_int_equal(listed(&rig, &rig.admin, NULL, "欧阳"), 2);
    assert_int_equal(listed(&rig, &rig.admin, NULL, "若兰"), 2);
    assert_int_equal(listed(&rig, &rig.admin, NULL, "兰"), 2);
    assert_int_equal(listed(&rig, &rig.admin, NULL, "欧 阳 若兰"), 1);
    assert_int_equal(listed(&rig, &rig.admin, NULL, "anna smith"), 1);
    assert_int_equal(listed(&rig, &rig.admin, NULL, "ＡＮＮＡ"), 1); /* as an input method writes it */
    assert_int_equal(listed(&rig, &rig.admin, NULL, "赵"), 0);
    assert_int_equal(listed(&rig, &rig.admin, NULL, "   "), 4);
    request_consent(&rig, id);
    assert_ok(request_do(&rig, &rig.referrer, id, "submit", ""));
    assert_int_equal(listed(&rig, &rig.referrer, "pending", NULL), 1);
    assert_ok(request_do(&rig, &rig.referrer, id, "cancel", "{'reason': '转院'}"));
    assert_int_equal(listed(&rig, &rig.referrer, "completed", NULL), 1);
    const cn_request_filter bad[] = {
        {.tab = "all", .page = 1, .size = 20}, {.page = 0, .size = 20}, {.page = 1, .size = 201}};
    json_t *out = NULL;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_err(cn_request_list(rig.c, &rig.admin, &bad[i], &out, &problem), CN_ERR_INVALID);
        assert_null(out);
    }
    platform_close(&rig);
}

/* ---- what the steps ask for ---- */

static void test_required_files(void **state)
{
    platform rig;
    char id[CN_ID_TEXT];
    cn_problem problem = {.err = CN_OK};
    platform_open(&rig, state);
    request_new(&rig, false, "李明", id);
    CN_AUTO_JSON json_t *none = json_object();
    assert_err(cn_request_act(rig.c, &rig.referrer, id, "submit", none, NULL, &problem), CN_ERR_CONFLICT);
    assert_string_equal(problem.field, "files");
    assert_non_null(strstr(problem.detail, "consent"));
    assert_int_equal(request_state(&rig, id), CN_STATE_UPLOADING);
    request_consent(&rig, id);
    platform_sql(&rig, "UPDATE files SET deleted_ms = 5"); /* a deleted one is none */
    assert_err(request_do(&rig, &rig.referrer, id, "submit", ""), CN_ERR_CONFLICT);
    request_consent(&rig, id);
    assert_ok(request_do(&rig, &rig.referrer, id, "submit", ""));
    assert_string_equal(rig.last_state, "PENDING_REVIEW");
    platform_close(&rig);
}

static void test_return_and_resubmit(void **state)
{
    platform rig;
    char id[CN_ID_TEXT];
    cn_problem problem = {.err = CN_OK};
    platform_open(&rig, state);
    request_new(&rig, false, "李明", id);
    request_until(&rig, id, CN_STATE_PENDING_REVIEW);
    assert_err(request_do(&rig, &rig.admin, id, "return", ""), CN_ERR_INVALID);
    assert_err(request_do(&rig, &rig.admin, id, "return", "{'reason': ''}"), CN_ERR_INVALID);
    assert_int_equal(request_state(&rig, id), CN_STATE_PENDING_REVIEW);
    assert_ok(request_do(&rig, &rig.admin, id, "return", "{'reason': '请补充切片'}"));
    CN_AUTO_JSON json_t *object = NULL,
                        *body = json_of(
                            "{'patient': {'name': '李明', 'sex': 'male', 'birth_date': ''}, 'diagnosis': '补充后'}");
    assert_ok(cn_request_get(rig.c, &rig.referrer, id, &object));
    assert_string_equal(json_string_value(json_object_get(object, "return_reason")), "请补充切片");
    assert_ok(cn_request_update(rig.c, &rig.referrer, id, body, NULL, &problem));
    assert_int_equal(request_state(&rig, id), CN_STATE_RETURNED);
    /* who has no age is not submitted */
    CN_AUTO_JSON json_t *none = json_object();
    assert_err(cn_request_act(rig.c, &rig.referrer, id, "submit", none, NULL, &problem), CN_ERR_INVALID);
    assert_string_equal(problem.field, "patient.birth_date");
    assert_int_equal(problem.wrong, CN_WRONG_MISSING);
    json_object_set_new(json_object_get(body, "patient"), "birth_date", json_string("1961-05-02"));
    assert_ok(cn_request_update(rig.c, &rig.referrer, id, body, NULL, &problem));
    assert_ok(request_do(&rig, &rig.referrer, id, "submit", ""));
    assert_int_equal(request_state(&rig, id), CN_STATE_PENDING_REVIEW);
    platform_close(&rig);
}

/* A form that lay about for days was not asked for before it was handed in; what is handed in anew keeps its day. */
static void test_asked_for_when_handed_in(void **state)
{
    platform rig;
    char id[CN_ID_TEXT];
    platform_open(&rig, state);
    request_new(&rig, false, "李明", id);
    platform_sql(&rig, "UPDATE requests SET created_ms = 1000, requested_ms = 1000");
    CN_AUTO_JSON json_t *begun = NULL, *object = NULL, *list = NULL;
    cn_problem problem = {.err = CN_OK};
    assert_ok(cn_request_get(rig.c, &rig.referrer, id, &begun));
    assert_int_equal(json_integer_value(json_object_get(begun, "requested_at")), 1000);
    request_until(&rig, id, CN_STATE_PENDING_REVIEW);
    int64_t first = platform_int(&rig, "SELECT at_ms FROM request_history WHERE action = 'submit'");
    platform_sql(&rig, "UPDATE request_history SET at_ms = at_ms - 5000 WHERE action = 'submit'");
    assert_ok(request_do(&rig, &rig.admin, id, "return", "{'reason': '请补充切片'}"));
    assert_ok(request_do(&rig, &rig.referrer, id, "submit", ""));
    assert_ok(cn_request_get(rig.c, &rig.referrer, id, &object));
    assert_int_equal(json_integer_value(json_object_get(object, "requested_at")), first - 5000);
    assert_int_equal(json_integer_value(json_object_get(object, "created_at")), 1000);
    const cn_request_filter recent = {.page = 1, .size = 9, .from_ms = first - 5000};
    assert_ok(cn_request_list(rig.c, &rig.referrer, &recent, &list, &problem));
    const json_t *row = json_array_get(json_object_get(list, "items"), 0);
    assert_int_equal(json_integer_value(json_object_get(row, "requested_at")), first - 5000);
    platform_close(&rig);
}

static void test_bad_schedules(void **state)
{
    platform rig;
    char id[CN_ID_TEXT], body[300];
    platform_open(&rig, state);
    request_new(&rig, false, "李明", id);
    request_until(&rig, id, CN_STATE_PENDING_REVIEW);
    long long soon = (long long)cn_wall_ms() + 3600000;
    const struct {
        const char *lead, *second;
        long long at;
        int minutes;
    } bad[] = {{rig.referrer.user, rig.second.user, soon, 30}, /* is no expert */
               {rig.lead.user, rig.admin.user, soon, 30},      /* nor is he */
               {"01ARZ3NDEKTSV4RRFFQ69G5FAV", rig.second.user, soon, 30},
               {"", rig.second.user, soon, 30},
               {rig.lead.user, rig.second.user, 1000, 30}, /* long ago */
               {rig.lead.user, rig.second.user, soon * 2, 30},
               {rig.lead.user, rig.second.user, soon, 4},
               {rig.lead.user, rig.second.user, soon, 721}};
    int64_t before = steps(&rig);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        snprintf(body, sizeof body, "{'lead': '%s', 'experts': ['%s'], 'at': %lld, 'minutes': %d}", bad[i].lead,
                 bad[i].second, bad[i].at, bad[i].minutes);
        assert_err(request_do(&rig, &rig.admin, id, "schedule", body), CN_ERR_INVALID);
    }
    /* a disabled account is none */
    snprintf(body, sizeof body, "UPDATE users SET active = 0 WHERE id = '%s'", rig.third.user);
    platform_sql(&rig, body);
    snprintf(body, sizeof body, "{'lead': '%s', 'at': %lld}", rig.third.user, soon);
    assert_err(request_do(&rig, &rig.admin, id, "schedule", body), CN_ERR_INVALID);
    assert_int_equal(request_state(&rig, id), CN_STATE_PENDING_REVIEW);
    assert_int_equal(steps(&rig), before);
    assert_int_equal(platform_int(&rig, "SELECT COUNT(*) FROM request_experts"), 0);
    platform_close(&rig);
}

static void test_room(void **state)
{
    platform rig;
    char id[CN_ID_TEXT], room[CN_ID_TEXT] = "", again[CN_ID_TEXT] = "";
    cn_problem problem = {.err = CN_OK};
    cn_room_info info;
    platform_open(&rig, state);
    request_new(&rig, false, "李明", id);
    request_until(&rig, id, CN_STATE_PENDING_REVIEW);
    assert_err(cn_request_room(rig.c, &rig.referrer, id, room, &problem), CN_ERR_STATE);
    assert_string_equal(room, "");
    put(&rig, id, CN_STATE_SCHEDULED);
    assign(&rig, id);
    assert_err(cn_request_room(rig.c, &rig.reader, id, room, &problem), CN_ERR_FORBIDDEN);
    assert_true(problem.detail[0] != 0);
    assert_err(cn_request_room(rig.c, &rig.third, id, room, &problem), CN_ERR_NOTFOUND);
    unsigned told = rig.changes;
    assert_ok(cn_request_room(rig.c, &rig.referrer, id, room, &problem));
    assert_int_equal(request_state(&rig, id), CN_STATE_SCHEDULED); /* a room is a room, not its consultation */
    assert_int_equal(rig.changes, told);
    assert_err(cn_request_room(rig.c, &rig.admin, id, again, &problem), CN_ERR_FORBIDDEN);
    put(&rig, id, CN_STATE_IN_SESSION);
    int64_t before = steps(&rig);
    assert_ok(cn_request_room(rig.c, &rig.second, id, again, &problem)); /* whoever comes later comes into the same */
    assert_string_equal(room, again);
    assert_ok(cn_request_room(rig.c, &rig.admin, id, again, &problem));
    assert_string_equal(room, again);
    assert_int_equal(steps(&rig), before);
    assert_err(cn_request_room(rig.c, &rig.reader, id, room, &problem), CN_ERR_FORBIDDEN);
    assert_true(problem.detail[0] != 0);
    assert_ok(cn_room_get(rig.c, &rig.second, room, &info));
    assert_true(info.open);
    assert_int_equal(info.parts, CN_PART_EXPERT);
    put(&rig, id, CN_STATE_REPORTED);
    assert_ok(request_do(&rig, &rig.referrer, id, "close", ""));
    assert_ok(cn_room_get(rig.c, &rig.second, room, &info));
    assert_false(info.open);
    assert_err(cn_request_room(rig.c, &rig.referrer, id, room, &problem), CN_ERR_STATE);
    platform_close(&rig);
}

/* Two who looked at the same state: the second is told, nothing of his is kept. */
static void test_somebody_was_first(void **state)
{
    platform rig;
    char id[CN_ID_TEXT];
    cn_request_scope seen;
    cn_problem problem = {.err = CN_OK};
    platform_open(&rig, state);
    request_new(&rig, false, "李明", id);
    request_until(&rig, id, CN_STATE_PENDING_REVIEW);
    cn_conn *conn = NULL;
    assert_ok(cn_conn_acquire(rig.c->db, &conn));
    assert_ok(cn_request_scope_get(conn, &rig.admin, id, &seen));
    assert_ok(request_do(&rig, &rig.admin, id, "reject", "{'reason': '重复申请'}"));
    int64_t before = steps(&rig);
    assert_ok(cn_tx_begin(conn));
    assert_err(cn_request_step(conn, &rig.admin, &seen, "return", "x", &problem), CN_ERR_CONFLICT);
    cn_conn_release(conn);
    assert_true(problem.detail[0] != 0);
    assert_int_equal(request_state(&rig, id), CN_STATE_REJECTED);
    assert_int_equal(steps(&rig), before);
    platform_close(&rig);
}

static void assert_rows(platform *rig, const char *action, int64_t expected)
{
    char sql[200];
    snprintf(sql, sizeof sql, "SELECT COUNT(*) FROM audit_log WHERE action = '%s' AND outcome = 'ok'", action);
    int64_t n = platform_int(rig, sql);
    if (n != expected)
        fail_msg("%s stands %lld times in the audit log, not %lld", action, (long long)n, (long long)expected);
}

static void test_a_whole_life(void **state)
{
    static const char *const history[] = {"create", "submit",  "schedule", "begin", "finish",
                                          "sign",   "release", "record",   "close"};
    static const char *const rows[] = {"request.create", "request.submit", "request.schedule", "request.room",
                                       "request.begin",  "request.finish", "report.draft",     "report.sign",
                                       "opinion.sign",   "record.write",   "request.close"};
    platform rig;
    char id[CN_ID_TEXT];
    cn_problem problem = {.err = CN_OK};
    platform_open(&rig, state);
    request_new(&rig, false, "李明", id);
    assert_true(request_offers(&rig, &rig.referrer, id, "submit"));
    assert_false(request_offers(&rig, &rig.admin, id, "submit"));
    request_until(&rig, id, CN_STATE_AWAITING_REPORT);
    assert_true(request_offers(&rig, &rig.lead, id, "draft"));
    assert_false(request_offers(&rig, &rig.second, id, "draft"));
    assert_true(request_offers(&rig, &rig.second, id, "opinion"));
    CN_AUTO_JSON json_t *opinion = json_of("{'text': '同意'}"), *record = json_of("{'text': '会诊记录'}");
    CN_AUTO_JSON json_t *draft = json_of("{'findings': '所见', 'conclusion': '结论', 'advice': '', 'revision': 0}");
    int64_t revision = 0;
    assert_ok(cn_opinion_add(rig.c, &rig.second, id, opinion, NULL, &problem));
    assert_ok(cn_report_draft(rig.c, &rig.lead, id, draft, &revision, &problem));
    assert_ok(cn_report_sign(rig.c, &rig.lead, id, NULL, NULL, &problem));
    assert_ok(cn_record_set(rig.c, &rig.referrer, id, record, NULL, &problem));
    assert_ok(request_do(&rig, &rig.referrer, id, "close", ""));
    assert_int_equal(request_state(&rig, id), CN_STATE_CLOSED);
    CN_AUTO_JSON json_t *object = NULL;
    assert_ok(cn_request_get(rig.c, &rig.referrer, id, &object));
    const json_t *told = json_object_get(object, "history");
    size_t at = 0;
    for (size_t i = 0; i < json_array_size(told); i++) {
        const char *action = json_string_value(json_object_get(json_array_get(told, i), "action"));
        if (strcmp(action, "opinion") == 0) continue;
        assert_true(at < COUNT_OF(history));
        assert_string_equal(action, history[at++]);
    }
    assert_int_equal(at, COUNT_OF(history));
    for (size_t i = 0; i < COUNT_OF(rows); i++) assert_rows(&rig, rows[i], 1);
    /* the log names nobody */
    assert_int_equal(
        platform_int(&rig, "SELECT COUNT(*) FROM audit_log WHERE object LIKE '%李%' OR detail LIKE '%李%'"), 0);
    assert_ok(
        cn_chain_verify(CN_CHAIN_AUDIT, rig.c->db, rig.s->vault, &(cn_chain_proof){.heads = rig.s->heads}, stderr));
    platform_close(&rig);
}

static void test_an_act_answers_with_the_request(void **state)
{
    static const char reads[] = "SELECT COUNT(*) FROM audit_log WHERE action = 'request.read'";
    platform rig;
    char id[CN_ID_TEXT], room[CN_ID_TEXT];
    cn_problem problem = {.err = CN_OK};
    cn_answer answer = {.read = cn_request_view};
    CN_AUTO_JSON json_t *object = NULL, *reason = json_of("{'reason': '转院'}"), *opinion = json_of("{'text': '同意'}");
    platform_open(&rig, state);
    request_new(&rig, false, "李明", id);
    request_until(&rig, id, CN_STATE_IN_SESSION);
    assert_ok(cn_request_room(rig.c, &rig.referrer, id, room, &problem));
    unsigned told = rig.changes;
    assert_ok(cn_opinion_add(rig.c, &rig.second, id, opinion, &answer, &problem));
    assert_int_equal(json_array_size(json_object_get(answer.json, "opinions")), 1);
    assert_int_equal(rig.changes, told + 1); /* the state stayed, and yet it is told */
    json_decref(answer.json);
    answer.json = NULL;
    assert_err(cn_request_act(rig.c, &rig.second, id, "cancel", reason, &answer, &problem), CN_ERR_FORBIDDEN);
    assert_null(answer.json);
    assert_ok(cn_request_act(rig.c, &rig.admin, id, "cancel", reason, &answer, &problem));
    assert_int_equal(platform_int(&rig, reads), 0);
    assert_ok(cn_request_get(rig.c, &rig.admin, id, &object));
    assert_true(json_equal(answer.json, object));
    assert_true(json_is_null(json_object_get(object, "room")));
    assert_int_equal(platform_int(&rig, "SELECT COUNT(*) FROM rooms WHERE closed_ms > 0"), 1);
    json_decref(answer.json);
    platform_close(&rig);
}

/* Everything that pages ask for of a request; what came back, when something did, is thrown away. */
static void read_all(platform *rig, const char *id)
{
    const cn_request_filter whole = {.page = 1, .size = 10};
    int64_t now = cn_wall_ms();
    json_t *out[6] = {NULL};
    cn_problem problem = {.err = CN_OK};
    (void)cn_request_get(rig->c, &rig->lead, id, &out[0]);
    (void)cn_request_list(rig->c, &rig->admin, &whole, &out[1], &problem);
    (void)cn_request_desk(rig->c, &rig->lead, now - 1000, now + 1000, &out[2], &problem);
    (void)cn_request_busy(rig->c, &rig->admin, rig->lead.user, now - 1000, now + 1000, "", &out[3], &problem);
    (void)cn_report_get(rig->c, &rig->lead, id, &out[4]);
    (void)cn_report_versions(rig->c, &rig->lead, id, &out[5]);
    for (size_t i = 0; i < sizeof out / sizeof *out; i++) json_decref(out[i]);
}

/* SQLite's own, but for one call that fails as on a disk that went away. What begins and ends transactions is not counted: sqlite3_exec,
 * which runs that, asks sqlite3_finalize how it went. */
static struct {
    bool counting;
    unsigned calls, fails_at; /* 0: none fails */
} disk;

int sqlite3_step(sqlite3_stmt *stmt)
{
    static int (*real)(sqlite3_stmt *);
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, "sqlite3_step");
    const char *sql = sqlite3_sql(stmt);
    bool question = sql && strncmp(sql, "SELECT", 6) == 0;
    if (disk.counting && question && ++disk.calls == disk.fails_at) return SQLITE_IOERR;
    return real(stmt);
}

/* A database that goes away does so between any two questions. Every read is stopped at each of them in turn: none may leak what it had by
 * then (the leak check of the sanitized build looks), and afterwards all is there. */
static void test_a_read_that_breaks_off(void **state)
{
    platform rig;
    char id[CN_ID_TEXT];
    json_t *out = NULL;
    platform_open(&rig, state);
    request_new(&rig, false, "王芳", id);
    request_until(&rig, id, CN_STATE_REPORTED);
    disk.counting = true;
    read_all(&rig, id);
    unsigned all = disk.calls;
    assert_true(all > 20);
    for (unsigned at = 1; at <= all; at++) {
        disk.calls = 0;
        disk.fails_at = at;
        read_all(&rig, id);
    }
    disk.counting = false;
    assert_ok(cn_request_get(rig.c, &rig.lead, id, &out));
    json_decref(out);
    platform_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CN_DB_TESTS(test_every_act_in_every_state),
        CN_DB_TESTS(test_urgent_is_accepted),
        CN_DB_TESTS(test_bad_forms),
        CN_DB_TESTS(test_what_was_written_is_read),
        CN_DB_TESTS(test_room_settings),
        CN_DB_TESTS(test_foreign_records_are_invisible),
        CN_DB_TESTS(test_lists),
        CN_DB_TESTS(test_required_files),
        CN_DB_TESTS(test_return_and_resubmit),
        CN_DB_TESTS(test_asked_for_when_handed_in),
        CN_DB_TESTS(test_bad_schedules),
        CN_DB_TESTS(test_room),
        CN_DB_TESTS(test_somebody_was_first),
        CN_DB_TESTS(test_a_whole_life),
        CN_DB_TESTS(test_an_act_answers_with_the_request),
        {"test_a_read_that_breaks_off sqlite", test_a_read_that_breaks_off, NULL, NULL, SUPPORT_DB_STATE(CN_DB_SQLITE)},
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
