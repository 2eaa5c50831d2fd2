#include "record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define BUFFER (1 << 20) /* written out while nothing else waits for the disk: seldom */

struct line_record {
    FILE *file;
    uint64_t began_ns;
};

line_record *record_new(const char *path, uint64_t now_ns)
{
    line_record *rec = CN_NEW(line_record);
    if (!rec) return NULL;
    rec->began_ns = now_ns;
    rec->file = fopen(path, "we");
    if (rec->file) {
        (void)setvbuf(rec->file, NULL, _IOFBF, BUFFER);
        return rec;
    }
    free(rec);
    return NULL;
}

static unsigned be16(const uint8_t *bytes)
{
    return (unsigned)bytes[0] << 8 | bytes[1];
}

static uint32_t be32(const uint8_t *bytes)
{
    return (uint32_t)be16(bytes) << 16 | be16(bytes + 2);
}

static const char *kind(const line_packet *packet)
{
    uint8_t first = packet->size ? packet->bytes[0] : 255;
    if (first < 4) return "stun";
    if (first >= 20 && first < 64) return "dtls";
    if (first < 128 || first >= 192 || packet->size < 12) return "other";
    return packet->bytes[1] >= 192 && packet->bytes[1] < 224 ? "rtcp" : "rtp";
}

/* 0: no whole header. */
static unsigned header_bytes(const line_packet *packet)
{
    unsigned n = 12 + 4 * (packet->bytes[0] & 15u);
    if (packet->bytes[0] & 16 && n + 4 <= packet->size) n += 4 + 4 * be16(packet->bytes + n + 2);
    return n <= packet->size ? n : 0;
}

void record_packet(line_record *rec, bool up, unsigned client, const line_packet *packet, line_fate fate,
                   uint64_t left_ns)
{
    if (!rec) return;
    const char *what = kind(packet);
    fprintf(rec->file, "%s %u %llu ", up ? "up" : "down", client,
            (unsigned long long)(packet->pushed_ns - rec->began_ns) / 1000);
    if (fate == LINE_UNDER_WAY)
        fprintf(rec->file, "%llu", (unsigned long long)(left_ns - rec->began_ns) / 1000);
    else
        fputs(fate == LINE_LOST ? "lost" : "dropped", rec->file);
    fprintf(rec->file, " %u %s", packet->size, what);
    if (strcmp(what, "rtp") == 0 && header_bytes(packet))
        fprintf(rec->file, " %u %u %u %u %u %u", header_bytes(packet), packet->bytes[1] & 127u, packet->bytes[1] >> 7u,
                be32(packet->bytes + 8), be16(packet->bytes + 2), be32(packet->bytes + 4));
    if (strcmp(what, "rtcp") == 0) fprintf(rec->file, " %u %u", packet->bytes[1], packet->bytes[0] & 31u);
    fputc('\n', rec->file);
}

void record_command(line_record *rec, const char *text, size_t len, uint64_t now_ns)
{
    if (rec) fprintf(rec->file, "# %llu %.*s\n", (unsigned long long)(now_ns - rec->began_ns) / 1000, (int)len, text);
}

bool record_end(line_record *rec)
{
    if (!rec) return true;
    bool ok = !ferror(rec->file);
    if (fclose(rec->file)) ok = false;
    free(rec);
    return ok;
}
