/* The shared view: which file, who presents it, where he looks. Relayed, newest state first; nobody gets a backlog. */
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
#include "signaling/live/viewnews.h"
#include "signaling/live/viewparams.h"

static void tell_view(cn_hall *hall, const cn_member *except)
{
    hall->view_turn++;
    *hall->presented = '\0';
    cn_hall_view_told(hall); /* by what follows */
    cn_hall_notice(hall, except, "view.opened", cn_hall_view_json(hall), NULL);
}

/* Whoever presents points by itself wherever his hand is, and does no more when another presents, or nobody. */
static void set_presenter(cn_hall *hall, const char *member)
{
    (void)cn_board_unpoint(&hall->board, hall->presenter);
    cn_strcpy(hall->presenter, sizeof hall->presenter, member);
}

void cn_hall_presenter_left(cn_hall *hall, const cn_member *member)
{
    if (strcmp(hall->presenter, member->id) != 0) {
        if (cn_board_unpoint(&hall->board, member->id)) cn_hall_view_moved(hall);
        return;
    }
    set_presenter(hall, "");
    tell_view(hall, member);
}

void cn_hall_presenter_away(cn_hall *hall, const cn_member *member)
{
    bool presents = strcmp(hall->presenter, member->id) == 0;
    cn_hall_presenter_left(hall, member);
    if (!presents) return;
    cn_strcpy(hall->presented, sizeof hall->presented, member->user);
    hall->presented_until_ms = cn_mono_ms() + CN_BACK_SOON_MS;
}

void cn_hall_presenter_back(cn_hall *hall, const cn_member *member)
{
    if (!*member->user || strcmp(hall->presented, member->user) != 0) return;
    if (cn_mono_ms() > hall->presented_until_ms) return;
    set_presenter(hall, member->id);
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
    set_presenter(hall, me->id);
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

/* ---- who presents ---- */

/* The one whom the presenter, or a host, hands it to. */
static cn_err find_next(cn_method_call *call, const char *id, cn_member **out)
{
    const cn_member *me = call->client->member;
    if (strcmp(me->hall->presenter, me->id) != 0 && !cn_member_is_host(me))
        return cn_problem_set(&call->problem, CN_ERR_FORBIDDEN, "", "you are not the presenter");
    cn_member *next = cn_member_find(call->live, id);
    if (!next || next->hall != me->hall || next->leaving || !next->client || !next->answered)
        return cn_problem_set(&call->problem, CN_ERR_NOTFOUND, "to", "no such participant");
    *out = next;
    return CN_OK;
}

cn_err cn_do_view_present(cn_method_call *call, json_t **result)
{
    cn_member *me = call->client->member, *next = me;
    cn_hall *hall = me->hall;
    const char *to = NULL;
    bool on;
    CN_TRY(cn_json_bool(call->params, "on", true, &on, &call->problem));
    CN_TRY(cn_json_line(call->params, "to", false, 1, CN_ID_TEXT - 1, &to, &call->problem));
    if (on && !*hall->file) return cn_problem_set(&call->problem, CN_ERR_STATE, "", "nothing is shown");
    if (on && to) CN_TRY(find_next(call, to, &next));
    bool presents = strcmp(hall->presenter, next->id) == 0;
    if (on && !presents) {
        set_presenter(hall, next->id);
        tell_view(hall, me);
    } else if (!on && presents) {
        cn_hall_presenter_left(hall, me);
    }
    *result = view_result(hall);
    return CN_OK;
}

/* ---- where the presenter looks ---- */

static cn_err need_file(cn_method_call *call)
{
    if (*call->client->member->hall->file) return CN_OK;
    return cn_problem_set(&call->problem, CN_ERR_STATE, "", "nothing is shown");
}

cn_err cn_do_view_state(cn_method_call *call, json_t **result)
{
    cn_view_look look;
    cn_hall *hall = call->client->member->hall;
    (void)result;
    if (!*hall->file || strcmp(hall->presenter, call->client->member->id) != 0)
        return cn_problem_set(&call->problem, CN_ERR_FORBIDDEN, "", "you are not the presenter");
    CN_TRY(cn_view_look_read(call->params, &look, &call->problem));
    json_t *state = cn_view_look_json(&look, hall->presenter);
    if (!state) return CN_ERR_NOMEM;
    json_decref(hall->state);
    hall->state = state;
    hall->page = look.page;
    cn_hall_view_moved(hall);
    return CN_OK;
}

/* ---- what people show each other on it ---- */

/* The colour that the fewest in the room have; everybody keeps his own. */
static unsigned hue_of(cn_member *me)
{
    unsigned used[CN_HUES + 1] = {0}, best = 1;
    if (me->hue) return me->hue;
    for (const cn_member *member = me->hall->members; member; member = member->next) used[member->hue]++;
    for (unsigned hue = 2; hue <= CN_HUES; hue++)
        if (used[hue] < used[best]) best = hue;
    return me->hue = best;
}

cn_err cn_do_view_pointer(cn_method_call *call, json_t **result)
{
    cn_pointer pointer;
    bool on;
    cn_member *me = call->client->member;
    cn_hall *hall = me->hall;
    (void)result;
    CN_TRY(need_file(call));
    CN_TRY(cn_view_pointer_read(call->params, &pointer, &on, &call->problem));
    if (!on) {
        if (cn_board_unpoint(&hall->board, me->id)) cn_hall_view_moved(hall);
        return CN_OK;
    }
    cn_strcpy(pointer.participant, sizeof pointer.participant, me->id);
    pointer.hue = hue_of(me);
    pointer.at_ms = cn_mono_ms();
    if (!cn_board_point(&hall->board, &pointer, strcmp(hall->presenter, me->id) == 0))
        return cn_problem_set(&call->problem, CN_ERR_STATE, "", "%d people point already", CN_POINTERS);
    cn_hall_view_moved(hall);
    return CN_OK;
}

cn_err cn_do_view_draw(cn_method_call *call, json_t **result)
{
    cn_drawing drawing;
    size_t from = 0;
    cn_member *me = call->client->member;
    (void)result;
    CN_TRY(need_file(call));
    CN_TRY(cn_view_drawing_read(call->params, &drawing, &call->problem));
    const cn_hand hand = {.participant = me->id, .hue = hue_of(me)};
    cn_err err = cn_board_draw(&me->hall->board, hand, &drawing, cn_mono_ms(), &from);
    if (err == CN_ERR_STATE)
        return cn_problem_set(&call->problem, err, "", "there is too much drawn already: clear some of it first");
    if (err == CN_OK) cn_hall_view_drawn(me->hall, cn_board_drawn_json(hand, &drawing, from));
    return err;
}

cn_err cn_do_view_clear(cn_method_call *call, json_t **result)
{
    bool all = false;
    const cn_member *me = call->client->member;
    cn_hall *hall = me->hall;
    (void)result;
    CN_TRY(cn_json_bool(call->params, "all", false, &all, &call->problem));
    if (all && strcmp(hall->presenter, me->id) != 0 && !cn_member_is_host(me))
        return cn_problem_set(&call->problem, CN_ERR_FORBIDDEN, "all", "only the presenter clears what others drew");
    cn_board_clear(&hall->board, all ? NULL : me->id);
    cn_hall_view_tell(hall);
    cn_hall_notice(hall, NULL, "view.cleared",
                   json_pack("{s:o}", "participant", all ? json_null() : json_string(me->id)), NULL);
    return CN_OK;
}
