#include "media/wire/rtp.h"

#include <string.h>

enum { PROFILE_ONE_BYTE = 0xbede, PROFILE_TWO_BYTE = 0x1000, ONE_BYTE_ID_MAX = 14, ONE_BYTE_VALUE_MAX = 16 };

static const struct {
    uint8_t least, most;
    const char *uri;
} known[CN_RTP_EXT_COUNT] = {
#define X(name, least, most, uri) [CN_RTP_EXT_##name] = {least, most, uri},
    CN_RTP_EXT_TABLE(X)
#undef X
};

const char *cn_rtp_ext_uri(cn_rtp_ext ext)
{
    return (unsigned)ext < CN_RTP_EXT_COUNT ? known[ext].uri : "";
}

cn_rtp_ext cn_rtp_ext_by_uri(const char *uri, size_t len)
{
    int e = 0;
    while (e < CN_RTP_EXT_COUNT && (strlen(known[e].uri) != len || memcmp(known[e].uri, uri, len) != 0)) e++;
    return (cn_rtp_ext)e;
}

bool cn_rtp_exts_set(cn_rtp_exts *exts, cn_rtp_ext ext, unsigned id)
{
    if ((unsigned)ext >= CN_RTP_EXT_COUNT || id == 0 || id == 15 || id > 255) return false;
    if (exts->ext_of[id] != 0 && exts->ext_of[id] != (uint8_t)(ext + 1)) return false;
    exts->ext_of[exts->id[ext]] = 0;
    exts->id[ext] = (uint8_t)id;
    exts->ext_of[id] = (uint8_t)(ext + 1);
    return true;
}

static void found(cn_rtp *out, const cn_rtp_exts *ids, unsigned id, const uint8_t *value, size_t len)
{
    unsigned e = ids ? ids->ext_of[id] : 0;
    if (e-- == 0 || len < known[e].least || len > known[e].most || cn_rtp_has(out, (cn_rtp_ext)e)) return;
    out->ext[e] = (cn_rtp_view){value, (uint8_t)len};
    out->present |= CN_RTP_EXT_BIT(e);
}

/* RFC 8285 §4.2: one byte of id and length − 1. Id 15 ends the list; a zero byte is padding. */
static cn_err one_byte(cn_rtp *out, const cn_rtp_exts *ids, const uint8_t *bytes, const uint8_t *end)
{
    while (bytes < end) {
        unsigned id = *bytes >> 4, n = (*bytes & 15u) + 1;
        if (*bytes++ == 0) continue;
        if (id == 0 || id == 15) break;
        if (n > (size_t)(end - bytes)) return CN_ERR_PARSE;
        found(out, ids, id, bytes, n);
        bytes += n;
    }
    return CN_OK;
}

/* RFC 8285 §4.3: a byte of id, a byte of length; a zero id is a byte of padding. */
static cn_err two_byte(cn_rtp *out, const cn_rtp_exts *ids, const uint8_t *bytes, const uint8_t *end)
{
    while (bytes < end) {
        unsigned id = *bytes++;
        if (id == 0) continue;
        if (bytes == end || *bytes > (size_t)(end - bytes - 1)) return CN_ERR_PARSE;
        found(out, ids, id, bytes + 1, *bytes);
        bytes += *bytes + 1;
    }
    return CN_OK;
}

static cn_err extensions(cn_rtp *out, const cn_rtp_exts *ids, size_t at)
{
    if (out->len - at < 4) return CN_ERR_PARSE;
    const uint8_t *p = out->data + at;
    unsigned profile = cn_be16(p);
    size_t n = cn_be16(p + 2) * (size_t)4;
    if (n > out->len - at - 4) return CN_ERR_PARSE;
    out->header_len = at + 4 + n;
    if (profile == PROFILE_ONE_BYTE) return one_byte(out, ids, p + 4, p + 4 + n);
    if ((profile & 0xfff0) == PROFILE_TWO_BYTE) return two_byte(out, ids, p + 4, p + 4 + n);
    return CN_OK;
}

