#include "recording.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define LINE 128

static bool line_read(recording_packet *packet, char *text)
{
    static const int64_t most[] = {UINT32_MAX, UINT16_MAX, UINT32_MAX};
    int64_t fields[3] = {0};
    char *rest = NULL, *word = strtok_r(text, " \n", &rest);
    for (size_t i = 0; i < 3; i++, word = strtok_r(NULL, " \n", &rest))
        if (!word || !cn_parse_i64(word, 0, most[i], &fields[i])) return false;
    *packet = (recording_packet){.at_us = (uint32_t)fields[0], .bytes = (uint16_t)fields[1], .ts = (uint32_t)fields[2]};
    return !word;
}

static bool packet_add(recording *tape, const recording_packet *packet)
{
    const recording_packet *former = tape->n ? &tape->packets[tape->n - 1] : NULL;
    if (former && (packet->at_us < former->at_us || packet->ts < former->ts)) return false;
    if (tape->n % 1024 == 0) {
        recording_packet *more = reallocarray(tape->packets, tape->n + 1024, sizeof *more);
        if (!more) return false;
        tape->packets = more;
    }
    tape->packets[tape->n++] = *packet;
    return true;
}

static bool length_find(recording *tape)
{
    size_t frames = 0, last = 0;
    for (size_t i = 0; i < tape->n; i += recording_frame(tape, i), frames++) last = i;
    if (frames < 2) return false;
    uint32_t us = tape->packets[last].at_us - tape->packets[0].at_us, ts = tape->packets[last].ts - tape->packets[0].ts;
    tape->length_us = us + us / (uint32_t)(frames - 1);
    tape->length_ts = ts + ts / (uint32_t)(frames - 1);
    return true;
}

bool recording_read(recording *out, const char *path)
{
    recording tape = {0};
    char text[LINE];
    FILE *file = fopen(path, "re");
    bool ok = file != NULL;
    while (ok && fgets(text, sizeof text, file)) {
        recording_packet packet;
        if (text[0] != '#') ok = line_read(&packet, text) && packet_add(&tape, &packet);
    }
    if (file) (void)fclose(file);
    ok = ok && length_find(&tape);
    if (ok)
        *out = tape;
    else
        recording_free(&tape);
    return ok;
}

void recording_free(recording *tape)
{
    free(tape->packets);
    *tape = (recording){0};
}

unsigned recording_frame(const recording *tape, size_t index)
{
    size_t end = index;
    while (end < tape->n && tape->packets[end].ts == tape->packets[index].ts) end++;
    return (unsigned)(end - index);
}
