/* The life of a request: who may do what when, on both databases, and that whatever is refused changes nothing. */
#include "support_story.h"

#include "consult/report/report.h"
#include "consult/room/room.h"

enum { REFERRER, COLLEAGUE, LEAD, SECOND, THIRD, ADMIN, NOBODY, READER, ACTORS };

#define BIT(x) (1u << (x))
#define S(id) BIT(CN_STATE_##id)

static const cn_actor *actor(const platform *p, unsigned who)
{
    const cn_actor *all[ACTORS] = {&p->referrer, &p->colleague, &p->lead,   &p->second,
                                   &p->third,    &p->admin,     &p->nobody, &p->reader};
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
    {"accept", "", 0, 0, CN_STATE_IN_SESSION}, /* not an urgent one */
    {"finish", "", S(IN_SESSION), BIT(LEAD), CN_STATE_AWAITING_REPORT},
    {"no_show", "", S(IN_SESSION), BIT(LEAD) | BIT(ADMIN), CN_STATE_SCHEDULED},
    {"close", "", S(REPORTED), BIT(REFERRER), CN_STATE_CLOSED},
    {"cancel", "{'reason': '患者转院'}", S(UPLOADING) | S(RETURNED) | S(PENDING_REVIEW), BIT(REFERRER) | BIT(ADMIN),
     CN_STATE_CANCELLED},
    {"cancel", "{'reason': '患者转院'}", S(SCHEDULED) | S(IN_SESSION) | S(AWAITING_REPORT), BIT(ADMIN),
     CN_STATE_CANCELLED},
};

/* Who sees an ordinary request at all; for the others it does not exist. */
static const uint32_t sees = BIT(REFERRER) | BIT(LEAD) | BIT(SECOND) | BIT(ADMIN) | BIT(READER);

static const char *body_for(const platform *p, const char *body, char out[256])
{
    if (strcmp(body, "lead") != 0) return body;
    snprintf(out, 256, "{'lead': '%s', 'experts': ['%s'], 'at': %lld, 'minutes': 45}", p->lead.user, p->second.user,
             (long long)cn_wall_ms() + 7200000);
    return out;
}

/* Puts the request where the test wants it, past the engine. */
static void put(platform *p, const char *id, cn_state state)
{
    char sql[300];
    snprintf(sql, sizeof sql, "UPDATE requests SET state = '%s', record = '会诊记录' WHERE id = '%s'",
             cn_state_name(state), id);
    platform_sql(p, sql);
}

static void assign(platform *p, const char *id)
{
    char sql[300];
    snprintf(sql, sizeof sql, "DELETE FROM request_experts WHERE request_id = '%s'", id);
    platform_sql(p, sql);
    snprintf(sql, sizeof sql,
             "INSERT INTO request_experts (request_id, user_id, lead) VALUES ('%s', '%s', 1), ('%s', '%s', 0)", id,
             p->lead.user, id, p->second.user);
    platform_sql(p, sql);
}

static int64_t steps(platform *p)
{
    return platform_int(p, "SELECT COUNT(*) FROM request_history");
}

static void try_one(platform *p, const char *id, size_t row, cn_state from, unsigned who)
{
    char buffer[256];
    cn_problem problem = {.err = CN_OK};
    const char *action = permitted[row].action;
    CN_AUTO_JSON json_t *body = json_of(*permitted[row].body ? body_for(p, permitted[row].body, buffer) : "{}");
    bool fine = false;
    cn_state to = from;
    for (size_t i = 0; i < COUNT_OF(permitted); i++)
        if (strcmp(permitted[i].action, action) == 0 && (permitted[i].from & BIT(from)) &&
            (permitted[i].who & BIT(who))) {
            fine = true;
            if (permitted[i].to != CN_STATE_COUNT) to = permitted[i].to;
        }
    int64_t before = steps(p);
    unsigned told = p->changes;
    cn_err err = cn_request_act(p->c, actor(p, who), id, action, body, &problem);
    bool as_expected = fine                 ? err == CN_OK
                       : !(sees & BIT(who)) ? err == CN_ERR_NOTFOUND
                                            : (err == CN_ERR_FORBIDDEN || err == CN_ERR_STATE) && problem.detail[0];
    if (!as_expected || request_state(p, id) != to || steps(p) != before + fine || p->changes != told + fine)
        fail_msg("%s in %s by actor %u: %s (%s), then %s", action, cn_state_name(from), who, cn_err_name(err),
                 problem.detail, cn_state_name(request_state(p, id)));
    if (fine && to != from) put(p, id, from);
}

