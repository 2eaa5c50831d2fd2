/* The shared view: which file, who presents it, where he looks. Relayed, newest state first; nobody gets a backlog. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "consult/file/file.h"
#include "signaling/live/errand.h"
#include "signaling/live/hall.h"
#include "signaling/live/view.h"

static void tell_view(cn_hall *hall, const cn_member *except)
{
    hall->view_turn++;
    *hall->presented = '\0';
    cn_hall_notice(hall, except, "view.opened", cn_hall_view_json(hall), NULL);
}

void cn_hall_presenter_left(cn_hall *hall, const cn_member *member)
{
    if (strcmp(hall->presenter, member->id) != 0) return;
    *hall->presenter = '\0';
    json_decref(hall->pointer);
    hall->pointer = NULL;
    tell_view(hall, member);
}

void cn_hall_presenter_away(cn_hall *hall, const cn_member *member)
{
    if (strcmp(hall->presenter, member->id) != 0) return;
    cn_hall_presenter_left(hall, member);
    cn_strcpy(hall->presented, sizeof hall->presented, member->user);
    hall->presented_until_ms = cn_mono_ms() + CN_BACK_SOON_MS;
}

void cn_hall_presenter_back(cn_hall *hall, const cn_member *member)
{
    if (!*member->user || strcmp(hall->presented, member->user) != 0) return;
    if (cn_mono_ms() > hall->presented_until_ms) return;
    cn_strcpy(hall->presenter, sizeof hall->presenter, member->id);
    tell_view(hall, member);
}

static json_t *view_result(const cn_hall *hall)
{
    return json_pack("{s:o}", "view", cn_hall_view_json(hall));
}

/* ---- opening a file: the check on a job thread ---- */

typedef struct opening {
    cn_call_errand base;
    char file[CN_ID_TEXT], request[CN_ID_TEXT], member[CN_ID_TEXT];
    int page;
    cn_file_info info;
} opening;

static void show_file(opening *start, cn_member *me)
{
    cn_hall *hall = me->hall;
    cn_hall_view_close(hall);
    cn_strcpy(hall->file, sizeof hall->file, start->info.id);
    cn_strcpy(hall->kind, sizeof hall->kind, start->info.kind);
    cn_strcpy(hall->presenter, sizeof hall->presenter, me->id);
    hall->file_name = cn_strdup(start->info.name);
    hall->page = start->page;
    tell_view(hall, me);
}

static void file_checked(cn_call_errand *errand, cn_client *client)
{
    opening *start = (opening *)errand;
    cn_member *me = client ? client->member : NULL;
    if (me && strcmp(me->id, start->member) == 0 && !errand->live->closing) {
        if (errand->err == CN_OK) show_file(start, me);
        cn_call_errand_answer(errand, client, view_result(me->hall));
    }
    cn_call_errand_free(errand);
}

/* Job thread. */
static cn_err check_file(cn_call_errand *errand)
{
    opening *start = (opening *)errand;
    CN_TRY(cn_file_get(errand->live->config.consult, &errand->actor, start->file, "view.open", &start->info));
    if (!*start->request || strcmp(start->info.request, start->request) != 0)
        return cn_problem_set(&errand->problem, CN_ERR_NOTFOUND, "file",
                              "this file does not belong to the room's request");
    if (strcmp(start->info.kind, "other") == 0)
        return cn_problem_set(&errand->problem, CN_ERR_STATE, "file", "this kind of file cannot be shown");
    if (strcmp(start->info.state, "ready") != 0)
        return cn_problem_set(&errand->problem, CN_ERR_STATE, "file", "this file is not ready to be shown");
    return CN_OK;
}

static cn_err close_view(cn_method_call *call, json_t **result)
{
    cn_member *me = call->client->member;
    if (*me->hall->file && *me->hall->presenter && strcmp(me->hall->presenter, me->id) != 0)
        return cn_problem_set(&call->problem, CN_ERR_FORBIDDEN, "", "only the presenter closes it");
    cn_hall_view_close(me->hall);
    tell_view(me->hall, me);
    *result = view_result(me->hall);
    return CN_OK;
}