cn_err cn_rtp_parse(const uint8_t *bytes, size_t len, const cn_rtp_exts *ids, cn_rtp *out)
{
    if (len < CN_RTP_HEADER || bytes[0] >> 6 != 2) return CN_ERR_PARSE;
    out->data = bytes;
    out->len = len;
    out->csrc_count = bytes[0] & 15;
    out->marker = bytes[1] >> 7;
    out->pt = bytes[1] & 0x7f;
    out->seq = cn_be16(bytes + 2);
    out->ts = cn_be32(bytes + 4);
    out->ssrc = cn_be32(bytes + 8);
    out->csrcs = bytes + CN_RTP_HEADER;
    out->present = 0;
    out->padding = 0;
    out->header_len = CN_RTP_HEADER + out->csrc_count * (size_t)4;
    if (out->header_len > len) return CN_ERR_PARSE;
    if (bytes[0] & 0x10) CN_TRY(extensions(out, ids, out->header_len));
    if (bytes[0] & 0x20) {
        out->padding = bytes[len - 1];
        if (out->padding == 0 || out->padding > len - out->header_len) return CN_ERR_PARSE;
    }
    out->payload = bytes + out->header_len;
    out->payload_len = len - out->header_len - out->padding;
    return CN_OK;
}

bool cn_rtp_twcc(const cn_rtp *rtp, uint16_t *seq)
{
    if (!cn_rtp_has(rtp, CN_RTP_EXT_TWCC)) return false;
    *seq = cn_be16(rtp->ext[CN_RTP_EXT_TWCC].p);
    return true;
}

bool cn_rtp_audio_level(const cn_rtp *rtp, uint8_t *level, bool *voice)
{
    if (!cn_rtp_has(rtp, CN_RTP_EXT_AUDIO_LEVEL)) return false;
    *level = rtp->ext[CN_RTP_EXT_AUDIO_LEVEL].p[0] & 0x7f;
    *voice = rtp->ext[CN_RTP_EXT_AUDIO_LEVEL].p[0] >> 7;
    return true;
}

bool cn_rtp_ext_is(const cn_rtp *rtp, cn_rtp_ext ext, const char *text)
{
    return cn_rtp_has(rtp, ext) && strlen(text) == rtp->ext[ext].n &&
           memcmp(rtp->ext[ext].p, text, rtp->ext[ext].n) == 0;
}

void cn_rtp_head_bytes(cn_rtp_head *head, cn_rtp_ext ext, const void *bytes, uint8_t len)
{
    head->ext[ext] = (cn_rtp_value){.p = bytes, .n = len};
    head->present |= CN_RTP_EXT_BIT(ext);
}

void cn_rtp_head_number(cn_rtp_head *head, cn_rtp_ext ext, uint32_t value, uint8_t len)
{
    head->ext[ext] = (cn_rtp_value){.small = value, .n = len};
    head->present |= CN_RTP_EXT_BIT(ext);
}

/* Which extensions will be written in which form, and the bytes of all their elements. */
typedef struct plan {
    uint16_t exts;
    bool two_byte;
    size_t bytes;
} plan;

static bool value_usable(const cn_rtp_value *value, int ext)
{
    return value->n >= known[ext].least && value->n <= known[ext].most && (value->p || value->n <= 4);
}

static plan plan_make(const cn_rtp_head *head, const cn_rtp_exts *ids)
{
    plan one = {0}, two = {.two_byte = true};
    for (int e = 0; ids && e < CN_RTP_EXT_COUNT; e++) {
        const cn_rtp_value *value = &head->ext[e];
        if (!(head->present & CN_RTP_EXT_BIT(e)) || ids->id[e] == 0 || !value_usable(value, e)) continue;
        two.exts |= CN_RTP_EXT_BIT(e);
        two.bytes += 2u + value->n;
        if (ids->id[e] > ONE_BYTE_ID_MAX || value->n > ONE_BYTE_VALUE_MAX) continue;
        one.exts |= CN_RTP_EXT_BIT(e);
        one.bytes += 1u + value->n;
    }
    return ids && ids->two_byte && one.exts != two.exts ? two : one;
}

static size_t plan_size(const plan *pl)
{
    return CN_RTP_HEADER + (pl->exts ? 4 + ((pl->bytes + 3) & ~(size_t)3) : 0);
}