static void test_every_act_in_every_state(void **state)
{
    platform p;
    char id[CN_ID_TEXT];
    platform_open(&p, state);
    request_new(&p, false, "张三", id);
    request_consent(&p, id);
    assign(&p, id);
    for (unsigned s = 0; s < CN_STATE_COUNT; s++) {
        put(&p, id, (cn_state)s);
        for (size_t row = 0; row + 1 < COUNT_OF(permitted); row++) /* the last row is cancel's second */
            for (unsigned who = 0; who < ACTORS; who++) try_one(&p, id, row, (cn_state)s, who);
    }
    platform_close(&p);
}

static void test_urgent_is_accepted(void **state)
{
    platform p;
    char id[CN_ID_TEXT], room[CN_ID_TEXT];
    cn_problem problem = {.err = CN_OK};
    platform_open(&p, state);
    for (unsigned s = 0; s < CN_STATE_COUNT; s++) {
        request_new(&p, true, "张三", id);
        put(&p, id, (cn_state)s);
        bool open = s == CN_STATE_UPLOADING || s == CN_STATE_PENDING_REVIEW;
        assert_err(request_do(&p, &p.third, id, "accept", ""), open ? CN_OK : CN_ERR_NOTFOUND);
        assert_int_equal(request_state(&p, id), open ? CN_STATE_IN_SESSION : (cn_state)s);
        assert_err(request_do(&p, &p.colleague, id, "accept", ""), CN_ERR_NOTFOUND);
        assert_err(request_do(&p, &p.referrer, id, "accept", ""), CN_ERR_FORBIDDEN);
        /* whoever is second does not see it any more; who was first leads */
        assert_err(request_do(&p, &p.lead, id, "accept", ""), CN_ERR_NOTFOUND);
        if (!open) continue;
        CN_AUTO_JSON json_t *request = NULL;
        assert_ok(cn_request_get(p.c, &p.third, id, &request));
        assert_string_equal(json_string_value(json_object_get(json_object_get(request, "lead"), "id")), p.third.user);
        assert_ok(cn_request_room(p.c, &p.third, id, room, &problem));
        assert_ok(request_do(&p, &p.third, id, "finish", ""));
    }
    platform_close(&p);
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
        {"{'patient': {'name': '李', 'sex': 'male', 'phone': 'call me'}, 'diagnosis': 'd'}", "patient.phone"},
        {"{'patient': {'name': '李', 'sex': 'male'}, 'diagnosis': ''}", "diagnosis"},
        {"{'patient': {'name': '李', 'sex': 'male'}, 'diagnosis': 'd', 'urgency': 'now'}", "urgency"},
        {"{'patient': {'name': '李', 'sex': 'male'}, 'diagnosis': 'd', 'kind': 'R'}", "kind"},
    };
    platform p;
    platform_open(&p, state);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        char id[CN_ID_TEXT] = "";
        cn_problem problem = {.err = CN_OK};
        CN_AUTO_JSON json_t *body = json_of(bad[i].form);
        cn_err err = cn_request_create(p.c, &p.referrer, body, id, &problem);
        if (err == CN_OK || !strstr(problem.field, bad[i].field) || !problem.detail[0] || id[0])
            fail_msg("%s: %s, field \"%s\"", bad[i].form, cn_err_name(err), problem.field);
    }
    CN_AUTO_JSON json_t *good = json_of("{'patient': {'name': '李', 'sex': 'male'}, 'diagnosis': 'd'}");
    char id[CN_ID_TEXT];
    cn_problem problem = {.err = CN_OK};
    assert_err(cn_request_create(p.c, &p.lead, good, id, &problem), CN_ERR_FORBIDDEN);
    assert_err(cn_request_create(p.c, &p.admin, good, id, &problem), CN_ERR_FORBIDDEN);
    assert_int_equal(platform_int(&p, "SELECT COUNT(*) FROM requests"), 0);
    assert_ok(cn_request_create(p.c, &p.referrer, good, id, &problem));
    platform_close(&p);
}

