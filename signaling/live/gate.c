/* Who may enter: settings of the room, lock, lobby, and what is remembered of those who left. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "signaling/live/live_private.h"

#define BACK_MS 120000     /* who was inside may come back */
#define ADMITTED_MS 600000 /* who was let in may take his time */
#define REMOVED_MS 60000   /* who was removed waits */
#define CEILING_MS 7200000 /* a ceiling is remembered */
#define PASSES_MAX 100000  /* above it nothing more is remembered: who left a locked room must be let in */
#define KNOCKS_MAX 1000    /* of one room; more wait without being listed */

/* ---- passes ---- */

static cn_pass *pass_find(const cn_live *l, const char *room, const char *who)
{
    for (cn_pass *p = l->passes; p; p = p->next)
        if (strcmp(p->who, who) == 0 && strcmp(p->room, room) == 0) return p;
    return NULL;
}

const cn_pass *cn_gate_pass(const cn_live *l, const char *room, const char *who)
{
    return pass_find(l, room, who);
}

static cn_pass *pass_for(cn_live *l, const char *room, const char *who)
{
    cn_pass *p = pass_find(l, room, who);
    size_t n = 0;
    if (p || !*who) return p;
    for (const cn_pass *one = l->passes; one; one = one->next) n++;
    p = n < PASSES_MAX ? CN_NEW(cn_pass) : NULL;
    if (!p) return NULL;
    cn_strcpy(p->room, sizeof p->room, room);
    cn_strcpy(p->who, sizeof p->who, who);
    p->tier_max = CN_TIER_4K;
    p->next = l->passes;
    l->passes = p;
    return p;
}

void cn_gate_left(const cn_member *m, bool removed)
{
    uint64_t now = cn_mono_ms();
    cn_pass *p = pass_for(m->hall->live, m->hall->id, *m->user ? m->user : m->token_hash);
    if (!p) return;
    p->tier_max = m->tier_max;
    if (removed) {
        p->until_ms = 0;
        p->removed_ms = now + REMOVED_MS;
    } else if (p->removed_ms <= now) {
        p->until_ms = now + BACK_MS;
    }
}

void cn_gate_tidy(cn_live *l)
{
    uint64_t now = cn_mono_ms();
    for (cn_pass **at = &l->passes; *at;) {
        cn_pass *p = *at;
        uint64_t until = p->until_ms > p->removed_ms ? p->until_ms : p->removed_ms;
        if (p->tier_max != CN_TIER_4K) until += CEILING_MS;
        if (until > now) {
            at = &p->next;
            continue;
        }
        *at = p->next;
        free(p);
    }
}

static bool inside(const cn_live *l, const char *room, const char *who)
{
    const cn_hall *h = cn_hall_find((cn_live *)l, room);
    for (const cn_member *m = h ? h->members : NULL; m; m = m->next)
        if (!m->leaving && strcmp(*m->user ? m->user : m->token_hash, who) == 0) return true;
    return false;
}

bool cn_gate_would_host(cn_live *l, const cn_room_info *room, const cn_actor *actor)
{
    if (room->parts & (CN_PART_LEAD | CN_PART_REVIEWER) || cn_actor_may(actor, CN_RIGHT_ROOM_MODERATE)) return true;
    if (!(room->parts & CN_PART_REFERRER)) return false;
    const cn_hall *h = cn_hall_find(l, room->id);
    for (const cn_member *m = h ? h->members : NULL; m; m = m->next)
        if (m->leads && m->connected && !m->leaving) return false;
    return true;
}

cn_gate cn_gate_judge(cn_live *l, const cn_room_info *room, const char *who, bool host, uint64_t *wait_ms)
{
    const cn_hall *h = cn_hall_find(l, room->id);
    const cn_room_settings *s = h ? &h->settings : &room->settings;
    const cn_pass *p = pass_find(l, room->id, who);
    uint64_t now = cn_mono_ms();
    if (p && p->removed_ms > now) {
        *wait_ms = p->removed_ms - now;
        return CN_GATE_REMOVED;
    }
    if (host || (!s->locked && !s->lobby)) return CN_GATE_OPEN;
    if ((p && p->until_ms > now) || inside(l, room->id, who)) return CN_GATE_OPEN;
    return s->locked ? CN_GATE_LOCKED : CN_GATE_LOBBY;
}

