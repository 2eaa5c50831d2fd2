/* Public calls: looked up in the directory, copied, and run on the worker that owns the participant. */
#include "media/command.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "media/room/peer.h"

typedef struct command command;
typedef void (*command_fn)(command *c, cn_peer *peer);

struct command {
    cn_worker *worker;
    cn_place place;
    command_fn run;
    bool needs_peer; /* nothing to do once the participant left, but to answer */
    cn_media_answer_fn fn;
    void *arg;
    char participant[CN_MEDIA_ID], room[CN_MEDIA_ID], only[CN_MEDIA_ID], codec[16];
    char *text; /* offer or fragment */
    cn_section *sections;
    size_t section_count;
    cn_media_join join;
    cn_slot_want *wants;
    size_t want_count;
    cn_tier tier_max;
    cn_source_kind source;
    bool on, audio, video;
    cn_leave_cause cause;
};

static void command_free(command *c)
{
    if (!c) return;
    free(c->text);
    free(c->sections);
    free(c->wants);
    free(c);
}

static void answer(command *c, cn_err err, cn_problem *p, cn_buf *buf)
{
    if (!c->fn) return;
    if (err && !p->detail[0]) (void)cn_problem_set(p, err, p->field, "%s", cn_err_text(err));
    if (err) p->err = err;
    c->fn(c->arg, err, err ? p : NULL, err ? NULL : buf->p);
}

static void answer_error(command *c, cn_err err)
{
    cn_problem p = {0};
    if (err == CN_ERR_NOTFOUND) (void)cn_problem_set(&p, err, "participant", "no such participant");
    if (err == CN_ERR_CONFLICT) (void)cn_problem_set(&p, err, "participant", "the participant's name is in use");
    answer(c, err, &p, NULL);
}

static void run(void *arg)
{
    command *c = arg;
    cn_worker *w = c->worker;
    w->now_ns = cn_loop_now_ns(w->loop);
    cn_peer *peer = cn_idmap_get(&w->peers, c->place.peer);
    if (c->needs_peer && !peer)
        answer_error(c, CN_ERR_NOTFOUND);
    else
        c->run(c, peer);
    command_free(c);
}

/* Takes the command over. */
static void post(cn_media *m, command *c)
{
    c->worker = &m->workers[c->place.worker];
    cn_err err = cn_loop_call(c->worker->loop, run, c);
    if (!err) return;
    cn_error("media", "a command was refused: %s", cn_err_text(err));
    if (!c->needs_peer) cn_directory_leave(m->directory, c->participant);
    answer_error(c, err);
    command_free(c);
}

static command *command_new(command_fn fn, const char *participant)
{
    command *c = CN_NEW(command);
    if (!c) return NULL;
    c->run = fn;
    c->needs_peer = true;
    (void)cn_strcpy(c->participant, sizeof c->participant, participant ? participant : "");
    return c;
}

/* A command for a participant who is here; NULL (and answered) when not. */
static command *command_for(cn_media *m, command_fn fn, const char *participant, cn_media_answer_fn done, void *arg)
{
    command *c = command_new(fn, participant);
    cn_err err = c ? cn_directory_find(m->directory, c->participant, &c->place) : CN_ERR_NOMEM;
    if (!err) {
        c->fn = done;
        c->arg = arg;
        return c;
    }
    command_free(c);
    cn_problem p = {0};
    (void)cn_problem_set(&p, err, "participant", "%s",
                         err == CN_ERR_NOTFOUND ? "no such participant" : cn_err_text(err));
    if (done) done(arg, err, &p, NULL);
    return NULL;
}

static bool copy_offer(command *c, const char *text, const cn_section *sections, size_t count)
{
    c->text = cn_strdup(text ? text : "");
    c->section_count = count;
    if (count) c->sections = cn_memdup(sections, count * sizeof *sections);
    return c->text && (!count || c->sections);
}

/* ---- join ---- */

static void run_join(command *c, cn_peer *none)
{
    (void)none;
    cn_worker *w = c->worker;
    cn_problem p = {0};
    cn_buf buf = {0};
    cn_err err = cn_peer_join(w, &c->join, &c->place, &buf, &p);
    if (err) cn_directory_leave(w->directory, c->participant);
    answer(c, err, &p, &buf);
    cn_buf_free(&buf);
}