static void test_what_was_written_is_read(void **state)
{
    platform p;
    char id[CN_ID_TEXT], number[64];
    cn_problem problem = {.err = CN_OK};
    platform_open(&p, state);
    request_new(&p, true, "欧阳若兰", id);
    CN_AUTO_JSON json_t *q = NULL;
    assert_ok(cn_request_get(p.c, &p.referrer, id, &q));
    const json_t *patient = json_object_get(q, "patient");
    assert_string_equal(json_string_value(json_object_get(patient, "name")), "欧阳若兰");
    assert_string_equal(json_string_value(json_object_get(patient, "identity_number")), "110101196105020021");
    assert_string_equal(json_string_value(json_object_get(patient, "phone")), "13800000000");
    assert_string_equal(json_string_value(json_object_get(q, "urgency")), "urgent");
    cn_strcpy(number, sizeof number, json_string_value(json_object_get(q, "number")));
    /* nothing of it lies open in the database */
    assert_int_equal(platform_int(&p, "SELECT COUNT(*) FROM requests WHERE patient_identity_token = ''"), 0);
    CN_AUTO_JSON json_t *body = json_of("{'patient': {'name': '欧阳若岚', 'sex': 'female'}, 'diagnosis': '改后'}");
    assert_ok(cn_request_update(p.c, &p.referrer, id, body, &problem));
    assert_err(cn_request_update(p.c, &p.colleague, id, body, &problem), CN_ERR_NOTFOUND);
    assert_err(cn_request_update(p.c, &p.admin, id, body, &problem), CN_ERR_FORBIDDEN);
    CN_AUTO_JSON json_t *after = NULL;
    assert_ok(cn_request_get(p.c, &p.admin, id, &after));
    patient = json_object_get(after, "patient");
    assert_string_equal(json_string_value(json_object_get(patient, "name")), "欧阳若岚");
    assert_string_equal(json_string_value(json_object_get(patient, "phone")), "");
    assert_string_equal(json_string_value(json_object_get(after, "number")), number);
    put(&p, id, CN_STATE_SCHEDULED);
    assert_err(cn_request_update(p.c, &p.referrer, id, body, &problem), CN_ERR_STATE);
    assert_non_null(strstr(problem.detail, "SCHEDULED"));
    platform_close(&p);
}

/* ---- who sees what ---- */

static int64_t listed(platform *p, const cn_actor *a, const char *tab, const char *name)
{
    const cn_request_filter f = {.tab = tab, .name = name, .page = 1, .size = 50};
    cn_problem problem = {.err = CN_OK};
    CN_AUTO_JSON json_t *out = NULL;
    assert_ok(cn_request_list(p->c, a, &f, &out, &problem));
    assert_int_equal(json_array_size(json_object_get(out, "items")), json_integer_value(json_object_get(out, "total")));
    return json_integer_value(json_object_get(out, "total"));
}

static void test_room_settings(void **state)
{
    platform p;
    char id[CN_ID_TEXT], room[CN_ID_TEXT];
    cn_problem problem = {.err = CN_OK};
    cn_room_info info;
    const char *field;
    platform_open(&p, state);
    request_new(&p, false, "李明", id);
    request_until(&p, id, CN_STATE_IN_SESSION);
    assert_ok(cn_request_room(p.c, &p.lead, id, room, &problem));
    assert_ok(cn_room_get(p.c, &p.lead, room, &info));
    cn_room_settings s = cn_room_settings_default();
    assert_memory_equal(&info.settings, &s, sizeof s);
    assert_true(cn_room_settings_valid(&s, &field));
    s.locked = s.lobby = true;
    cn_strcpy(s.unmute, sizeof s.unmute, "host");
    cn_strcpy(s.tier_max, sizeof s.tier_max, "super_hd");
    cn_strcpy(s.codec, sizeof s.codec, "av1");
    assert_ok(cn_room_settings_set(p.c, &p.lead, room, &s));
    assert_ok(cn_room_settings_set(p.c, &p.referrer, room, &s)); /* host while no lead expert is there */
    assert_ok(cn_room_settings_set(p.c, &p.admin, room, &s));
    assert_err(cn_room_settings_set(p.c, &p.second, room, &s), CN_ERR_FORBIDDEN);
    assert_err(cn_room_settings_set(p.c, &p.nobody, room, &s), CN_ERR_NOTFOUND);
    assert_err(cn_room_settings_set(p.c, &p.lead, "no-such-room", &s), CN_ERR_NOTFOUND);
    assert_ok(cn_room_get(p.c, &p.second, room, &info));
    assert_true(info.settings.locked && info.settings.lobby);
    assert_string_equal(info.settings.unmute, "host");
    assert_string_equal(info.settings.tier_max, "super_hd");
    assert_string_equal(info.settings.codec, "av1");
    cn_strcpy(s.tier_max, sizeof s.tier_max, "voice");
    assert_false(cn_room_settings_valid(&s, &field));
    assert_string_equal(field, "tier_max");
    assert_err(cn_room_settings_set(p.c, &p.lead, room, &s), CN_ERR_INVALID);
    assert_ok(cn_room_close(p.c, &p.admin, room));
    cn_strcpy(s.tier_max, sizeof s.tier_max, "sd");
    assert_err(cn_room_settings_set(p.c, &p.lead, room, &s), CN_ERR_STATE);
    platform_close(&p);
}