cn_err cn_do_view_open(cn_method_call *call, json_t **result)
{
    const char *file = NULL;
    int64_t page = 1;
    const cn_member *me = call->client->member;
    CN_TRY(cn_json_line(call->params, "file", false, 1, CN_ID_TEXT - 1, &file, &call->problem));
    CN_TRY(cn_json_i64(call->params, "page", false, 0, 100000, &page, &call->problem));
    if (!file) return close_view(call, result);
    opening *start = cn_call_errand_new(call, sizeof *start, NULL);
    if (!start) return CN_ERR_NOMEM;
    start->page = (int)page;
    cn_strcpy(start->file, sizeof start->file, file);
    cn_strcpy(start->request, sizeof start->request, me->hall->request);
    cn_strcpy(start->member, sizeof start->member, me->id);
    return cn_call_errand_go(&start->base, check_file, file_checked);
}

cn_err cn_do_view_present(cn_method_call *call, json_t **result)
{
    cn_member *me = call->client->member;
    cn_hall *hall = me->hall;
    bool on, mine = strcmp(hall->presenter, me->id) == 0;
    CN_TRY(cn_json_bool(call->params, "on", true, &on, &call->problem));
    if (on && !*hall->file) return cn_problem_set(&call->problem, CN_ERR_STATE, "", "nothing is shown");
    if (on != mine) {
        if (on) {
            cn_strcpy(hall->presenter, sizeof hall->presenter, me->id);
            json_decref(hall->pointer);
            hall->pointer = NULL;
            tell_view(hall, me);
        } else {
            cn_hall_presenter_left(hall, me);
        }
    }
    *result = view_result(hall);
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

static cn_err need_presenter(cn_method_call *call)
{
    const cn_member *me = call->client->member;
    if (strcmp(me->hall->presenter, me->id) == 0 && *me->hall->file) return CN_OK;
    return cn_problem_set(&call->problem, CN_ERR_FORBIDDEN, "", "you are not the presenter");
}

#define FAR 1e9 /* level-0 pixels: beyond every slide */

cn_err cn_do_view_state(cn_method_call *call, json_t **result)
{
    int64_t seq = 0, page = 1;
    double cx, cy, w, h, rotation = 0;
    (void)result;
    CN_TRY(need_presenter(call));
    cn_member *me = call->client->member;
    CN_TRY(cn_json_i64(call->params, "seq", true, 0, INT64_MAX / 2, &seq, &call->problem));
    CN_TRY(cn_json_real(call->params, "cx", true, -FAR, FAR, &cx, &call->problem));
    CN_TRY(cn_json_real(call->params, "cy", true, -FAR, FAR, &cy, &call->problem));
    CN_TRY(cn_json_real(call->params, "w", true, 0, FAR, &w, &call->problem));
    CN_TRY(cn_json_real(call->params, "h", true, 0, FAR, &h, &call->problem));
    CN_TRY(cn_json_real(call->params, "rotation", false, -36000, 36000, &rotation, &call->problem));
    CN_TRY(cn_json_i64(call->params, "page", false, 0, 100000, &page, &call->problem));
    json_t *state = json_pack("{s:s, s:I, s:f, s:f, s:f, s:f, s:f, s:I}", "presenter", me->id, "seq", (json_int_t)seq,
                              "cx", cx, "cy", cy, "w", w, "h", h, "rotation", rotation, "page", (json_int_t)page);
    if (!state) return CN_ERR_NOMEM;
    json_decref(me->hall->state);
    me->hall->state = json_incref(state);
    me->hall->page = (int)page;
    relay(me, "view.state", state);
    return CN_OK;
}

cn_err cn_do_view_pointer(cn_method_call *call, json_t **result)
{
    double x, y;
    bool on;
    (void)result;
    CN_TRY(need_presenter(call));
    cn_member *me = call->client->member;
    CN_TRY(cn_json_real(call->params, "x", true, -FAR, FAR, &x, &call->problem));
    CN_TRY(cn_json_real(call->params, "y", true, -FAR, FAR, &y, &call->problem));
    CN_TRY(cn_json_bool(call->params, "on", true, &on, &call->problem));
    json_t *pointer = json_pack("{s:s, s:f, s:f, s:b}", "presenter", me->id, "x", x, "y", y, "on", on);
    if (!pointer) return CN_ERR_NOMEM;
    json_decref(me->hall->pointer);
    me->hall->pointer = json_incref(pointer);
    relay(me, "view.pointer", pointer);
    return CN_OK;
}
