/* Who may enter: settings of the room, lock, lobby, and what is remembered of those who left. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "signaling/live/audit.h"
#include "signaling/live/client.h"
#include "signaling/live/errand.h"
#include "signaling/live/gate.h"
#include "signaling/live/hall.h"
#include "signaling/live/sources.h"
#include "signaling/live/view.h"

#define BACK_MS 120000      /* who was inside may come back */
#define ADMITTED_MS 600000  /* who was let in may take his time */
#define REMOVED_MS 60000    /* who was removed waits */
#define CEILING_MS 7200000  /* a ceiling is remembered */
#define BACK_WITHIN_MS 3000 /* who came so shortly before his other place was found lost came instead of it */
#define PASSES_MAX 100000   /* above it nothing more is remembered: who left a locked room must be let in */
#define KNOCKS_MAX 1000     /* of one room; more wait without being listed */

/* ---- passes ---- */

static cn_pass *pass_find(const cn_live *live, const char *room, const char *who)
{
    for (cn_pass *pass = live->passes; pass; pass = pass->next)
        if (strcmp(pass->who, who) == 0 && strcmp(pass->room, room) == 0) return pass;
    return NULL;
}

const cn_pass *cn_gate_pass(const cn_live *live, const char *room, const char *who)
{
    return pass_find(live, room, who);
}

static cn_pass *pass_for(cn_live *live, const char *room, const char *who)
{
    cn_pass *pass = pass_find(live, room, who);
    size_t n = 0;
    if (pass || !*who) return pass;
    for (const cn_pass *one = live->passes; one; one = one->next) n++;
    pass = n < PASSES_MAX ? CN_NEW(cn_pass) : NULL;
    if (!pass) return NULL;
    cn_strcpy(pass->room, sizeof pass->room, room);
    cn_strcpy(pass->who, sizeof pass->who, who);
    pass->tier_max = CN_TIER_4K;
    pass->next = live->passes;
    live->passes = pass;
    return pass;
}

void cn_gate_left(const cn_member *member, bool removed)
{
    uint64_t now = cn_mono_ms();
    if (!removed) cn_hall_presenter_away(member->hall, member);
    cn_pass *pass = pass_for(member->hall->live, member->hall->id, *member->user ? member->user : member->token_hash);
    if (!pass) return;
    pass->tier_max = member->tier_max;
    pass->hand_ms = removed ? 0 : member->hand_ms;
    pass->hand_until_ms = now + CN_BACK_SOON_MS;
    if (removed) {
        pass->until_ms = 0;
        pass->removed_ms = now + REMOVED_MS;
    } else if (pass->removed_ms <= now) {
        pass->until_ms = now + BACK_MS;
    }
}

int64_t cn_gate_take_hand(cn_live *live, const char *room, const char *who)
{
    cn_pass *pass = pass_find(live, room, who);
    int64_t hand = pass && pass->hand_until_ms > cn_mono_ms() ? pass->hand_ms : 0;
    if (pass) pass->hand_ms = 0; /* another device of his that comes later raises none */
    return hand;
}

/* ---- one person, one place ---- */

void cn_gate_end(cn_member *member)
{
    cn_gate_left(member, false);
    member->leaving = true;
    cn_media_leave(member->hall->live->media, member->id, CN_LEAVE_TIMEOUT);
}

/* An app that wakes up finds that he is here already. */
static void replace(cn_member *member)
{
    if (member->client) cn_client_notice(member->client, "room.replaced", json_object());
    cn_member_detach(member);
    cn_gate_end(member);
}

void cn_gate_back(cn_hall *hall, const char *user)
{
    for (cn_member *member = hall->members; member; member = member->next)
        if (!member->leaving && !*member->token_hash && strcmp(member->user, user) == 0 &&
            (!member->client || member->lost))
            replace(member);
}

/* Bit per kind. */
static unsigned sources_of(const cn_member *member)
{
    unsigned mask = 0;
    for (unsigned i = 0; i < CN_SOURCES; i++) mask |= (unsigned)member->source[i].there << i;
    return mask;
}