static void test_foreign_records_are_invisible(void **state)
{
    platform p;
    char ordinary[CN_ID_TEXT], urgent[CN_ID_TEXT], room[CN_ID_TEXT], fresh[CN_ID_TEXT];
    cn_problem problem = {.err = CN_OK};
    cn_room_info info;
    platform_open(&p, state);
    request_new(&p, false, "李明", ordinary);
    request_until(&p, ordinary, CN_STATE_IN_SESSION);
    request_new(&p, true, "王芳", urgent);
    assert_ok(cn_request_room(p.c, &p.lead, ordinary, room, &problem));
    const cn_actor *strangers[] = {&p.colleague, &p.nobody};
    for (size_t i = 0; i < COUNT_OF(strangers); i++) {
        json_t *q = NULL;
        assert_err(cn_request_get(p.c, strangers[i], ordinary, &q), CN_ERR_NOTFOUND);
        assert_err(cn_request_get(p.c, strangers[i], urgent, &q), CN_ERR_NOTFOUND);
        assert_null(q);
        assert_err(cn_request_room(p.c, strangers[i], ordinary, fresh, &problem), CN_ERR_NOTFOUND);
        assert_err(cn_room_get(p.c, strangers[i], room, &info), CN_ERR_NOTFOUND);
        assert_int_equal(listed(&p, strangers[i], NULL, NULL), 0);
        assert_int_equal(listed(&p, strangers[i], NULL, "李明"), 0);
    }
    assert_int_equal(listed(&p, &p.referrer, NULL, NULL), 2);
    assert_int_equal(listed(&p, &p.admin, NULL, NULL), 2);
    assert_int_equal(listed(&p, &p.reader, NULL, NULL), 2);
    assert_int_equal(listed(&p, &p.second, NULL, NULL), 2); /* his own and the urgent one */
    assert_int_equal(listed(&p, &p.third, NULL, NULL), 1);
    /* what somebody was is not what he is */
    cn_actor was = p.second;
    was.rights = 0;
    assert_int_equal(listed(&p, &was, NULL, NULL), 0);
    assert_err(request_do(&p, &was, ordinary, "finish", ""), CN_ERR_NOTFOUND);
    /* made-up and mangled numbers */
    json_t *q = NULL;
    cn_id_new(fresh);
    assert_err(cn_request_get(p.c, &p.admin, fresh, &q), CN_ERR_NOTFOUND);
    assert_err(cn_request_get(p.c, &p.admin, "' OR 1=1 --", &q), CN_ERR_NOTFOUND);
    assert_err(cn_request_get(p.c, &p.admin, "", &q), CN_ERR_NOTFOUND);
    assert_true(
        platform_int(&p, "SELECT COUNT(*) FROM audit_log WHERE action = 'request.read' AND outcome = 'denied'") >= 4);
    platform_close(&p);
}

