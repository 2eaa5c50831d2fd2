#include "schedule.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static cn_err add(schedule *plan, size_t *room, sched_packet packet)
{
    if (plan->count == *room) {
        size_t more = *room ? *room * 2 : 4096;
        sched_packet *bigger = reallocarray(plan->packets, more, sizeof *bigger);
        if (!bigger) return CN_ERR_NOMEM;
        plan->packets = bigger;
        *room = more;
    }
    if (packet.destination >= plan->destinations) plan->destinations = packet.destination + 1;
    plan->packets[plan->count++] = packet;
    return CN_OK;
}

cn_err schedule_make(schedule *out, uint32_t destinations, uint16_t size, double rate, uint32_t run, double seconds)
{
    if (!destinations || destinations > SCHED_DESTINATIONS_MAX || !run || rate < 1 || rate > 1e7 || seconds <= 0 ||
        seconds > 3600 || size < SCHED_SIZE_MIN || size > SCHED_SIZE_MAX)
        return CN_ERR_INVALID;
    schedule plan = {0};
    size_t room = 0;
    double bursts = rate / run, count = seconds * bursts;
    for (double b = 0; b < count; b++) {
        sched_packet packet = {
            .at_us = (uint64_t)(b * 1e6 / bursts), .destination = (uint32_t)((uint64_t)b % destinations), .size = size};
        for (uint32_t i = 0; i < run; i++) {
            if (add(&plan, &room, packet) != CN_OK) {
                schedule_free(&plan);
                return CN_ERR_NOMEM;
            }
        }
    }
    plan.destinations = destinations;
    *out = plan;
    return CN_OK;
}

static cn_err read_line(schedule *plan, size_t *room, const char *text)
{
    uint64_t at = 0;
    uint32_t destination = 0, size = 0;
    char rest = 0;
    if (sscanf(text, "%" SCNu64 " %" SCNu32 " %" SCNu32 " %c", &at, &destination, &size, &rest) != 3)
        return CN_ERR_PARSE;
    if (destination >= SCHED_DESTINATIONS_MAX || size < SCHED_SIZE_MIN || size > SCHED_SIZE_MAX) return CN_ERR_PARSE;
    if (plan->count && at < plan->packets[plan->count - 1].at_us) return CN_ERR_PARSE;
    return add(plan, room, (sched_packet){.at_us = at, .destination = destination, .size = (uint16_t)size});
}

cn_err schedule_read(schedule *out, const char *path, size_t *line)
{
    *line = 0;
    FILE *file = fopen(path, "re");
    if (!file) return cn_err_from_errno(errno);
    schedule plan = {0};
    size_t room = 0;
    cn_err err = CN_OK;
    for (char text[128]; !err && fgets(text, sizeof text, file);) {
        ++*line;
        err = read_line(&plan, &room, text);
    }
    if (!err && ferror(file)) err = CN_ERR_IO;
    if (!err && !plan.count) err = CN_ERR_INVALID;
    (void)fclose(file);
    if (err)
        schedule_free(&plan);
    else
        *out = plan;
    return err;
}

void schedule_free(schedule *plan)
{
    free(plan->packets);
    *plan = (schedule){0};
}
