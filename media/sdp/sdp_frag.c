/* Fragments of WHIP and WHEP PATCH (RFC 8840 §9, RFC 9725 §4.4). */
#include <string.h>

#include "media/sdp/sdp_parts.h"

enum { FRAG_BYTES = 16 * 1024 };

static cn_err credential(char *out, size_t size, const char *value, size_t len, bool (*valid)(const char *))
{
    char text[257];
    if (len >= sizeof text) return CN_ERR_PARSE;
    memcpy(text, value, len);
    text[len] = 0;
    /* every m-section of one BUNDLE repeats the same */
    if (!valid(text) || (*out && strcmp(out, text) != 0)) return CN_ERR_PARSE;
    return cn_strcpy(out, size, text) ? CN_OK : CN_ERR_PARSE;
}

static cn_err frag_line(const char *line, size_t len, cn_sdp_frag *frag)
{
    static const char ufrag[] = "a=ice-ufrag:", pwd[] = "a=ice-pwd:";
    if (len < 2 || line[1] != '=' || !strchr("amcosvt", line[0])) return CN_ERR_PARSE;
    if (len >= sizeof ufrag - 1 && memcmp(line, ufrag, sizeof ufrag - 1) == 0)
        return credential(frag->ufrag, sizeof frag->ufrag, line + sizeof ufrag - 1, len - sizeof ufrag + 1,
                          cn_sdp_ufrag_valid);
    if (len >= sizeof pwd - 1 && memcmp(line, pwd, sizeof pwd - 1) == 0)
        return credential(frag->pwd, sizeof frag->pwd, line + sizeof pwd - 1, len - sizeof pwd + 1, cn_sdp_pwd_valid);
    return CN_OK;
}

cn_err cn_sdp_frag_parse(const char *text, size_t len, cn_sdp_frag *out, cn_problem *problem)
{
    if (len > FRAG_BYTES)
        return cn_problem_set(problem, CN_ERR_TOOBIG, "", "fragment longer than %d bytes", FRAG_BYTES);
    if (len && memchr(text, 0, len)) return cn_problem_set(problem, CN_ERR_PARSE, "", "fragment is not text");
    cn_sdp_frag frag = {0};
    unsigned number = 0;
    for (const char *end = text + len; text < end;) {
        const char *stop = memchr(text, '\n', (size_t)(end - text)), *next = stop ? stop + 1 : end;
        if (!stop) stop = end;
        if (stop > text && stop[-1] == '\r') stop--;
        number++;
        if (frag_line(text, (size_t)(stop - text), &frag) != CN_OK)
            return cn_problem_set(problem, CN_ERR_PARSE, "", "fragment: line %u is malformed", number);
        text = next;
    }
    if (!*frag.ufrag != !*frag.pwd)
        return cn_problem_set(problem, CN_ERR_PARSE, "", "fragment: ice-ufrag and ice-pwd come together");
    *out = frag;
    return CN_OK;
}

cn_err cn_sdp_frag_write(const char *ufrag, const char *pwd, const char *media, const char *mid,
                         const cn_sdp_candidate *candidate, size_t count, cn_buf *buf)
{
    if (!cn_sdp_ufrag_valid(ufrag) || !cn_sdp_pwd_valid(pwd)) return CN_ERR_INVALID;
    cn_buf_fmt(buf, "a=ice-lite\r\na=ice-ufrag:%s\r\na=ice-pwd:%s\r\n", ufrag, pwd);
    cn_buf_fmt(buf, "m=%s 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:%s\r\n", media, mid);
    cn_sdp_candidates_write(candidate, count, buf);
    return buf->err;
}