static void test_lists(void **state)
{
    platform p;
    char id[CN_ID_TEXT];
    static const char *const names[] = {"欧阳若兰", "欧阳明", "李若兰", "Anna Smith"};
    cn_problem problem = {.err = CN_OK};
    platform_open(&p, state);
    for (size_t i = 0; i < COUNT_OF(names); i++) request_new(&p, false, names[i], id);
    assert_int_equal(listed(&p, &p.referrer, "uploading", NULL), 4);
    assert_int_equal(listed(&p, &p.referrer, "pending", NULL), 0);
    assert_int_equal(listed(&p, &p.admin, NULL, "欧阳"), 2);
    assert_int_equal(listed(&p, &p.admin, NULL, "若兰"), 2);
    assert_int_equal(listed(&p, &p.admin, NULL, "兰"), 2);
    assert_int_equal(listed(&p, &p.admin, NULL, "欧 阳 若兰"), 1);
    assert_int_equal(listed(&p, &p.admin, NULL, "anna smith"), 1);
    assert_int_equal(listed(&p, &p.admin, NULL, "ＡＮＮＡ"), 1); /* as an input method writes it */
    assert_int_equal(listed(&p, &p.admin, NULL, "赵"), 0);
    assert_int_equal(listed(&p, &p.admin, NULL, "   "), 4);
    request_consent(&p, id);
    assert_ok(request_do(&p, &p.referrer, id, "submit", ""));
    assert_int_equal(listed(&p, &p.referrer, "pending", NULL), 1);
    assert_ok(request_do(&p, &p.referrer, id, "cancel", "{'reason': '转院'}"));
    assert_int_equal(listed(&p, &p.referrer, "completed", NULL), 1);
    const cn_request_filter bad[] = {{.tab = "all", .page = 1, .size = 20},
                                     {.page = 0, .size = 20},
                                     {.page = 1, .size = 201},
                                     {.page = 1, .size = 0}};
    json_t *out = NULL;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_err(cn_request_list(p.c, &p.admin, &bad[i], &out, &problem), CN_ERR_INVALID);
        assert_null(out);
    }
    platform_close(&p);
}

/* ---- what the steps ask for ---- */

static void test_required_files(void **state)
{
    platform p;
    char id[CN_ID_TEXT];
    cn_problem problem = {.err = CN_OK};
    platform_open(&p, state);
    request_new(&p, false, "李明", id);
    CN_AUTO_JSON json_t *none = json_object();
    assert_err(cn_request_act(p.c, &p.referrer, id, "submit", none, &problem), CN_ERR_CONFLICT);
    assert_string_equal(problem.field, "files");
    assert_non_null(strstr(problem.detail, "consent"));
    assert_int_equal(request_state(&p, id), CN_STATE_UPLOADING);
    request_consent(&p, id);
    platform_sql(&p, "UPDATE files SET deleted_ms = 5"); /* a deleted one is none */
    assert_err(request_do(&p, &p.referrer, id, "submit", ""), CN_ERR_CONFLICT);
    request_consent(&p, id);
    assert_ok(request_do(&p, &p.referrer, id, "submit", ""));
    assert_string_equal(p.last_state, "PENDING_REVIEW");
    platform_close(&p);
}

static void test_return_and_resubmit(void **state)
{
    platform p;
    char id[CN_ID_TEXT];
    cn_problem problem = {.err = CN_OK};
    platform_open(&p, state);
    request_new(&p, false, "李明", id);
    request_until(&p, id, CN_STATE_PENDING_REVIEW);
    assert_err(request_do(&p, &p.admin, id, "return", ""), CN_ERR_INVALID);
    assert_err(request_do(&p, &p.admin, id, "return", "{'reason': ''}"), CN_ERR_INVALID);
    assert_int_equal(request_state(&p, id), CN_STATE_PENDING_REVIEW);
    assert_ok(request_do(&p, &p.admin, id, "return", "{'reason': '请补充切片'}"));
    CN_AUTO_JSON json_t *q = NULL,
                        *body = json_of("{'patient': {'name': '李明', 'sex': 'male'}, 'diagnosis': '补充后'}");
    assert_ok(cn_request_get(p.c, &p.referrer, id, &q));
    assert_string_equal(json_string_value(json_object_get(q, "return_reason")), "请补充切片");
    assert_ok(cn_request_update(p.c, &p.referrer, id, body, &problem));
    assert_int_equal(request_state(&p, id), CN_STATE_RETURNED);
    assert_ok(request_do(&p, &p.referrer, id, "submit", ""));
    assert_int_equal(request_state(&p, id), CN_STATE_PENDING_REVIEW);
    platform_close(&p);
}