/* Several encoders may share a token: the same one sends the same kinds. Of viewers a token tells nothing. */
static bool same_device(const cn_member *member, const char *token_hash, unsigned sources)
{
    return *token_hash && sources && strcmp(member->token_hash, token_hash) == 0 && sources_of(member) == sources;
}

void cn_gate_device_back(cn_hall *hall, const char *token_hash, unsigned sources)
{
    for (cn_member *member = hall->members; member; member = member->next)
        if (!member->leaving && member->lost && same_device(member, token_hash, sources)) replace(member);
}

static bool same(const cn_member *member, const cn_member *other)
{
    if (*member->token_hash) return same_device(other, member->token_hash, sources_of(member));
    return !*other->token_hash && strcmp(other->user, member->user) == 0;
}

void cn_gate_lost(cn_member *member)
{
    if (member->leaving) return;
    /* who was here twice all along stays so: one of his computers may be back in a moment */
    for (const cn_member *other = member->hall->members; other; other = other->next)
        if (other != member && !other->leaving && !other->lost && same(member, other) &&
            other->since_ms + BACK_WITHIN_MS > cn_mono_ms()) {
            replace(member);
            return;
        }
}

void cn_gate_tidy(cn_live *live)
{
    uint64_t now = cn_mono_ms();
    for (cn_pass **at = &live->passes; *at;) {
        cn_pass *pass = *at;
        uint64_t until = pass->until_ms > pass->removed_ms ? pass->until_ms : pass->removed_ms;
        if (pass->tier_max != CN_TIER_4K) until += CEILING_MS;
        if (until > now) {
            at = &pass->next;
            continue;
        }
        *at = pass->next;
        free(pass);
    }
}

static bool inside(const cn_live *live, const char *room, const char *who)
{
    const cn_hall *hall = cn_hall_find((cn_live *)live, room);
    for (const cn_member *member = hall ? hall->members : NULL; member; member = member->next)
        if (!member->leaving && strcmp(*member->user ? member->user : member->token_hash, who) == 0) return true;
    return false;
}

bool cn_gate_would_host(cn_live *live, const cn_room_info *room, const cn_actor *actor)
{
    if (room->parts & (CN_PART_LEAD | CN_PART_REVIEWER) || cn_actor_may(actor, CN_RIGHT_ROOM_MODERATE)) return true;
    if (!(room->parts & CN_PART_REFERRER)) return false;
    const cn_hall *hall = cn_hall_find(live, room->id);
    for (const cn_member *member = hall ? hall->members : NULL; member; member = member->next)
        if (member->leads && member->connected && !member->leaving) return false;
    return true;
}

cn_gate cn_gate_judge(cn_live *live, const cn_room_info *room, const char *who, bool host, uint64_t *wait_ms)
{
    const cn_hall *hall = cn_hall_find(live, room->id);
    const cn_room_settings *settings = hall ? &hall->settings : &room->settings;
    const cn_pass *pass = pass_find(live, room->id, who);
    uint64_t now = cn_mono_ms();
    if (pass && pass->removed_ms > now) {
        *wait_ms = pass->removed_ms - now;
        return CN_GATE_REMOVED;
    }
    if (host || (!settings->locked && !settings->lobby)) return CN_GATE_OPEN;
    if ((pass && pass->until_ms > now) || inside(live, room->id, who)) return CN_GATE_OPEN;
    return settings->locked ? CN_GATE_LOCKED : CN_GATE_LOBBY;
}

/* ---- before the door ---- */

static json_t *knock_json(const cn_knock *knock)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:b}", "participant", knock->id, "user", knock->user, "name",
                     knock->name, "title", knock->title, "hospital", knock->hospital, "at", (json_int_t)knock->at_ms,
                     "removed", knock->removed);
}

json_t *cn_gate_knocks_json(const cn_hall *hall)
{
    json_t *out = json_array();
    for (const cn_knock *knock = hall->live->knocks; knock; knock = knock->next)
        if (strcmp(knock->room, hall->id) == 0 && json_array_size(out) < KNOCKS_MAX)
            json_array_insert_new(out, 0, knock_json(knock)); /* the list has the latest first */
    return out;
}