static uint8_t *put_element(uint8_t *at, unsigned id, const cn_rtp_value *value, bool two)
{
    if (two) {
        *at++ = (uint8_t)id;
        *at++ = value->n;
    } else {
        *at++ = (uint8_t)(id << 4 | (value->n - 1u));
    }
    if (value->p) {
        memcpy(at, value->p, value->n);
        return at + value->n;
    }
    for (int shift = 8 * (value->n - 1); shift >= 0; shift -= 8) *at++ = (uint8_t)(value->small >> shift);
    return at;
}

size_t cn_rtp_header_size(const cn_rtp_head *head, const cn_rtp_exts *ids)
{
    plan pl = plan_make(head, ids);
    return plan_size(&pl);
}

size_t cn_rtp_write_header(uint8_t *out, size_t cap, const cn_rtp_head *head, const cn_rtp_exts *ids, uint16_t *twcc_at)
{
    plan pl = plan_make(head, ids);
    size_t size = plan_size(&pl);
    if (twcc_at) *twcc_at = 0;
    if (size > cap) return 0;
    out[0] = (uint8_t)(0x80 | (pl.exts ? 0x10 : 0));
    out[1] = (uint8_t)((head->marker ? 0x80 : 0) | (head->pt & 0x7f));
    cn_put16(out + 2, head->seq);
    cn_put32(out + 4, head->ts);
    cn_put32(out + 8, head->ssrc);
    if (!pl.exts) return size;
    cn_put16(out + 12, pl.two_byte ? PROFILE_TWO_BYTE : PROFILE_ONE_BYTE);
    cn_put16(out + 14, (unsigned)(size - CN_RTP_HEADER - 4) / 4);
    uint8_t *at = out + CN_RTP_HEADER + 4;
    for (int e = 0; e < CN_RTP_EXT_COUNT; e++) {
        if (!(pl.exts & CN_RTP_EXT_BIT(e))) continue;
        at = put_element(at, ids->id[e], &head->ext[e], pl.two_byte);
        if (e == CN_RTP_EXT_TWCC && twcc_at) *twcc_at = (uint16_t)(at - out - 2);
    }
    memset(at, 0, (size_t)(out + size - at));
    return size;
}

size_t cn_rtp_pad(uint8_t *packet, size_t len, size_t cap, uint8_t pad)
{
    if (pad == 0 || len < CN_RTP_HEADER || len > cap || pad > cap - len) return 0;
    packet[0] |= 0x20;
    memset(packet + len, 0, pad);
    packet[len + pad - 1] = pad;
    return len + pad;
}

size_t cn_rtp_write_padding(uint8_t *out, size_t cap, const cn_rtp_head *head, const cn_rtp_exts *ids, uint8_t pad,
                            uint16_t *twcc_at)
{
    return cn_rtp_pad(out, cn_rtp_write_header(out, cap, head, ids, twcc_at), cap, pad);
}

size_t cn_rtp_write_rtx(uint8_t *out, size_t cap, const cn_rtp_head *header, const cn_rtp_exts *ids, uint16_t osn,
                        const uint8_t *payload, size_t payload_len, uint16_t *twcc_at)
{
    size_t head = cn_rtp_write_header(out, cap, header, ids, twcc_at);
    if (head == 0 || cap - head < CN_RTX_OSN || payload_len > cap - head - CN_RTX_OSN) return 0;
    cn_put16(out + head, osn);
    if (payload_len) memcpy(out + head + CN_RTX_OSN, payload, payload_len);
    return head + CN_RTX_OSN + payload_len;
}

cn_err cn_rtp_restore_rtx(uint8_t *packet, const cn_rtp *in, uint8_t pt, uint32_t ssrc, uint8_t **start, size_t *len)
{
    if (in->payload_len < CN_RTX_OSN) return CN_ERR_PARSE;
    uint16_t osn = cn_be16(packet + in->header_len);
    uint8_t *p = packet + CN_RTX_OSN;
    memmove(p, packet, in->header_len);
    p[1] = (uint8_t)((p[1] & 0x80) | (pt & 0x7f));
    cn_put16(p + 2, osn);
    cn_put32(p + 8, ssrc);
    *start = p;
    *len = in->len - CN_RTX_OSN;
    return CN_OK;
}