static void test_bad_schedules(void **state)
{
    platform p;
    char id[CN_ID_TEXT], body[300];
    platform_open(&p, state);
    request_new(&p, false, "李明", id);
    request_until(&p, id, CN_STATE_PENDING_REVIEW);
    long long soon = (long long)cn_wall_ms() + 3600000;
    const struct {
        const char *lead, *second;
        long long at;
        int minutes;
    } bad[] = {{p.referrer.user, p.second.user, soon, 30}, /* is no expert */
               {p.lead.user, p.admin.user, soon, 30},      /* nor is he */
               {"01ARZ3NDEKTSV4RRFFQ69G5FAV", p.second.user, soon, 30},
               {"", p.second.user, soon, 30},
               {p.lead.user, p.second.user, 1000, 30}, /* long ago */
               {p.lead.user, p.second.user, soon * 2, 30},
               {p.lead.user, p.second.user, soon, 4},
               {p.lead.user, p.second.user, soon, 721}};
    int64_t before = steps(&p);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        snprintf(body, sizeof body, "{'lead': '%s', 'experts': ['%s'], 'at': %lld, 'minutes': %d}", bad[i].lead,
                 bad[i].second, bad[i].at, bad[i].minutes);
        assert_err(request_do(&p, &p.admin, id, "schedule", body), CN_ERR_INVALID);
    }
    /* a disabled account is none */
    snprintf(body, sizeof body, "UPDATE users SET active = 0 WHERE id = '%s'", p.third.user);
    platform_sql(&p, body);
    snprintf(body, sizeof body, "{'lead': '%s', 'at': %lld}", p.third.user, soon);
    assert_err(request_do(&p, &p.admin, id, "schedule", body), CN_ERR_INVALID);
    assert_int_equal(request_state(&p, id), CN_STATE_PENDING_REVIEW);
    assert_int_equal(steps(&p), before);
    assert_int_equal(platform_int(&p, "SELECT COUNT(*) FROM request_experts"), 0);
    platform_close(&p);
}

static void test_room(void **state)
{
    platform p;
    char id[CN_ID_TEXT], room[CN_ID_TEXT] = "", again[CN_ID_TEXT] = "";
    cn_problem problem = {.err = CN_OK};
    cn_room_info info;
    platform_open(&p, state);
    request_new(&p, false, "李明", id);
    request_until(&p, id, CN_STATE_PENDING_REVIEW);
    assert_err(cn_request_room(p.c, &p.referrer, id, room, &problem), CN_ERR_STATE);
    assert_string_equal(room, "");
    put(&p, id, CN_STATE_SCHEDULED);
    assign(&p, id);
    assert_err(cn_request_room(p.c, &p.reader, id, room, &problem), CN_ERR_FORBIDDEN);
    assert_true(problem.detail[0] != 0);
    assert_err(cn_request_room(p.c, &p.third, id, room, &problem), CN_ERR_NOTFOUND);
    unsigned told = p.changes;
    assert_ok(cn_request_room(p.c, &p.referrer, id, room, &problem));
    assert_int_equal(request_state(&p, id), CN_STATE_IN_SESSION);
    assert_int_equal(p.changes, told + 1);
    int64_t before = steps(&p);
    assert_ok(cn_request_room(p.c, &p.second, id, again, &problem)); /* whoever comes later comes into the same */
    assert_string_equal(room, again);
    assert_ok(cn_request_room(p.c, &p.admin, id, again, &problem));
    assert_string_equal(room, again);
    assert_int_equal(steps(&p), before);
    assert_err(cn_request_room(p.c, &p.reader, id, room, &problem), CN_ERR_FORBIDDEN);
    assert_true(problem.detail[0] != 0);
    assert_ok(cn_room_get(p.c, &p.second, room, &info));
    assert_true(info.open);
    assert_int_equal(info.parts, CN_PART_EXPERT);
    put(&p, id, CN_STATE_REPORTED);
    assert_ok(request_do(&p, &p.referrer, id, "close", ""));
    assert_ok(cn_room_get(p.c, &p.second, room, &info));
    assert_false(info.open);
    assert_err(cn_request_room(p.c, &p.referrer, id, room, &problem), CN_ERR_STATE);
    platform_close(&p);
}

/* Two who looked at the same state: the second is told, nothing of his is kept. */
static void test_somebody_was_first(void **state)
{
    platform p;
    char id[CN_ID_TEXT];
    cn_request_scope seen;
    cn_problem problem = {.err = CN_OK};
    platform_open(&p, state);
    request_new(&p, false, "李明", id);
    request_until(&p, id, CN_STATE_PENDING_REVIEW);
    cn_conn *conn = NULL;
    assert_ok(cn_conn_acquire(p.c->db, &conn));
    assert_ok(cn_request_scope_get(conn, &p.admin, id, &seen));
    assert_ok(request_do(&p, &p.admin, id, "reject", "{'reason': '重复申请'}"));
    int64_t before = steps(&p);
    assert_ok(cn_tx_begin(conn));
    assert_err(cn_request_step(conn, &p.admin, &seen, "return", "x", &problem), CN_ERR_CONFLICT);
    cn_conn_release(conn);
    assert_true(problem.detail[0] != 0);
    assert_int_equal(request_state(&p, id), CN_STATE_REJECTED);
    assert_int_equal(steps(&p), before);
    platform_close(&p);
}

