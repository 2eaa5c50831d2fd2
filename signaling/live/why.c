#include "signaling/live/why.h"

#include <stdbool.h>
#include <string.h>

#define GIVE_AFTER 2
#define TAKE_AFTER 3
#define LOSS 0.03f
#define DELAY_MS 400
#define JITTER_MS 60
#define SILENT_MS 3000
#define FITS 0.75 /* of what is wanted: less is seen */

static const char *const names[] = {
#define X(id, name, what) name,
    CN_WHY_TABLE(X)
#undef X
};

const char *cn_why_name(cn_why_reason reason)
{
    return (unsigned)reason < CN_WHY_COUNT ? names[reason] : "";
}

static uint32_t bit(cn_why_reason reason)
{
    return UINT32_C(1) << reason;
}

uint32_t cn_why_told(const char *name)
{
    static const cn_why_reason allowed[] = {CN_WHY_UP_SLOW, CN_WHY_CPU, CN_WHY_SENDS_LESS, CN_WHY_MIC_SILENT,
                                            CN_WHY_RELAY};
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
        if (strcmp(names[allowed[i]], name) == 0) return bit(allowed[i]);
    return 0;
}

static uint32_t of_sources(const cn_media_stats *stats)
{
    uint32_t now = 0;
    for (size_t i = 0; i < stats->source_count && i < CN_MEDIA_SOURCES; i++) {
        const cn_media_source_stats *src = &stats->sources[i];
        if (!src->on || src->silent_ms < SILENT_MS) continue;
        if (src->kind == CN_SOURCE_MIC) now |= bit(CN_WHY_MIC_SILENT);
        if (src->kind == CN_SOURCE_CAMERA) now |= bit(CN_WHY_CAMERA_SILENT);
    }
    return now;
}

static uint32_t of_connection(const cn_media_stats *stats)
{
    uint32_t now = 0;
    bool less = stats->estimate_bps && stats->estimate_bps < FITS * stats->wanted_bps;
    if (stats->up_loss >= LOSS) now |= bit(CN_WHY_UP_LOSS);
    if (stats->down_loss >= LOSS) now |= bit(CN_WHY_DOWN_LOSS);
    if (stats->rtt_ms >= DELAY_MS) now |= bit(CN_WHY_DELAY);
    if (stats->jitter_ms >= JITTER_MS) now |= bit(CN_WHY_JITTER);
    if (less || stats->paused) now |= bit(CN_WHY_DOWN_SLOW);
    if (stats->path == CN_PATH_TCP) now |= bit(CN_WHY_TCP);
    if (stats->path == CN_PATH_RELAY) now |= bit(CN_WHY_RELAY);
    return now;
}

uint32_t cn_why_update(cn_why *why, const cn_media_stats *stats)
{
    uint32_t now = of_connection(stats) | of_sources(stats);
    for (unsigned r = 0; r < CN_WHY_COUNT; r++) {
        bool is = now >> r & 1;
        why->seen[r] = !is ? 0 : why->seen[r] < GIVE_AFTER ? (uint8_t)(why->seen[r] + 1) : GIVE_AFTER;
        why->unseen[r] = is ? 0 : why->unseen[r] < TAKE_AFTER ? (uint8_t)(why->unseen[r] + 1) : TAKE_AFTER;
        if (why->seen[r] == GIVE_AFTER) why->given |= UINT32_C(1) << r;
        if (why->unseen[r] == TAKE_AFTER) why->given &= ~(UINT32_C(1) << r);
    }
    return why->given;
}

int cn_why_mark(const cn_media_stats *stats, uint32_t given)
{
    static const struct {
        float loss;
        uint32_t rtt_ms;
        int mark;
    } marks[] = {{0.01f, 150, 4}, {0.03f, 300, 3}, {0.08f, 600, 2}};
    float loss = stats->up_loss > stats->down_loss ? stats->up_loss : stats->down_loss;
    int mark = 1;
    for (size_t i = 0; i < sizeof marks / sizeof *marks && mark == 1; i++)
        if (loss <= marks[i].loss && stats->rtt_ms <= marks[i].rtt_ms) mark = marks[i].mark;
    const uint32_t felt = bit(CN_WHY_UP_SLOW) | bit(CN_WHY_SENDS_LESS) | bit(CN_WHY_DOWN_SLOW) | bit(CN_WHY_JITTER);
    return given & felt && mark > 2 ? 2 : mark;
}

const char *cn_quality_path(cn_media_path path)
{
    static const char *const paths[] = {
        [CN_PATH_UNKNOWN] = "", [CN_PATH_UDP] = "udp", [CN_PATH_TCP] = "tcp", [CN_PATH_RELAY] = "relay"};
    return (unsigned)path <= CN_PATH_RELAY ? paths[path] : "";
}

json_t *cn_quality_why(uint32_t why)
{
    json_t *list = json_array();
    for (unsigned r = 0; r < CN_WHY_COUNT; r++)
        if (why >> r & 1) json_array_append_new(list, json_string(cn_why_name((cn_why_reason)r)));
    return list;
}