void cn_gate_tell_knocks(cn_hall *hall, cn_member *only)
{
    json_t *params = json_pack("{s:o}", "knocks", cn_gate_knocks_json(hall));
    if (only)
        cn_client_notice(only->client, "room.knock", params);
    else
        cn_hall_tell_hosts(hall, "room.knock", params);
}

static void knock_free(cn_knock *knock)
{
    free(knock->name);
    free(knock->title);
    free(knock->hospital);
    free(knock);
}

void cn_gate_forget(cn_client *client)
{
    cn_live *live = client->live;
    cn_knock *knock = client->knock;
    if (!knock) return;
    client->knock = NULL;
    for (cn_knock **at = &live->knocks; *at; at = &(*at)->next) {
        if (*at != knock) continue;
        *at = knock->next;
        break;
    }
    cn_hall *hall = cn_hall_find(live, knock->room);
    knock_free(knock);
    if (hall) cn_gate_tell_knocks(hall, NULL);
}

static char *copy_text(const json_t *value)
{
    return cn_strdup(json_is_string(value) ? json_string_value(value) : "");
}

void cn_gate_knock(cn_client *client, const cn_room_info *room, const json_t *user, bool removed)
{
    cn_gate_forget(client);
    cn_knock *knock = CN_NEW(cn_knock);
    if (!knock) return;
    cn_id_new(knock->id);
    cn_strcpy(knock->room, sizeof knock->room, room->id);
    cn_strcpy(knock->request, sizeof knock->request, room->request);
    cn_strcpy(knock->user, sizeof knock->user, client->actor.user);
    knock->name = copy_text(json_object_get(user, "name"));
    knock->title = copy_text(json_object_get(user, "title"));
    knock->hospital = copy_text(json_object_get(json_object_get(user, "hospital"), "name"));
    if (!knock->name || !knock->title || !knock->hospital) {
        knock_free(knock);
        return;
    }
    knock->at_ms = cn_wall_ms();
    knock->removed = removed;
    knock->client = client;
    knock->next = client->live->knocks;
    client->live->knocks = knock;
    client->knock = knock;
    cn_hall *hall = cn_hall_find(client->live, knock->room);
    if (hall) cn_gate_tell_knocks(hall, NULL);
}

cn_err cn_do_admit(cn_method_call *call, json_t **result)
{
    const char *id;
    bool on = true;
    cn_hall *hall = call->client->member->hall;
    cn_live *live = call->live;
    (void)result;
    CN_TRY(cn_json_line(call->params, "participant", true, 1, CN_ID_TEXT - 1, &id, &call->problem));
    CN_TRY(cn_json_bool(call->params, "on", true, &on, &call->problem));
    CN_TRY(cn_need_host(call, "room.admit"));
    cn_knock *knock = live->knocks;
    while (knock && (strcmp(knock->id, id) != 0 || strcmp(knock->room, hall->id) != 0)) knock = knock->next;
    if (!knock) return cn_problem_set(&call->problem, CN_ERR_NOTFOUND, "participant", "nobody waits under this name");
    char what[96];
    cn_fmt(what, sizeof what, "\"user\":\"%s\",\"on\":%s", knock->user, on ? "true" : "false");
    cn_host_audit(call, "room.admit", "ok", NULL, what);
    cn_client *waiting = knock->client;
    if (on) {
        cn_pass *pass = pass_for(live, hall->id, knock->user);
        if (!pass) return CN_ERR_NOMEM;
        pass->until_ms = cn_mono_ms() + ADMITTED_MS;
        pass->removed_ms = 0;
    }
    cn_client_notice(waiting, on ? "room.admitted" : "room.refused",
                     json_pack("{s:s, s:s}", "room", hall->id, "by", call->client->member->id));
    cn_gate_forget(waiting);
    return CN_OK;
}

void cn_gate_refuse(const cn_knock *knock)
{
    cn_client *client = knock->client;
    cn_client_notice(client, "room.refused", json_pack("{s:s, s:n}", "room", knock->room, "by"));
    cn_gate_forget(client);
}

