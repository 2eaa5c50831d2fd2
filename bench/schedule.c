#include "schedule.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static cn_err add(schedule *s, size_t *room, sched_packet p)
{
    if (s->count == *room) {
        size_t more = *room ? *room * 2 : 4096;
        sched_packet *bigger = reallocarray(s->packets, more, sizeof *bigger);
        if (!bigger) return CN_ERR_NOMEM;
        s->packets = bigger;
        *room = more;
    }
    if (p.destination >= s->destinations) s->destinations = p.destination + 1;
    s->packets[s->count++] = p;
    return CN_OK;
}

cn_err schedule_make(schedule *out, uint32_t destinations, uint16_t size, double rate, uint32_t run, double seconds)
{
    if (!destinations || destinations > SCHED_DESTINATIONS_MAX || !run || rate < 1 || rate > 1e7 || seconds <= 0 ||
        seconds > 3600 || size < SCHED_SIZE_MIN || size > SCHED_SIZE_MAX)
        return CN_ERR_INVALID;
    schedule s = {0};
    size_t room = 0;
    double bursts = rate / run, count = seconds * bursts;
    for (double b = 0; b < count; b++) {
        sched_packet p = {
            .at_us = (uint64_t)(b * 1e6 / bursts), .destination = (uint32_t)((uint64_t)b % destinations), .size = size};
        for (uint32_t i = 0; i < run; i++) {
            if (add(&s, &room, p) != CN_OK) {
                schedule_free(&s);
                return CN_ERR_NOMEM;
            }
        }
    }
    s.destinations = destinations;
    *out = s;
    return CN_OK;
}

static cn_err read_line(schedule *s, size_t *room, const char *text)
{
    uint64_t at = 0;
    uint32_t destination = 0, size = 0;
    char rest = 0;
    if (sscanf(text, "%" SCNu64 " %" SCNu32 " %" SCNu32 " %c", &at, &destination, &size, &rest) != 3)
        return CN_ERR_PARSE;
    if (destination >= SCHED_DESTINATIONS_MAX || size < SCHED_SIZE_MIN || size > SCHED_SIZE_MAX) return CN_ERR_PARSE;
    if (s->count && at < s->packets[s->count - 1].at_us) return CN_ERR_PARSE;
    return add(s, room, (sched_packet){.at_us = at, .destination = destination, .size = (uint16_t)size});
}

cn_err schedule_read(schedule *out, const char *path, size_t *line)
{
    *line = 0;
    FILE *f = fopen(path, "re");
    if (!f) return cn_err_from_errno(errno);
    schedule s = {0};
    size_t room = 0;
    cn_err err = CN_OK;
    for (char text[128]; !err && fgets(text, sizeof text, f);) {
        ++*line;
        err = read_line(&s, &room, text);
    }
    if (!err && ferror(f)) err = CN_ERR_IO;
    if (!err && !s.count) err = CN_ERR_INVALID;
    (void)fclose(f);
    if (err)
        schedule_free(&s);
    else
        *out = s;
    return err;
}

void schedule_free(schedule *s)
{
    free(s->packets);
    *s = (schedule){0};
}
