/* The shared view: which file, who presents it, where he looks. Relayed, newest state first; nobody gets a backlog. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "consult/file/file.h"
#include "signaling/live/live_private.h"

json_t *cn_hall_view_json(const cn_hall *h)
{
    if (!*h->file) return json_null();
    json_t *o =
        json_pack("{s:s, s:s, s:s, s:i, s:o}", "file", h->file, "name", h->file_name ? h->file_name : "", "kind",
                  h->kind, "page", h->page, "presenter", *h->presenter ? json_string(h->presenter) : json_null());
    if (o) {
        json_object_set(o, "state", h->state ? h->state : json_null());
        json_object_set(o, "pointer", h->pointer ? h->pointer : json_null());
    }
    return o;
}

static void forget_place(cn_hall *h)
{
    json_decref(h->state);
    json_decref(h->pointer);
    h->state = h->pointer = NULL;
}

void cn_hall_view_close(cn_hall *h)
{
    forget_place(h);
    free(h->file_name);
    h->file_name = NULL;
    *h->file = *h->presenter = '\0';
}

static void tell_view(cn_hall *h, const cn_member *except)
{
    h->view_turn++;
    cn_hall_notice(h, except, "view.opened", cn_hall_view_json(h), NULL);
}

void cn_hall_presenter_left(cn_hall *h, const cn_member *m)
{
    if (strcmp(h->presenter, m->id) != 0) return;
    *h->presenter = '\0';
    json_decref(h->pointer);
    h->pointer = NULL;
    tell_view(h, m);
}

static json_t *view_result(const cn_hall *h)
{
    return json_pack("{s:o}", "view", cn_hall_view_json(h));
}

/* ---- opening a file: the check on a job thread ---- */

typedef struct opening {
    cn_live *live;
    cn_door_call call;
    uint64_t serial;
    json_t *id;
    cn_actor actor;
    char file[CN_ID_TEXT], request[CN_ID_TEXT], member[CN_ID_TEXT];
    int page;
    cn_err err;
    cn_problem problem;
    cn_file_info info;
} opening;

static void opening_free(opening *o)
{
    json_decref(o->id);
    free(o);
}

static void show_file(opening *o, cn_member *me)
{
    cn_hall *h = me->hall;
    cn_hall_view_close(h);
    cn_strcpy(h->file, sizeof h->file, o->info.id);
    cn_strcpy(h->kind, sizeof h->kind, o->info.kind);
    cn_strcpy(h->presenter, sizeof h->presenter, me->id);
    h->file_name = cn_strdup(o->info.name);
    h->page = o->page;
    tell_view(h, me);
}

static void file_checked(void *arg)
{
    opening *o = arg;
    cn_client *c = cn_client_find(o->live, o->serial);
    cn_member *me = c ? c->member : NULL;
    if (me && strcmp(me->id, o->member) == 0 && !o->live->closing) {
        if (o->err == CN_OK) {
            show_file(o, me);
            cn_client_answer(c, o->id, view_result(me->hall));
        } else {
            cn_client_refuse(c, o->id, o->err, &o->problem);
        }
    }
    opening_free(o);
}

static cn_err judge_file(opening *o)
{
    CN_TRY(cn_file_get(&o->live->app->consult, &o->actor, o->file, "view.open", &o->info));
    if (!*o->request || strcmp(o->info.request, o->request) != 0)
        return cn_problem_set(&o->problem, CN_ERR_NOTFOUND, "file", "this file does not belong to the room's request");
    if (strcmp(o->info.kind, "other") == 0)
        return cn_problem_set(&o->problem, CN_ERR_STATE, "file", "this kind of file cannot be shown");
    if (strcmp(o->info.state, "ready") != 0)
        return cn_problem_set(&o->problem, CN_ERR_STATE, "file", "this file is not ready to be shown");
    return CN_OK;
}

/* Job thread. */
static void check_file(void *arg)
{
    opening *o = arg;
    o->err = judge_file(o);
    o->call = (cn_door_call){.fn = file_checked, .arg = o};
    cn_door_post(o->live->door, &o->call);
}

static cn_err close_view(cn_method_call *m, json_t **result)
{
    cn_member *me = m->client->member;
    if (*me->hall->file && *me->hall->presenter && strcmp(me->hall->presenter, me->id) != 0)
        return cn_problem_set(&m->problem, CN_ERR_FORBIDDEN, "", "only the presenter closes it");
    cn_hall_view_close(me->hall);
    tell_view(me->hall, me);
    *result = view_result(me->hall);
    return CN_OK;
}