void cn_gate_refuse_all(cn_hall *hall)
{
    cn_live *live = hall->live;
    for (cn_knock *knock = live->knocks, *next; knock; knock = next) {
        next = knock->next;
        if (strcmp(knock->room, hall->id) == 0) cn_gate_refuse(knock);
    }
}

void cn_gate_put_out(cn_member *member)
{
    cn_gate_left(member, false);
    member->leaving = true;
    cn_client_notice(member->client, "room.left",
                     json_pack("{s:s, s:s, s:n}", "participant", member->id, "cause", "removed", "by"));
    cn_member_detach(member);
    cn_media_leave(member->hall->live->media, member->id, CN_LEAVE_REMOVED);
}

void cn_gate_part_ends(cn_live *live, const char *request, const char *user)
{
    if (live->closing) return;
    for (cn_hall *hall = live->halls; hall; hall = hall->next)
        for (cn_member *member = hall->members; member; member = member->next)
            if (strcmp(hall->request, request) == 0 && !member->leaving && !*member->token_hash &&
                strcmp(member->user, user) == 0)
                cn_gate_put_out(member);
    for (cn_knock *knock = live->knocks, *next; knock; knock = next) {
        next = knock->next;
        if (strcmp(knock->request, request) == 0 && strcmp(knock->user, user) == 0) cn_gate_refuse(knock);
    }
}

void cn_gate_free(cn_live *live)
{
    while (live->passes) {
        cn_pass *pass = live->passes;
        live->passes = pass->next;
        free(pass);
    }
    while (live->knocks) {
        cn_knock *knock = live->knocks;
        live->knocks = knock->next;
        knock_free(knock);
    }
}

/* ---- settings: into the database first, on a job thread ---- */

typedef struct wish {
    char room[64], by[CN_ID_TEXT];
    int locked, lobby;                      /* -1: as it is */
    char unmute[8], tier_max[12], codec[8]; /* "": as it is */
} wish;

typedef struct change {
    cn_call_errand base;
    wish wish;
    cn_room_info info;
} change;

/* Nobody waits before an open door. */
static void let_waiting_in(cn_hall *hall)
{
    cn_live *live = hall->live;
    if (hall->settings.lobby || hall->settings.locked) return;
    for (cn_knock *knock = live->knocks, *next; knock; knock = next) {
        next = knock->next;
        if (knock->removed || strcmp(knock->room, hall->id) != 0) continue;
        cn_client *client = knock->client;
        cn_client_notice(client, "room.admitted", json_pack("{s:s, s:n}", "room", hall->id, "by"));
        cn_gate_forget(client);
        next = live->knocks; /* telling the hosts leaves the list alone, forgetting does not */
    }
}

static void apply(change *edit)
{
    cn_hall *hall = cn_hall_find(edit->base.live, edit->wish.room);
    if (!hall) return;
    bool opened =
        (hall->settings.lobby && !edit->info.settings.lobby) || (hall->settings.locked && !edit->info.settings.locked);
    bool tier = strcmp(hall->settings.tier_max, edit->info.settings.tier_max) != 0;
    cn_hall_set(hall, &edit->info.settings);
    json_t *told = cn_hall_settings_json(hall);
    json_object_set_new(told, "by", *edit->wish.by ? json_string(edit->wish.by) : json_null());
    cn_hall_notice(hall, NULL, "room.settings", told, "room.settings");
    if (tier) cn_hall_limits(hall);
    if (opened) let_waiting_in(hall);
}

static void changed(cn_call_errand *errand, cn_client *client)
{
    change *edit = (change *)errand;
    errand->live->setting = false;
    if (errand->err == CN_OK && !errand->live->closing) apply(edit);
    cn_call_errand_answer(errand, client, cn_settings_json(errand->live, &edit->info.settings));
    cn_call_errand_free(errand);
}