/* ---- before the door ---- */

static json_t *knock_json(const cn_knock *k)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:b}", "participant", k->id, "user", k->user, "name", k->name,
                     "title", k->title, "hospital", k->hospital, "at", (json_int_t)k->at_ms, "removed", k->removed);
}

json_t *cn_gate_knocks_json(const cn_hall *h)
{
    json_t *out = json_array();
    for (const cn_knock *k = h->live->knocks; k; k = k->next)
        if (strcmp(k->room, h->id) == 0 && json_array_size(out) < KNOCKS_MAX)
            json_array_insert_new(out, 0, knock_json(k)); /* the list has the latest first */
    return out;
}

void cn_gate_tell_knocks(cn_hall *h, cn_member *only)
{
    json_t *params = json_pack("{s:o}", "knocks", cn_gate_knocks_json(h));
    if (only)
        cn_client_notice(only->client, "room.knock", params);
    else
        cn_hall_tell_hosts(h, "room.knock", params);
}

static void knock_free(cn_knock *k)
{
    free(k->name);
    free(k->title);
    free(k->hospital);
    free(k);
}

void cn_gate_forget(cn_client *c)
{
    cn_live *l = c->live;
    cn_knock *k = c->knock;
    if (!k) return;
    c->knock = NULL;
    for (cn_knock **at = &l->knocks; *at; at = &(*at)->next) {
        if (*at != k) continue;
        *at = k->next;
        break;
    }
    cn_hall *h = cn_hall_find(l, k->room);
    knock_free(k);
    if (h) cn_gate_tell_knocks(h, NULL);
}

static char *copy_text(const json_t *v)
{
    return cn_strdup(json_is_string(v) ? json_string_value(v) : "");
}

void cn_gate_knock(cn_client *c, const cn_room_info *room, const json_t *user, bool removed)
{
    cn_gate_forget(c);
    cn_knock *k = CN_NEW(cn_knock);
    if (!k) return;
    cn_id_new(k->id);
    cn_strcpy(k->room, sizeof k->room, room->id);
    cn_strcpy(k->user, sizeof k->user, c->actor.user);
    k->name = copy_text(json_object_get(user, "name"));
    k->title = copy_text(json_object_get(user, "title"));
    k->hospital = copy_text(json_object_get(json_object_get(user, "hospital"), "name"));
    if (!k->name || !k->title || !k->hospital) {
        knock_free(k);
        return;
    }
    k->at_ms = cn_wall_ms();
    k->removed = removed;
    k->client = c;
    k->next = c->live->knocks;
    c->live->knocks = k;
    c->knock = k;
    cn_hall *h = cn_hall_find(c->live, k->room);
    if (h) cn_gate_tell_knocks(h, NULL);
}

cn_err cn_do_admit(cn_method_call *m, json_t **result)
{
    const char *id;
    bool on = true;
    cn_hall *h = m->client->member->hall;
    cn_live *l = m->live;
    (void)result;
    CN_TRY(cn_json_str(m->params, "participant", true, 1, CN_ID_TEXT - 1, &id, &m->problem));
    CN_TRY(cn_json_bool(m->params, "on", true, &on, &m->problem));
    CN_TRY(cn_need_host(m, "room.admit"));
    cn_knock *k = l->knocks;
    while (k && (strcmp(k->id, id) != 0 || strcmp(k->room, h->id) != 0)) k = k->next;
    if (!k) return cn_problem_set(&m->problem, CN_ERR_NOTFOUND, "participant", "nobody waits under this name");
    char what[96];
    cn_fmt(what, sizeof what, "\"user\":\"%s\",\"on\":%s", k->user, on ? "true" : "false");
    cn_host_audit(m, "room.admit", "ok", NULL, what);
    cn_client *waiting = k->client;
    if (on) {
        cn_pass *p = pass_for(l, h->id, k->user);
        if (!p) return CN_ERR_NOMEM;
        p->until_ms = cn_mono_ms() + ADMITTED_MS;
        p->removed_ms = 0;
    }
    cn_client_notice(waiting, on ? "room.admitted" : "room.refused",
                     json_pack("{s:s, s:s}", "room", h->id, "by", m->client->member->id));
    cn_gate_forget(waiting);
    return CN_OK;
}

