/* Public calls: looked up in the directory, copied, and run on the worker that owns the participant. */
#include "media/media_impl.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "media/room/peer.h"
#include "media/room/peer_bind.h"
#include "media/room/peer_impl.h"
#include "media/room/peer_offer.h"
#include "media/room/source_impl.h"

typedef struct command command;
typedef void (*command_fn)(command *cmd, cn_peer *peer);

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

static void command_free(command *cmd)
{
    if (!cmd) return;
    free(cmd->text);
    free(cmd->sections);
    free(cmd->wants);
    free(cmd);
}

static void answer(command *cmd, cn_err err, cn_problem *problem, cn_buf *buf)
{
    if (!cmd->fn) return;
    if (err && !problem->detail[0]) (void)cn_problem_set(problem, err, problem->field, "%s", cn_err_text(err));
    if (err) problem->err = err;
    cmd->fn(cmd->arg, err, err ? problem : NULL, err ? NULL : buf->p);
}

static void answer_error(command *cmd, cn_err err)
{
    cn_problem problem = {0};
    if (err == CN_ERR_NOTFOUND) (void)cn_problem_set(&problem, err, "participant", "no such participant");
    if (err == CN_ERR_CONFLICT) (void)cn_problem_set(&problem, err, "participant", "the participant's name is in use");
    answer(cmd, err, &problem, NULL);
}

static void run(void *arg)
{
    command *cmd = arg;
    cn_worker *worker = cmd->worker;
    (void)cn_worker_now(worker);
    cn_peer *peer = cn_idmap_get(&worker->peers, cmd->place.peer);
    if (cmd->needs_peer && !peer)
        answer_error(cmd, CN_ERR_NOTFOUND);
    else
        cmd->run(cmd, peer);
    command_free(cmd);
}

/* Takes the command over. */
static void post(cn_media *media, command *cmd)
{
    cmd->worker = &media->workers[cmd->place.worker];
    cn_err err = cn_loop_call(cmd->worker->loop, run, cmd);
    if (!err) return;
    cn_error("media", "a command was refused: %s", cn_err_text(err));
    if (!cmd->needs_peer) cn_directory_leave(media->directory, cmd->participant);
    answer_error(cmd, err);
    command_free(cmd);
}

static command *command_new(command_fn fn, const char *participant)
{
    command *cmd = CN_NEW(command);
    if (!cmd) return NULL;
    cmd->run = fn;
    cmd->needs_peer = true;
    (void)cn_strcpy(cmd->participant, sizeof cmd->participant, participant ? participant : "");
    return cmd;
}

/* A command for a participant who is here; NULL (and answered) when not. */
static command *command_for(cn_media *media, command_fn fn, const char *participant, cn_media_answer_fn done, void *arg)
{
    command *cmd = command_new(fn, participant);
    cn_err err = cmd ? cn_directory_find(media->directory, cmd->participant, &cmd->place) : CN_ERR_NOMEM;
    if (!err) {
        cmd->fn = done;
        cmd->arg = arg;
        return cmd;
    }
    command_free(cmd);
    cn_problem problem = {0};
    (void)cn_problem_set(&problem, err, "participant", "%s",
                         err == CN_ERR_NOTFOUND ? "no such participant" : cn_err_text(err));
    if (done) done(arg, err, &problem, NULL);
    return NULL;
}

static bool copy_offer(command *cmd, const char *text, const cn_section *sections, size_t count)
{
    cmd->text = cn_strdup(text ? text : "");
    cmd->section_count = count;
    if (count) cmd->sections = cn_memdup(sections, count * sizeof *sections);
    return cmd->text && (!count || cmd->sections);
}

/* ---- join ---- */

static void run_join(command *cmd, cn_peer *none)
{
    (void)none;
    cn_worker *worker = cmd->worker;
    cn_problem problem = {0};
    cn_buf buf = {0};
    cn_err err = cn_peer_join(worker, &cmd->join, &cmd->place, &buf, &problem);
    if (err) cn_directory_leave(worker->directory, cmd->participant);
    answer(cmd, err, &problem, &buf);
    cn_buf_free(&buf);
}

void cn_media_join_room(cn_media *media, const cn_media_join *join, cn_media_answer_fn fn, void *arg)
{
    cn_problem problem = {0};
    command *cmd = command_new(run_join, join->participant);
    cn_err err = cmd && copy_offer(cmd, join->offer, join->sections, join->section_count) ? CN_OK : CN_ERR_NOMEM;
    if (!err) err = cn_directory_join(media->directory, join->room, join->participant, &cmd->place);
    if (err) {
        command_free(cmd);
        (void)cn_problem_set(&problem, err, "participant", "%s",
                             err == CN_ERR_CONFLICT ? "the participant's name is in use" : cn_err_text(err));
        fn(arg, err, &problem, NULL);
        return;
    }
    cmd->needs_peer = false;
    cmd->fn = fn;
    cmd->arg = arg;
    (void)cn_strcpy(cmd->room, sizeof cmd->room, join->room);
    (void)cn_strcpy(cmd->only, sizeof cmd->only, join->only ? join->only : "");
    cmd->join = *join;
    cmd->join.room = cmd->room;
    cmd->join.participant = cmd->participant;
    cmd->join.offer = cmd->text;
    cmd->join.sections = cmd->sections;
    cmd->join.only = cmd->only[0] ? cmd->only : NULL;
    (void)cn_strcpy(cmd->codec, sizeof cmd->codec, join->codec ? join->codec : "");
    cmd->join.codec = cmd->codec;
    post(media, cmd);
}