/* Job thread. */
static cn_err change_settings(cn_call_errand *errand)
{
    change *edit = (change *)errand;
    const wish *wanted = &edit->wish;
    cn_consult *consult = errand->live->config.consult;
    cn_room_settings *settings = &edit->info.settings;
    const char *field;
    CN_TRY(cn_room_get(consult, &errand->actor, wanted->room, &edit->info));
    /* from outside the room: who moderates it anyway */
    if (!*wanted->by && !(edit->info.parts & (CN_PART_LEAD | CN_PART_REVIEWER))) return CN_ERR_FORBIDDEN;
    if (wanted->locked >= 0) settings->locked = wanted->locked;
    if (wanted->lobby >= 0) settings->lobby = wanted->lobby;
    if (*wanted->unmute) cn_strcpy(settings->unmute, sizeof settings->unmute, wanted->unmute);
    if (*wanted->tier_max) cn_strcpy(settings->tier_max, sizeof settings->tier_max, wanted->tier_max);
    if (*wanted->codec) cn_strcpy(settings->codec, sizeof settings->codec, wanted->codec);
    if (!cn_room_settings_valid(settings, &field))
        return cn_problem_set(&errand->problem, CN_ERR_INVALID, field, "unknown word");
    return cn_room_settings_set(consult, &errand->actor, wanted->room, settings);
}

static cn_err parse_flag(cn_method_call *call, const char *key, int *out)
{
    bool value = false;
    *out = -1;
    const json_t *val = json_object_get(call->params, key);
    if (!val || json_is_null(val)) return CN_OK;
    CN_TRY(cn_json_bool(call->params, key, true, &value, &call->problem));
    *out = value;
    return CN_OK;
}

static cn_err parse_word(cn_method_call *call, const char *key, char *out, size_t len)
{
    const char *word = "";
    CN_TRY(cn_json_line(call->params, key, false, 1, len - 1, &word, &call->problem));
    return cn_strcpy(out, len, word) ? CN_OK : cn_problem_set(&call->problem, CN_ERR_INVALID, key, "unknown word");
}

static cn_err parse_wish(cn_method_call *call, wish *wanted)
{
    cn_room_settings tried = cn_room_settings_default();
    const char *field, *room = "";
    CN_TRY(cn_json_line(call->params, "room", false, 1, 63, &room, &call->problem));
    cn_strcpy(wanted->room, sizeof wanted->room, room);
    CN_TRY(parse_flag(call, "locked", &wanted->locked));
    CN_TRY(parse_flag(call, "lobby", &wanted->lobby));
    CN_TRY(parse_word(call, "unmute", wanted->unmute, sizeof wanted->unmute));
    CN_TRY(parse_word(call, "tier_max", wanted->tier_max, sizeof wanted->tier_max));
    CN_TRY(parse_word(call, "codec", wanted->codec, sizeof wanted->codec));
    if (*wanted->unmute) cn_strcpy(tried.unmute, sizeof tried.unmute, wanted->unmute);
    if (*wanted->tier_max) cn_strcpy(tried.tier_max, sizeof tried.tier_max, wanted->tier_max);
    if (*wanted->codec) cn_strcpy(tried.codec, sizeof tried.codec, wanted->codec);
    if (!cn_room_settings_valid(&tried, &field))
        return cn_problem_set(&call->problem, CN_ERR_INVALID, field, "unknown word");
    return CN_OK;
}

cn_err cn_do_settings(cn_method_call *call, json_t **result)
{
    wish wanted = {.locked = -1, .lobby = -1};
    const cn_member *me = call->client->member;
    (void)result;
    CN_TRY(parse_wish(call, &wanted));
    if (me && (!*wanted.room || strcmp(wanted.room, me->hall->id) == 0)) {
        CN_TRY(cn_need_host(call, "room.settings"));
        cn_strcpy(wanted.room, sizeof wanted.room, me->hall->id);
        cn_strcpy(wanted.by, sizeof wanted.by, me->id);
    }
    if (!*wanted.room) return cn_problem_set(&call->problem, CN_ERR_NOTFOUND, "room", "you are not in a room");
    if (call->live->setting) return CN_ERR_AGAIN;
    change *edit = cn_call_errand_new(call, sizeof *edit, NULL);
    if (!edit) return CN_ERR_NOMEM;
    edit->wish = wanted;
    cn_err err = cn_call_errand_go(&edit->base, change_settings, changed);
    call->live->setting = err == CN_ANSWERS_ITSELF;
    return err;
}