void cn_gate_free(cn_live *l)
{
    while (l->passes) {
        cn_pass *p = l->passes;
        l->passes = p->next;
        free(p);
    }
    while (l->knocks) {
        cn_knock *k = l->knocks;
        l->knocks = k->next;
        knock_free(k);
    }
}

/* ---- settings: into the database first, on a job thread ---- */

typedef struct change {
    cn_live *live;
    cn_door_call call;
    uint64_t serial;
    json_t *id;
    cn_actor actor;
    char room[64], by[CN_ID_TEXT];
    int locked, lobby;                      /* -1: as it is */
    char unmute[8], tier_max[12], codec[8]; /* "": as it is */
    cn_room_info info;
    cn_err err;
    cn_problem problem;
} change;

static json_t *settings_json(const cn_room_settings *s)
{
    return json_pack("{s:b, s:b, s:s, s:s, s:s}", "locked", s->locked, "lobby", s->lobby, "unmute", s->unmute,
                     "tier_max", s->tier_max, "codec", s->codec);
}

json_t *cn_hall_settings_json(const cn_hall *h)
{
    return settings_json(&h->settings);
}

/* A room without a codec of its own has that of the configuration. */
static void fill_codec(const cn_live *l, cn_room_settings *s)
{
    if (!*s->codec) cn_strcpy(s->codec, sizeof s->codec, cn_config_str(l->app->config, "media", "codec"));
}

void cn_hall_set(cn_hall *h, const cn_room_settings *s)
{
    h->settings = *s;
    h->tier_max = CN_TIER_4K;
    (void)cn_live_tier_parse(s->tier_max, &h->tier_max);
    fill_codec(h->live, &h->settings);
}

/* Nobody waits before an open door. */
static void let_waiting_in(cn_hall *h)
{
    cn_live *l = h->live;
    if (h->settings.lobby || h->settings.locked) return;
    for (cn_knock *k = l->knocks, *next; k; k = next) {
        next = k->next;
        if (k->removed || strcmp(k->room, h->id) != 0) continue;
        cn_client *c = k->client;
        cn_client_notice(c, "room.admitted", json_pack("{s:s, s:n}", "room", h->id, "by"));
        cn_gate_forget(c);
        next = l->knocks; /* telling the hosts leaves the list alone, forgetting does not */
    }
}

static void apply(change *g)
{
    cn_hall *h = cn_hall_find(g->live, g->room);
    if (!h) return;
    bool opened = (h->settings.lobby && !g->info.settings.lobby) || (h->settings.locked && !g->info.settings.locked);
    bool tier = strcmp(h->settings.tier_max, g->info.settings.tier_max) != 0;
    cn_hall_set(h, &g->info.settings);
    json_t *told = cn_hall_settings_json(h);
    json_object_set_new(told, "by", *g->by ? json_string(g->by) : json_null());
    cn_hall_notice(h, NULL, "room.settings", told, NULL);
    if (tier) cn_hall_limits(h);
    if (opened) let_waiting_in(h);
}

static void changed(void *arg)
{
    change *g = arg;
    cn_client *c = cn_client_find(g->live, g->serial);
    g->live->setting = false;
    if (g->err == CN_OK && !g->live->closing) apply(g);
    fill_codec(g->live, &g->info.settings);
    if (c && g->err == CN_OK)
        cn_client_answer(c, g->id, settings_json(&g->info.settings));
    else if (c)
        cn_client_refuse(c, g->id, g->err, &g->problem);
    json_decref(g->id);
    free(g);
}