void cn_media_join_room(cn_media *m, const cn_media_join *join, cn_media_answer_fn fn, void *arg)
{
    cn_problem p = {0};
    command *c = command_new(run_join, join->participant);
    cn_err err = c && copy_offer(c, join->offer, join->sections, join->section_count) ? CN_OK : CN_ERR_NOMEM;
    if (!err) err = cn_directory_join(m->directory, join->room, join->participant, &c->place);
    if (err) {
        command_free(c);
        (void)cn_problem_set(&p, err, "participant", "%s",
                             err == CN_ERR_CONFLICT ? "the participant's name is in use" : cn_err_text(err));
        fn(arg, err, &p, NULL);
        return;
    }
    c->needs_peer = false;
    c->fn = fn;
    c->arg = arg;
    (void)cn_strcpy(c->room, sizeof c->room, join->room);
    (void)cn_strcpy(c->only, sizeof c->only, join->only ? join->only : "");
    c->join = *join;
    c->join.room = c->room;
    c->join.participant = c->participant;
    c->join.offer = c->text;
    c->join.sections = c->sections;
    c->join.only = c->only[0] ? c->only : NULL;
    (void)cn_strcpy(c->codec, sizeof c->codec, join->codec ? join->codec : "");
    c->join.codec = c->codec;
    post(m, c);
}

/* ---- the others ---- */

static void run_reoffer(command *c, cn_peer *peer)
{
    cn_problem p = {0};
    cn_buf buf = {0};
    cn_err err = cn_peer_reoffer(peer, c->text, c->sections, c->section_count, &buf, &p);
    answer(c, err, &p, &buf);
    cn_buf_free(&buf);
    if (err == CN_ERR_NOMEM) cn_peer_end(peer, CN_LEAVE_REMOVED);
}

void cn_media_reoffer(cn_media *m, const char *participant, const char *offer, const cn_section *sections, size_t count,
                      cn_media_answer_fn fn, void *arg)
{
    command *c = command_for(m, run_reoffer, participant, fn, arg);
    if (!c) return;
    if (copy_offer(c, offer, sections, count)) {
        post(m, c);
    } else {
        answer_error(c, CN_ERR_NOMEM);
        command_free(c);
    }
}

static void run_restart(command *c, cn_peer *peer)
{
    cn_problem p = {0};
    cn_buf buf = {0};
    cn_err err = cn_peer_restart(peer, c->text, &buf, &p);
    answer(c, err, &p, &buf);
    cn_buf_free(&buf);
}

void cn_media_ice_restart(cn_media *m, const char *participant, const char *fragment, cn_media_answer_fn fn, void *arg)
{
    command *c = command_for(m, run_restart, participant, fn, arg);
    if (!c) return;
    if (copy_offer(c, fragment, NULL, 0)) {
        post(m, c);
    } else {
        answer_error(c, CN_ERR_NOMEM);
        command_free(c);
    }
}

static void run_show(command *c, cn_peer *peer)
{
    cn_peer_show(peer, c->wants, c->want_count, c->tier_max);
}

void cn_media_show(cn_media *m, const char *participant, const cn_slot_want *wants, size_t count, cn_tier tier_max)
{
    command *c = command_for(m, run_show, participant, NULL, NULL);
    if (!c) return;
    c->want_count = count;
    c->tier_max = tier_max;
    if (count) c->wants = cn_memdup(wants, count * sizeof *wants);
    if (count && !c->wants)
        command_free(c);
    else
        post(m, c);
}

static void run_source_set(command *c, cn_peer *peer)
{
    cn_source *s = cn_peer_source(peer, c->source);
    if (s) cn_source_switch(s, c->on && (s->video ? peer->may_video : peer->may_audio));
}

void cn_media_source_set(cn_media *m, const char *participant, cn_source_kind source, bool on)
{
    command *c = command_for(m, run_source_set, participant, NULL, NULL);
    if (!c) return;
    c->source = source;
    c->on = on;
    post(m, c);
}

static void run_permit(command *c, cn_peer *peer)
{
    cn_peer_permit(peer, c->audio, c->video);
}

void cn_media_permit(cn_media *m, const char *participant, bool audio, bool video)
{
    command *c = command_for(m, run_permit, participant, NULL, NULL);
    if (!c) return;
    c->audio = audio;
    c->video = video;
    post(m, c);
}

static void run_leave(command *c, cn_peer *peer)
{
    cn_peer_end(peer, c->cause);
}

void cn_media_leave(cn_media *m, const char *participant, cn_leave_cause cause)
{
    command *c = command_for(m, run_leave, participant, NULL, NULL);
    if (!c) return;
    c->cause = cause;
    post(m, c);
}

static void run_room_close(command *c, cn_peer *none)
{
    (void)none;
    cn_room *r = cn_idmap_get(&c->worker->rooms, c->place.room);
    if (!r) return;
    /* the part ends with its last peer: count before it may be gone */
    size_t left = 0;
    for (const cn_peer *p = r->peers; p; p = p->next_in_room) left++;
    for (; left; left--) cn_peer_end(r->peers, CN_LEAVE_CLOSED);
}

void cn_media_room_close(cn_media *m, const char *room)
{
    uint32_t number = 0;
    if (cn_directory_room(m->directory, room, &number) != CN_OK) return;
    for (unsigned i = 0; i < m->count; i++) {
        command *c = command_new(run_room_close, NULL);
        if (!c) return;
        c->needs_peer = false;
        c->place = (cn_place){.worker = i, .room = number};
        post(m, c);
    }
}