/* ---- the others ---- */

static void run_reoffer(command *cmd, cn_peer *peer)
{
    cn_problem problem = {0};
    cn_buf buf = {0};
    cn_err err = cn_peer_reoffer(peer, cmd->text, cmd->sections, cmd->section_count, &buf, &problem);
    answer(cmd, err, &problem, &buf);
    cn_buf_free(&buf);
    if (err == CN_ERR_NOMEM) cn_peer_end(peer, CN_LEAVE_REMOVED);
}

void cn_media_reoffer(cn_media *media, const char *participant, const char *offer, const cn_section *sections,
                      size_t count, cn_media_answer_fn fn, void *arg)
{
    command *cmd = command_for(media, run_reoffer, participant, fn, arg);
    if (!cmd) return;
    if (copy_offer(cmd, offer, sections, count)) {
        post(media, cmd);
    } else {
        answer_error(cmd, CN_ERR_NOMEM);
        command_free(cmd);
    }
}

static void run_restart(command *cmd, cn_peer *peer)
{
    cn_problem problem = {0};
    cn_buf buf = {0};
    cn_err err = cn_peer_restart(peer, cmd->text, &buf, &problem);
    answer(cmd, err, &problem, &buf);
    cn_buf_free(&buf);
}

void cn_media_ice_restart(cn_media *media, const char *participant, const char *fragment, cn_media_answer_fn fn,
                          void *arg)
{
    command *cmd = command_for(media, run_restart, participant, fn, arg);
    if (!cmd) return;
    if (copy_offer(cmd, fragment, NULL, 0)) {
        post(media, cmd);
    } else {
        answer_error(cmd, CN_ERR_NOMEM);
        command_free(cmd);
    }
}

static void run_show(command *cmd, cn_peer *peer)
{
    cn_peer_show(peer, cmd->wants, cmd->want_count, cmd->tier_max);
}

void cn_media_show(cn_media *media, const char *participant, const cn_slot_want *wants, size_t count, cn_tier tier_max)
{
    command *cmd = command_for(media, run_show, participant, NULL, NULL);
    if (!cmd) return;
    cmd->want_count = count;
    cmd->tier_max = tier_max;
    if (count) cmd->wants = cn_memdup(wants, count * sizeof *wants);
    if (count && !cmd->wants)
        command_free(cmd);
    else
        post(media, cmd);
}

static void run_source_set(command *cmd, cn_peer *peer)
{
    cn_source *source = cn_peer_source(peer, cmd->source);
    if (source) cn_source_switch(source, cmd->on && (source->video ? peer->may_video : peer->may_audio));
}

void cn_media_source_set(cn_media *media, const char *participant, cn_source_kind source, bool on)
{
    command *cmd = command_for(media, run_source_set, participant, NULL, NULL);
    if (!cmd) return;
    cmd->source = source;
    cmd->on = on;
    post(media, cmd);
}

static void run_permit(command *cmd, cn_peer *peer)
{
    cn_peer_permit(peer, cmd->audio, cmd->video);
}

void cn_media_permit(cn_media *media, const char *participant, bool audio, bool video)
{
    command *cmd = command_for(media, run_permit, participant, NULL, NULL);
    if (!cmd) return;
    cmd->audio = audio;
    cmd->video = video;
    post(media, cmd);
}

static void run_leave(command *cmd, cn_peer *peer)
{
    cn_peer_end(peer, cmd->cause);
}

void cn_media_leave(cn_media *media, const char *participant, cn_leave_cause cause)
{
    command *cmd = command_for(media, run_leave, participant, NULL, NULL);
    if (!cmd) return;
    cmd->cause = cause;
    post(media, cmd);
}

static void run_room_close(command *cmd, cn_peer *none)
{
    (void)none;
    cn_room *room = cn_idmap_get(&cmd->worker->rooms, cmd->place.room);
    if (!room) return;
    /* the part ends with its last peer: count before it may be gone */
    size_t left = 0;
    for (const cn_peer *peer = room->peers; peer; peer = peer->next_in_room) left++;
    for (; left; left--) cn_peer_end(room->peers, CN_LEAVE_CLOSED);
}

void cn_media_room_close(cn_media *media, const char *room)
{
    uint32_t number = 0;
    if (cn_directory_room(media->directory, room, &number) != CN_OK) return;
    for (unsigned i = 0; i < media->count; i++) {
        command *cmd = command_new(run_room_close, NULL);
        if (!cmd) return;
        cmd->needs_peer = false;
        cmd->place = (cn_place){.worker = i, .room = number};
        post(media, cmd);
    }
}