static void assert_rows(platform *p, const char *action, int64_t expected)
{
    char sql[200];
    snprintf(sql, sizeof sql, "SELECT COUNT(*) FROM audit_log WHERE action = '%s' AND outcome = 'ok'", action);
    int64_t n = platform_int(p, sql);
    if (n != expected)
        fail_msg("%s stands %lld times in the audit log, not %lld", action, (long long)n, (long long)expected);
}

static bool may_now(platform *p, const cn_actor *a, const char *id, const char *action)
{
    CN_AUTO_JSON json_t *q = NULL;
    size_t i;
    json_t *item;
    assert_ok(cn_request_get(p->c, a, id, &q));
    json_array_foreach(json_object_get(q, "actions"), i, item)
    {
        if (strcmp(json_string_value(item), action) == 0) return true;
    }
    return false;
}

static void test_a_whole_life(void **state)
{
    static const char *const history[] = {"create", "submit",  "schedule", "room", "finish",
                                          "sign",   "release", "record",   "close"};
    static const char *const rows[] = {"request.create", "request.submit", "request.schedule", "request.room",
                                       "request.finish", "report.draft",   "report.sign",      "opinion.sign",
                                       "record.write",   "request.close"};
    platform p;
    char id[CN_ID_TEXT];
    cn_problem problem = {.err = CN_OK};
    platform_open(&p, state);
    request_new(&p, false, "李明", id);
    assert_true(may_now(&p, &p.referrer, id, "submit"));
    assert_false(may_now(&p, &p.admin, id, "submit"));
    request_until(&p, id, CN_STATE_AWAITING_REPORT);
    assert_true(may_now(&p, &p.lead, id, "draft"));
    assert_false(may_now(&p, &p.second, id, "draft"));
    assert_true(may_now(&p, &p.second, id, "opinion"));
    CN_AUTO_JSON json_t *opinion = json_of("{'text': '同意'}"), *record = json_of("{'text': '会诊记录'}");
    CN_AUTO_JSON json_t *draft = json_of("{'findings': '所见', 'conclusion': '结论', 'advice': '', 'revision': 0}");
    int64_t revision = 0;
    assert_ok(cn_opinion_add(p.c, &p.second, id, opinion, &problem));
    assert_ok(cn_report_draft(p.c, &p.lead, id, draft, &revision, &problem));
    assert_ok(cn_report_sign(p.c, &p.lead, id, NULL, &problem));
    assert_ok(cn_record_set(p.c, &p.referrer, id, record, &problem));
    assert_ok(request_do(&p, &p.referrer, id, "close", ""));
    assert_int_equal(request_state(&p, id), CN_STATE_CLOSED);
    CN_AUTO_JSON json_t *q = NULL;
    assert_ok(cn_request_get(p.c, &p.referrer, id, &q));
    const json_t *told = json_object_get(q, "history");
    size_t at = 0;
    for (size_t i = 0; i < json_array_size(told); i++) {
        const char *action = json_string_value(json_object_get(json_array_get(told, i), "action"));
        if (strcmp(action, "opinion") == 0) continue;
        assert_true(at < COUNT_OF(history));
        assert_string_equal(action, history[at++]);
    }
    assert_int_equal(at, COUNT_OF(history));
    for (size_t i = 0; i < COUNT_OF(rows); i++) assert_rows(&p, rows[i], 1);
    /* the log names nobody */
    assert_int_equal(platform_int(&p, "SELECT COUNT(*) FROM audit_log WHERE object LIKE '%李%' OR detail LIKE '%李%'"),
                     0);
    assert_ok(cn_chain_verify(CN_CHAIN_AUDIT, p.c->db, p.s->vault, p.s->heads, stderr));
    platform_close(&p);
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
        CN_DB_TESTS(test_bad_schedules),
        CN_DB_TESTS(test_room),
        CN_DB_TESTS(test_somebody_was_first),
        CN_DB_TESTS(test_a_whole_life),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
