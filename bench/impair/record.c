#include "record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define BUFFER (1 << 20) /* written out while nothing else waits for the disk: seldom */

struct record {
    FILE *file;
    uint64_t began_ns;
};

record *record_new(const char *path, uint64_t now_ns)
{
    record *r = CN_NEW(record);
    if (!r) return NULL;
    r->began_ns = now_ns;
    r->file = fopen(path, "we");
    if (r->file) {
        (void)setvbuf(r->file, NULL, _IOFBF, BUFFER);
        return r;
    }
    free(r);
    return NULL;
}

static unsigned be16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)be16(p) << 16 | be16(p + 2);
}

static const char *kind(const line_packet *p)
{
    uint8_t first = p->size ? p->bytes[0] : 255;
    if (first < 4) return "stun";
    if (first >= 20 && first < 64) return "dtls";
    if (first < 128 || first >= 192 || p->size < 12) return "other";
    return p->bytes[1] >= 192 && p->bytes[1] < 224 ? "rtcp" : "rtp";
}

/* 0: no whole header. */
static unsigned header_bytes(const line_packet *p)
{
    unsigned n = 12 + 4 * (p->bytes[0] & 15u);
    if (p->bytes[0] & 16 && n + 4 <= p->size) n += 4 + 4 * be16(p->bytes + n + 2);
    return n <= p->size ? n : 0;
}

void record_packet(record *r, bool up, unsigned client, const line_packet *p, line_fate fate, uint64_t left_ns)
{
    if (!r) return;
    const char *what = kind(p);
    fprintf(r->file, "%s %u %llu ", up ? "up" : "down", client,
            (unsigned long long)(p->pushed_ns - r->began_ns) / 1000);
    if (fate == LINE_UNDER_WAY)
        fprintf(r->file, "%llu", (unsigned long long)(left_ns - r->began_ns) / 1000);
    else
        fputs(fate == LINE_LOST ? "lost" : "dropped", r->file);
    fprintf(r->file, " %u %s", p->size, what);
    if (strcmp(what, "rtp") == 0 && header_bytes(p))
        fprintf(r->file, " %u %u %u %u %u %u", header_bytes(p), p->bytes[1] & 127u, p->bytes[1] >> 7u,
                be32(p->bytes + 8), be16(p->bytes + 2), be32(p->bytes + 4));
    if (strcmp(what, "rtcp") == 0) fprintf(r->file, " %u %u", p->bytes[1], p->bytes[0] & 31u);
    fputc('\n', r->file);
}

void record_command(record *r, const char *text, size_t n, uint64_t now_ns)
{
    if (r) fprintf(r->file, "# %llu %.*s\n", (unsigned long long)(now_ns - r->began_ns) / 1000, (int)n, text);
}

bool record_end(record *r)
{
    if (!r) return true;
    bool ok = !ferror(r->file);
    if (fclose(r->file)) ok = false;
    free(r);
    return ok;
}
