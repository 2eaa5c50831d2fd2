/* How well everybody is connected: the mark and the reasons, told to the room every two seconds. Door's thread. */
#include "signaling/live_private.h"

#define TOLD_MAX 16 /* reasons in one message */

const char *cn_quality_path(cn_media_path path)
{
    static const char *const names[] = {
        [CN_PATH_UNKNOWN] = "", [CN_PATH_UDP] = "udp", [CN_PATH_TCP] = "tcp", [CN_PATH_RELAY] = "relay"};
    return (unsigned)path <= CN_PATH_RELAY ? names[path] : "";
}

void cn_quality_stats(cn_member *m, const cn_media_stats *s)
{
    m->stats = *s;
    m->measured = true;
    /* a relay looks like any other sender from here */
    if (m->told & cn_why_told("relay")) m->stats.path = CN_PATH_RELAY;
    uint32_t why = cn_why_update(&m->why, s) | m->told;
    m->quality = (cn_quality){.mark = m->client || *m->token_hash ? cn_why_mark(s, why) : 0,
                              .why = why,
                              .up_loss = (double)s->up_loss,
                              .down_loss = (double)s->down_loss,
                              .rtt_ms = s->rtt_ms,
                              .up_bps = s->up_bps,
                              .down_bps = s->down_bps};
    cn_record_stats(m);
}

json_t *cn_quality_why(uint32_t why)
{
    json_t *list = json_array();
    for (unsigned r = 0; r < CN_WHY_COUNT; r++)
        if (why >> r & 1) json_array_append_new(list, json_string(cn_why_name((cn_why_reason)r)));
    return list;
}

static json_t *quality_json(const cn_member *m)
{
    const cn_quality *q = &m->quality;
    return json_pack("{s:s, s:i, s:o, s:f, s:f, s:I, s:I, s:I}", "id", m->id, "mark", q->mark, "why",
                     cn_quality_why(q->why), "up_loss", q->up_loss, "down_loss", q->down_loss, "rtt_ms",
                     (json_int_t)q->rtt_ms, "up_bps", (json_int_t)q->up_bps, "down_bps", (json_int_t)q->down_bps);
}

/* room.health: what the app knows of itself. Names that are not known here are left alone. */
cn_err cn_do_health(cn_method_call *m, json_t **result)
{
    json_t *why = json_object_get(m->params, "why"), *one;
    size_t i;
    uint32_t told = 0;
    (void)result;
    if (!json_is_array(why) || json_array_size(why) > TOLD_MAX)
        return cn_problem_set(&m->problem, CN_ERR_INVALID, "why", "must be an array of at most %d reasons", TOLD_MAX);
    json_array_foreach(why, i, one)
    {
        if (!json_is_string(one)) return cn_problem_set(&m->problem, CN_ERR_INVALID, "why", "must hold texts");
        told |= cn_why_told(json_string_value(one));
    }
    m->client->member->told = told;
    return CN_OK;
}

void cn_live_quality(void *live)
{
    cn_live *l = live;
    for (cn_hall *h = l->halls; h; h = h->next) {
        json_t *all = json_array();
        for (const cn_member *m = h->members; m; m = m->next)
            if (m->connected) json_array_append_new(all, quality_json(m));
        cn_hall_notice(h, NULL, "room.quality", json_pack("{s:o}", "participants", all), "room.quality");
    }
}
