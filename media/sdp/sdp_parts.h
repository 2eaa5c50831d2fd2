/* What the SDP parser's files share; not for others. */
#ifndef CN_MEDIA_SDP_PARTS_H
#define CN_MEDIA_SDP_PARTS_H

#include "media/sdp/sdp.h"

/* ICE and DTLS values of one level: the session's, or one m-section's. */
typedef struct cn_sdp_transport {
    const char *ufrag, *pwd; /* NULL when not said */
    cn_sdp_hash hash;
    uint8_t fingerprint[64];
    size_t fingerprint_len; /* 0 without one that we know */
    cn_sdp_setup setup;
} cn_sdp_transport;

/* Room for texts that are joined from several lines. */
typedef struct cn_sdp_spare {
    char *at;
    size_t left;
} cn_sdp_spare;

/* An m-section while it is being read. */
typedef struct cn_sdp_draft {
    cn_sdp_section *section;
    cn_sdp_codec *codecs; /* section->codecs, writable */
    cn_sdp_transport transport;
    const char *rids[CN_SDP_RIDS]; /* of a=rid … send */
    size_t rid_count;
    uint32_t sim[CN_SDP_SIM]; /* of a=ssrc-group:SIM */
    size_t sim_count;
    uint8_t fb_all; /* a=rtcp-fb:* */
    cn_sdp_spare *spare;
    const char *uris[256];
} cn_sdp_draft;

/* Next word of a text separated by single blanks, cut off in place; NULL at the end. */
char *cn_sdp_word(char **at);
bool cn_sdp_number(const char *text, int64_t most, int64_t *out);
/* Length and characters of ice-ufrag and ice-pwd (RFC 8839 §5.4). */
bool cn_sdp_ufrag_valid(const char *text);
bool cn_sdp_pwd_valid(const char *text);

/* Attributes of codecs; `value` is cut in place. */
cn_err cn_sdp_rtpmap(cn_sdp_draft *draft, char *value);
cn_err cn_sdp_fmtp(cn_sdp_draft *draft, char *value);
cn_err cn_sdp_rtcp_fb(cn_sdp_draft *draft, char *value);
/* Once all lines of the section are read: static types, parameters, RTX pairs. */
cn_err cn_sdp_codecs_finish(cn_sdp_draft *draft);

/* Attributes of streams: a=rid, a=simulcast, a=ssrc, a=ssrc-group, a=msid, and a=extmap. */
cn_err cn_sdp_rid(cn_sdp_draft *draft, char *value);
cn_err cn_sdp_simulcast(cn_sdp_draft *draft, char *value);
cn_err cn_sdp_ssrc_line(cn_sdp_draft *draft, char *value);
cn_err cn_sdp_ssrc_group(cn_sdp_draft *draft, char *value);
cn_err cn_sdp_msid(cn_sdp_draft *draft, char *value);
cn_err cn_sdp_extmap(cn_sdp_draft *draft, char *value);
cn_err cn_sdp_streams_finish(cn_sdp_draft *draft);

/* a=candidate lines and a=end-of-candidates. */
void cn_sdp_candidates_write(const cn_sdp_candidate *candidate, size_t count, cn_buf *buf);

#endif
