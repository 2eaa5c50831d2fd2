#include "recording.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define LINE 128

static bool line_read(recording_packet *p, char *text)
{
    static const int64_t most[] = {UINT32_MAX, UINT16_MAX, UINT32_MAX};
    int64_t fields[3] = {0};
    char *rest = NULL, *word = strtok_r(text, " \n", &rest);
    for (size_t i = 0; i < 3; i++, word = strtok_r(NULL, " \n", &rest))
        if (!word || !cn_parse_i64(word, 0, most[i], &fields[i])) return false;
    *p = (recording_packet){.at_us = (uint32_t)fields[0], .bytes = (uint16_t)fields[1], .ts = (uint32_t)fields[2]};
    return !word;
}

static bool packet_add(recording *r, const recording_packet *p)
{
    const recording_packet *former = r->n ? &r->packets[r->n - 1] : NULL;
    if (former && (p->at_us < former->at_us || p->ts < former->ts)) return false;
    if (r->n % 1024 == 0) {
        recording_packet *more = reallocarray(r->packets, r->n + 1024, sizeof *more);
        if (!more) return false;
        r->packets = more;
    }
    r->packets[r->n++] = *p;
    return true;
}

static bool length_find(recording *r)
{
    size_t frames = 0, last = 0;
    for (size_t i = 0; i < r->n; i += recording_frame(r, i), frames++) last = i;
    if (frames < 2) return false;
    uint32_t us = r->packets[last].at_us - r->packets[0].at_us, ts = r->packets[last].ts - r->packets[0].ts;
    r->length_us = us + us / (uint32_t)(frames - 1);
    r->length_ts = ts + ts / (uint32_t)(frames - 1);
    return true;
}

bool recording_read(recording *out, const char *path)
{
    recording r = {0};
    char text[LINE];
    FILE *f = fopen(path, "re");
    bool ok = f != NULL;
    while (ok && fgets(text, sizeof text, f)) {
        recording_packet p;
        if (text[0] != '#') ok = line_read(&p, text) && packet_add(&r, &p);
    }
    if (f) (void)fclose(f);
    ok = ok && length_find(&r);
    if (ok)
        *out = r;
    else
        recording_free(&r);
    return ok;
}

void recording_free(recording *r)
{
    free(r->packets);
    *r = (recording){0};
}

unsigned recording_frame(const recording *r, size_t i)
{
    size_t end = i;
    while (end < r->n && r->packets[end].ts == r->packets[i].ts) end++;
    return (unsigned)(end - i);
}