static cn_err judge_change(change *g)
{
    cn_room_settings *s = &g->info.settings;
    const char *field;
    CN_TRY(cn_room_get(&g->live->app->consult, &g->actor, g->room, &g->info));
    /* from outside the room: who moderates it anyway */
    if (!*g->by && !(g->info.parts & (CN_PART_LEAD | CN_PART_REVIEWER))) return CN_ERR_FORBIDDEN;
    if (g->locked >= 0) s->locked = g->locked;
    if (g->lobby >= 0) s->lobby = g->lobby;
    if (*g->unmute) cn_strcpy(s->unmute, sizeof s->unmute, g->unmute);
    if (*g->tier_max) cn_strcpy(s->tier_max, sizeof s->tier_max, g->tier_max);
    if (*g->codec) cn_strcpy(s->codec, sizeof s->codec, g->codec);
    if (!cn_room_settings_valid(s, &field)) return cn_problem_set(&g->problem, CN_ERR_INVALID, field, "unknown word");
    return cn_room_settings_set(&g->live->app->consult, &g->actor, g->room, s);
}

/* Job thread. */
static void change_job(void *arg)
{
    change *g = arg;
    g->err = judge_change(g);
    g->call = (cn_door_call){.fn = changed, .arg = g};
    cn_door_post(g->live->door, &g->call);
}

static cn_err parse_flag(cn_method_call *m, const char *key, int *out)
{
    bool value = false;
    *out = -1;
    const json_t *v = json_object_get(m->params, key);
    if (!v || json_is_null(v)) return CN_OK;
    CN_TRY(cn_json_bool(m->params, key, true, &value, &m->problem));
    *out = value;
    return CN_OK;
}

static cn_err parse_word(cn_method_call *m, const char *key, char *out, size_t n)
{
    const char *word = "";
    CN_TRY(cn_json_str(m->params, key, false, 1, n - 1, &word, &m->problem));
    return cn_strcpy(out, n, word) ? CN_OK : cn_problem_set(&m->problem, CN_ERR_INVALID, key, "unknown word");
}

static cn_err parse_change(cn_method_call *m, change *g)
{
    cn_room_settings tried = cn_room_settings_default();
    const char *field, *room = "";
    CN_TRY(cn_json_str(m->params, "room", false, 1, 63, &room, &m->problem));
    cn_strcpy(g->room, sizeof g->room, room);
    CN_TRY(parse_flag(m, "locked", &g->locked));
    CN_TRY(parse_flag(m, "lobby", &g->lobby));
    CN_TRY(parse_word(m, "unmute", g->unmute, sizeof g->unmute));
    CN_TRY(parse_word(m, "tier_max", g->tier_max, sizeof g->tier_max));
    CN_TRY(parse_word(m, "codec", g->codec, sizeof g->codec));
    if (*g->unmute) cn_strcpy(tried.unmute, sizeof tried.unmute, g->unmute);
    if (*g->tier_max) cn_strcpy(tried.tier_max, sizeof tried.tier_max, g->tier_max);
    if (*g->codec) cn_strcpy(tried.codec, sizeof tried.codec, g->codec);
    if (!cn_room_settings_valid(&tried, &field))
        return cn_problem_set(&m->problem, CN_ERR_INVALID, field, "unknown word");
    return CN_OK;
}

cn_err cn_do_settings(cn_method_call *m, json_t **result)
{
    change parsed = {.live = m->live};
    const cn_member *me = m->client->member;
    (void)result;
    CN_TRY(parse_change(m, &parsed));
    if (me && (!*parsed.room || strcmp(parsed.room, me->hall->id) == 0)) {
        CN_TRY(cn_need_host(m, "room.settings"));
        cn_strcpy(parsed.room, sizeof parsed.room, me->hall->id);
        cn_strcpy(parsed.by, sizeof parsed.by, me->id);
    }
    if (!*parsed.room) return cn_problem_set(&m->problem, CN_ERR_NOTFOUND, "room", "you are not in a room");
    if (m->live->setting) return CN_ERR_AGAIN;
    change *g = CN_NEW(change);
    if (!g) return CN_ERR_NOMEM;
    *g = parsed;
    g->serial = m->client->serial;
    g->actor = m->client->actor;
    g->id = json_incref(m->id);
    cn_err err = cn_jobs_add(m->live->app->db_jobs, change_job, g);
    if (err != CN_OK) {
        json_decref(g->id);
        free(g);
        return CN_ERR_AGAIN;
    }
    m->live->setting = true;
    return CN_ANSWERS_ITSELF;
}