cn_err cn_do_view_open(cn_method_call *m, json_t **result)
{
    const char *file = NULL;
    int64_t page = 1;
    const cn_member *me = m->client->member;
    CN_TRY(cn_json_str(m->params, "file", false, 1, CN_ID_TEXT - 1, &file, &m->problem));
    CN_TRY(cn_json_i64(m->params, "page", false, 0, 100000, &page, &m->problem));
    if (!file) return close_view(m, result);
    opening *o = CN_NEW(opening);
    if (!o) return CN_ERR_NOMEM;
    *o = (opening){.live = m->live,
                   .serial = m->client->serial,
                   .id = json_incref(m->id),
                   .actor = m->client->actor,
                   .page = (int)page};
    cn_strcpy(o->file, sizeof o->file, file);
    cn_strcpy(o->request, sizeof o->request, me->hall->request);
    cn_strcpy(o->member, sizeof o->member, me->id);
    if (cn_jobs_add(m->live->app->db_jobs, check_file, o) == CN_OK) return CN_ANSWERS_ITSELF;
    opening_free(o);
    return CN_ERR_AGAIN;
}

cn_err cn_do_view_present(cn_method_call *m, json_t **result)
{
    cn_member *me = m->client->member;
    cn_hall *h = me->hall;
    bool on, mine = strcmp(h->presenter, me->id) == 0;
    CN_TRY(cn_json_bool(m->params, "on", true, &on, &m->problem));
    if (on && !*h->file) return cn_problem_set(&m->problem, CN_ERR_STATE, "", "nothing is shown");
    if (on != mine) {
        if (on) {
            cn_strcpy(h->presenter, sizeof h->presenter, me->id);
            json_decref(h->pointer);
            h->pointer = NULL;
            tell_view(h, me);
        } else {
            cn_hall_presenter_left(h, me);
        }
    }
    *result = view_result(h);
    return CN_OK;
}

/* ---- where the presenter looks ---- */

/* The newest takes the place of one that waits still, but only of the same presenter's look at the same file. */
static void relay(const cn_member *me, const char *method, json_t *params)
{
    char key[32];
    cn_fmt(key, sizeof key, "%s/%u", method, me->hall->view_turn);
    cn_hall_notice(me->hall, me, method, params, key);
}

static cn_err need_presenter(cn_method_call *m)
{
    const cn_member *me = m->client->member;
    if (strcmp(me->hall->presenter, me->id) == 0 && *me->hall->file) return CN_OK;
    return cn_problem_set(&m->problem, CN_ERR_FORBIDDEN, "", "you are not the presenter");
}

#define FAR 1e9 /* level-0 pixels: beyond every slide */

cn_err cn_do_view_state(cn_method_call *m, json_t **result)
{
    int64_t seq = 0, page = 1;
    double cx, cy, w, h, rotation = 0;
    (void)result;
    CN_TRY(need_presenter(m));
    cn_member *me = m->client->member;
    CN_TRY(cn_json_i64(m->params, "seq", true, 0, INT64_MAX / 2, &seq, &m->problem));
    CN_TRY(cn_json_real(m->params, "cx", true, -FAR, FAR, &cx, &m->problem));
    CN_TRY(cn_json_real(m->params, "cy", true, -FAR, FAR, &cy, &m->problem));
    CN_TRY(cn_json_real(m->params, "w", true, 0, FAR, &w, &m->problem));
    CN_TRY(cn_json_real(m->params, "h", true, 0, FAR, &h, &m->problem));
    CN_TRY(cn_json_real(m->params, "rotation", false, -36000, 36000, &rotation, &m->problem));
    CN_TRY(cn_json_i64(m->params, "page", false, 0, 100000, &page, &m->problem));
    json_t *state = json_pack("{s:s, s:I, s:f, s:f, s:f, s:f, s:f, s:I}", "presenter", me->id, "seq", (json_int_t)seq,
                              "cx", cx, "cy", cy, "w", w, "h", h, "rotation", rotation, "page", (json_int_t)page);
    if (!state) return CN_ERR_NOMEM;
    json_decref(me->hall->state);
    me->hall->state = json_incref(state);
    me->hall->page = (int)page;
    relay(me, "view.state", state);
    return CN_OK;
}

cn_err cn_do_view_pointer(cn_method_call *m, json_t **result)
{
    double x, y;
    bool on;
    (void)result;
    CN_TRY(need_presenter(m));
    cn_member *me = m->client->member;
    CN_TRY(cn_json_real(m->params, "x", true, -FAR, FAR, &x, &m->problem));
    CN_TRY(cn_json_real(m->params, "y", true, -FAR, FAR, &y, &m->problem));
    CN_TRY(cn_json_bool(m->params, "on", true, &on, &m->problem));
    json_t *pointer = json_pack("{s:s, s:f, s:f, s:b}", "presenter", me->id, "x", x, "y", y, "on", on);
    if (!pointer) return CN_ERR_NOMEM;
    json_decref(me->hall->pointer);
    me->hall->pointer = json_incref(pointer);
    relay(me, "view.pointer", pointer);
    return CN_OK;
}
