// covers: media/wire/rtp.c
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "media/wire/rtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same(bool right)
{
    if (!right) abort();
}

/* What was parsed, written again and parsed again, is the same. */
static void round_trip(const cn_rtp *in, const cn_rtp_exts *ids)
{
    uint8_t out[2048];
    uint16_t at, twcc;
    cn_rtp_head head = {.ts = in->ts, .ssrc = in->ssrc, .seq = in->seq, .pt = in->pt, .marker = in->marker};
    for (int e = 0; e < CN_RTP_EXT_COUNT; e++)
        if (cn_rtp_has(in, (cn_rtp_ext)e)) cn_rtp_head_bytes(&head, (cn_rtp_ext)e, in->ext[e].p, in->ext[e].n);
    if (cn_rtp_twcc(in, &twcc)) cn_rtp_head_number(&head, CN_RTP_EXT_TWCC, twcc, 2);
    size_t body = in->payload_len < 1200 ? in->payload_len : 1200;
    size_t n = cn_rtp_write_rtx(out, sizeof out, &head, ids, 77, in->payload, body, &at);
    same(n == cn_rtp_header_size(&head, ids) + CN_RTX_OSN + body);
    if (in->padding) n = cn_rtp_pad(out, n, sizeof out, in->padding);
    cn_rtp again;
    same(cn_rtp_parse(out, n, ids, &again) == CN_OK && again.padding == in->padding && again.ssrc == in->ssrc);
    uint8_t *start;
    same(cn_rtp_restore_rtx(out, &again, in->pt, in->ssrc ^ 1, &start, &n) == CN_OK);
    same(cn_rtp_parse(start, n, ids, &again) == CN_OK && again.seq == 77 && again.ssrc == (in->ssrc ^ 1));
    same(again.present == in->present || !ids->two_byte);
    same(again.payload_len == body && (body == 0 || memcmp(again.payload, in->payload, body) == 0));
    for (int e = 0; e < CN_RTP_EXT_COUNT; e++)
        if (cn_rtp_has(&again, (cn_rtp_ext)e))
            same(again.ext[e].n == in->ext[e].n && memcmp(again.ext[e].p, in->ext[e].p, in->ext[e].n) == 0);
    if (in->padding) same(cn_rtp_write_padding(out, sizeof out, &head, ids, in->padding, &at) != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static cn_rtp_exts ids[2];
    if (!ids[1].two_byte)
        for (int e = 0; e < CN_RTP_EXT_COUNT; e++) {
            const char *uri = cn_rtp_ext_uri((cn_rtp_ext)e);
            for (int i = 0; i < 2; i++) cn_rtp_exts_set(&ids[i], cn_rtp_ext_by_uri(uri, strlen(uri)), (unsigned)e + 1);
        }
    ids[1].two_byte = true;
    cn_rtp rtp;
    for (int i = 0; i < 2; i++) {
        if (cn_rtp_parse(data, size, &ids[i], &rtp) != CN_OK) return 0;
        same(rtp.header_len + rtp.payload_len + rtp.padding == size && rtp.payload == data + rtp.header_len);
        uint8_t level;
        bool voice;
        cn_rtp_audio_level(&rtp, &level, &voice);
        cn_rtp_ext_is(&rtp, CN_RTP_EXT_MID, "0");
        round_trip(&rtp, &ids[i]);
    }
    return 0;
}
