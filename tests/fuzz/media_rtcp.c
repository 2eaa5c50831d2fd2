// covers: media/wire/rtcp.c media/wire/rtcp_write.c
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "media/wire/bytes.h"
#include "media/wire/rtcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROOM = 70000 };

static uint8_t out[ROOM];

static void same(bool right)
{
    if (!right) abort();
}

static cn_rtcp reread(size_t count)
{
    cn_rtcp_it it;
    cn_rtcp pkt;
    same(count > 0 && count <= ROOM && cn_rtcp_open(&it, out, count) == CN_OK && cn_rtcp_next(&it, &pkt));
    return pkt;
}

static void reports(const cn_rtcp *pkt)
{
    cn_rtcp_block block[32];
    cn_rtcp_sr sr, back;
    size_t n = 0;
    while (cn_rtcp_block_read(pkt, n, &block[n])) n++;
    if (cn_rtcp_sr_read(pkt, &sr)) {
        cn_rtcp again = reread(cn_rtcp_write_sr(out, ROOM, &sr, block, n));
        same(cn_rtcp_sr_read(&again, &back) && back.ntp == sr.ntp && again.count == n);
    } else if (pkt->type == CN_RTCP_RR) {
        cn_rtcp again = reread(cn_rtcp_write_rr(out, ROOM, cn_be32(pkt->body), block, n));
        same(memcmp(again.body, pkt->body, 4 + 24 * n) == 0);
    }
}

/* A CNAME of whatever bytes is written as it is. */
static void names(const cn_rtcp *pkt)
{
    char text[256] = {0};
    if (pkt->type != CN_RTCP_SDES || pkt->count != 1) return;
    memcpy(text, pkt->body + 4, pkt->body_len - 4 < 255 ? pkt->body_len - 4 : 255);
    cn_rtcp again = reread(cn_rtcp_write_cname(out, ROOM, cn_be32(pkt->body), text));
    same(again.count == 1 && again.body[5] == strlen(text) && memcmp(again.body + 6, text, strlen(text)) == 0);
}

static void requests(const cn_rtcp *pkt)
{
    uint32_t ssrc;
    uint8_t number;
    uint64_t bps;
    size_t n, entries = 0;
    while (cn_rtcp_fir_read(pkt, entries, &ssrc, &number)) entries++;
    same(pkt->type != CN_RTCP_FIR || entries > 0);
    same(cn_rtcp_remb_read(pkt, &bps, &n) == (pkt->type == CN_RTCP_REMB));
    if (pkt->type == CN_RTCP_PLI) reread(cn_rtcp_write_pli(out, ROOM, cn_be32(pkt->body), cn_rtcp_media(pkt)));
    static uint16_t seqs[17 * 20000];
    cn_rtcp_nack_it it = {.pkt = pkt};
    n = 0;
    while (n < sizeof seqs / sizeof *seqs && cn_rtcp_nack_next(&it, &seqs[n])) n++;
    if (n) reread(cn_rtcp_write_nack(out, ROOM, cn_be32(pkt->body), cn_rtcp_media(pkt), seqs, n, NULL));
}

static void transport_wide(const cn_rtcp *pkt)
{
    static cn_twcc_arrival arrival[65536];
    cn_rtcp_twcc_it it;
    cn_rtcp_twcc twcc;
    if (!cn_rtcp_twcc_open(&it, pkt)) return;
    int64_t tick = ((int64_t)it.reference + (1 << 24)) * 256;
    size_t n = 0, used;
    while (cn_rtcp_twcc_next(&it, &twcc)) {
        tick += twcc.delta_250us;
        if (twcc.received && tick >= 0) arrival[n++] = (cn_twcc_arrival){twcc.seq, tick * 250};
    }
    if (n == 0) return;
    uint16_t base = arrival[0].seq;
    size_t len = cn_rtcp_write_twcc(out, 1200, 1, 2, it.number, base, arrival, n, &used);
    same(used > 0);
    cn_rtcp again = reread(len);
    same(cn_rtcp_twcc_open(&it, &again));
    tick = (int64_t)it.reference * 256;
    for (size_t i = 0; cn_rtcp_twcc_next(&it, &twcc);) {
        if (!twcc.received) continue;
        tick += twcc.delta_250us;
        same(i < used && twcc.seq == arrival[i].seq && (tick * 250 - arrival[i].time_us) % ((int64_t)64000 << 24) == 0);
        i++;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cn_rtcp_it it;
    if (size > 65535 || cn_rtcp_open(&it, data, size) != CN_OK) return 0;
    for (cn_rtcp pkt; cn_rtcp_next(&it, &pkt);) {
        same(pkt.body >= data && pkt.body + pkt.body_len <= data + size);
        reports(&pkt);
        names(&pkt);
        requests(&pkt);
        transport_wide(&pkt);
    }
    same(it.n == 0);
    return 0;
}
