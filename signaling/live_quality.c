/* How well everybody is connected: the mark, told to the room every two seconds. Door's thread. */
#include "signaling/live_private.h"

const char *cn_quality_path(cn_media_path path)
{
    static const char *const names[] = {
        [CN_PATH_UNKNOWN] = "", [CN_PATH_UDP] = "udp", [CN_PATH_TCP] = "tcp", [CN_PATH_RELAY] = "relay"};
    return (unsigned)path <= CN_PATH_RELAY ? names[path] : "";
}

/* 4 very good … 1 bad: by loss either way and round trip. */
static int mark_of(const cn_media_stats *s)
{
    static const struct {
        float loss;
        uint32_t rtt_ms;
        int mark;
    } marks[] = {{0.01f, 150, 4}, {0.03f, 300, 3}, {0.08f, 600, 2}};
    float loss = s->up_loss > s->down_loss ? s->up_loss : s->down_loss;
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (loss <= marks[i].loss && s->rtt_ms <= marks[i].rtt_ms) return marks[i].mark;
    return 1;
}

void cn_quality_stats(cn_member *m, const cn_media_stats *s)
{
    m->stats = *s;
    m->measured = true;
    m->quality = (cn_quality){.mark = m->client || *m->token_hash ? mark_of(s) : 0,
                              .up_loss = (double)s->up_loss,
                              .down_loss = (double)s->down_loss,
                              .rtt_ms = s->rtt_ms,
                              .up_bps = s->up_bps,
                              .down_bps = s->down_bps};
}

static json_t *quality_json(const cn_member *m)
{
    const cn_quality *q = &m->quality;
    return json_pack("{s:s, s:i, s:f, s:f, s:I, s:I, s:I}", "id", m->id, "mark", q->mark, "up_loss", q->up_loss,
                     "down_loss", q->down_loss, "rtt_ms", (json_int_t)q->rtt_ms, "up_bps", (json_int_t)q->up_bps,
                     "down_bps", (json_int_t)q->down_bps);
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
