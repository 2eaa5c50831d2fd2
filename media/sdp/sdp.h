/*
 * SDP offers in, answers out (RFC 8866, RFC 8829, RFC 9143 BUNDLE, RFC 8853 simulcast, RFC 8839 ICE, RFC 8122
 * fingerprints), for one BUNDLE transport. Pure: any thread; one allocation owner (cn_sdp), everything else points into
 * it.
 */
#ifndef CN_MEDIA_SDP_H
#define CN_MEDIA_SDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "media/wire/codec.h"
#include "media/wire/rtp.h"

#define CN_SDP_BYTES \
    (256 * 1024) /* bounds of an offer; past them CN_ERR_TOOBIG. Chromium with 37 m-lines makes 165 KB */
#define CN_SDP_SECTIONS 128
#define CN_SDP_CODECS 64 /* per m-section */
#define CN_SDP_RIDS 8    /* per m-section */
#define CN_SDP_SIM 3     /* streams of an a=ssrc-group:SIM; later ones are ignored */
#define CN_SDP_SSRCS 32  /* per m-section; later ones are ignored */
#define CN_SDP_MID 64    /* bytes of a mid with its end */
#define CN_SDP_NO_PT 0xff
#define CN_SDP_ANSWER_CODECS 8

typedef enum cn_sdp_kind { CN_SDP_AUDIO, CN_SDP_VIDEO, CN_SDP_APPLICATION, CN_SDP_OTHER } cn_sdp_kind;

/** Bit 0: sends, bit 1: receives. */
typedef enum cn_sdp_dir { CN_SDP_INACTIVE, CN_SDP_SENDONLY, CN_SDP_RECVONLY, CN_SDP_SENDRECV } cn_sdp_dir;

typedef enum cn_sdp_setup { CN_SDP_SETUP_NONE, CN_SDP_ACTPASS, CN_SDP_ACTIVE, CN_SDP_PASSIVE } cn_sdp_setup;

/** a=rtcp-fb, as bits. */
typedef enum cn_sdp_fb {
    CN_SDP_FB_NACK = 1,
    CN_SDP_FB_PLI = 2,
    CN_SDP_FB_FIR = 4,
    CN_SDP_FB_TWCC = 8,
    CN_SDP_FB_REMB = 16
} cn_sdp_fb;

/** a=fmtp of H.264 (RFC 6184 §8.1). */
typedef struct cn_sdp_h264 {
    uint8_t profile, constraints, level; /* profile-level-id; 0x42, 0, 10 when absent */
    uint8_t packetization_mode;
    bool asymmetry; /* level-asymmetry-allowed=1 */
} cn_sdp_h264;

typedef struct cn_sdp_codec {
    cn_codec codec;
    uint8_t pt;
    uint8_t apt;         /* RTX: the payload type it repeats */
    uint8_t rtx_pt;      /* others: their RTX payload type, CN_SDP_NO_PT without */
    uint8_t channels;    /* 1 when not said */
    uint8_t vp9_profile; /* of AV1 too */
    uint8_t fb;          /* cn_sdp_fb bits, those of `*` included */
    uint32_t clock;
    const char *name; /* as offered */
    const char *fmtp; /* parameters as offered, "" without */
    cn_sdp_h264 h264;
} cn_sdp_codec;

typedef struct cn_sdp_ssrc {
    uint32_t ssrc;
    uint32_t rtx;      /* its FID partner, 0 without; the partner is not listed by itself */
    const char *cname; /* "" when not said */
} cn_sdp_ssrc;

typedef struct cn_sdp_section {
    cn_sdp_kind kind;
    cn_sdp_dir dir;       /* the client's view */
    const char *media;    /* "audio" … as offered */
    const char *protocol; /* "UDP/TLS/RTP/SAVPF" */
    const char *formats;  /* the m-line's formats as offered (a rejection repeats them) */
    const char *mid;      /* "" only when the offer has none: allowed for a single section */
    uint16_t port;
    bool bundle_only;
    bool disabled;                    /* port 0 without bundle-only: to be rejected */
    bool bundled;                     /* named by a=group:BUNDLE */
    bool rtcp_mux, rtcp_rsize, mixed; /* mixed: extmap-allow-mixed here or at session level */
    const char *stream, *track;       /* a=msid, "" when absent */

    const cn_sdp_codec *codecs; /* in the offer's order of preference */
    size_t codec_count;
    cn_rtp_exts exts;                 /* known extensions only */
    uint16_t ext_sends, ext_receives; /* CN_RTP_EXT_BIT: those that the client may send, can receive */
    const char *rids[CN_SDP_RIDS]; /* what the client sends, in the order of a=simulcast:send, or of a=rid without it */
    size_t rid_count;
    uint8_t rids_paused; /* bit i: rids[i] rests (RFC 8853 §5.1: '~') */
    bool simulcast;      /* a=simulcast:send was there */
    cn_sdp_ssrc ssrcs[CN_SDP_SSRCS];
    size_t ssrc_count;
    uint8_t sim[CN_SDP_SIM]; /* indexes in ssrcs: a=ssrc-group:SIM, simulcast without RIDs, in its order */
    size_t sim_count;        /* 0: there is none, or RIDs tell the layers; else at least 2 */
} cn_sdp_section;

typedef enum cn_sdp_hash { CN_SDP_SHA256, CN_SDP_SHA384, CN_SDP_SHA512 } cn_sdp_hash;

/** An offer. The transport's values are those of the BUNDLE-tagged section, or the session's. */
typedef struct cn_sdp {
    const char *ufrag, *pwd;
    cn_sdp_hash hash; /* SHA-256 where several are offered: every client has it */
    uint8_t fingerprint[64];
    size_t fingerprint_len;
    cn_sdp_setup setup;
    bool trickle, renomination, ice_lite, mixed; /* a=ice-options, a=ice-lite, a=extmap-allow-mixed (session level) */
    bool bundle;                                 /* a=group:BUNDLE was there */
    const cn_sdp_section *sections;
    size_t section_count;
    /** Extensions of all bundled sections: RFC 8843 §15 gives an id one meaning in the whole bundle (else the offer is
     * refused). For cn_rtp_parse. */
    cn_rtp_exts exts;
} cn_sdp;

/**
 * Parses an offer strictly. `text` need not be zero-terminated and is copied. Refused, with `problem` saying what
 * (CN_ERR_PARSE malformed, CN_ERR_TOOBIG bounds, CN_ERR_INVALID what the server cannot answer): zero bytes, no m-line,
 * no ICE credentials (RFC 8839 lengths and characters), no known fingerprint, ice-lite offers, doubled
 * mids, live sections outside the BUNDLE group when there is more than one, RTP sections without rtcp-mux that are not
 * bundle-only, payload types doubled in one section, one extension id for two meanings. Unknown attributes are skipped.
 */
cn_err cn_sdp_parse(cn_sdp **out, const char *text, size_t len, cn_problem *problem);
/** NULL allowed. */
void cn_sdp_free(cn_sdp *sdp);

/** Section with a mid, or NULL. */
const cn_sdp_section *cn_sdp_section_find(const cn_sdp *sdp, const char *mid);
/** The section's codec with a payload type, or NULL. */
const cn_sdp_codec *cn_sdp_codec_find(const cn_sdp_section *section, unsigned pt);

/**
 * The payload type to use for a codec in a section, or NULL: the first offered one that the server can forward. H264:
 * packetization-mode 1 before 0, profiles compared without their level, constrained baseline before baseline before others in
 * the offer's order. VP9: profile 0. Opus: 48000, with "/2" or without. AV1, RED: the first.
 */
const cn_sdp_codec *cn_sdp_codec_pick(const cn_sdp_section *section, cn_codec codec);

/** True when redundant audio (RFC 2198) carries nothing but the payload type `pt` ("111/111"). */
bool cn_sdp_red_of(const cn_sdp_codec *red, unsigned pt);

/** True when two H.264 parameter sets are the same profile (RFC 6184 §8.1, table 5): one may be forwarded as the other
 * to a receiver of packetization-mode 1, who reads mode 0 too (§6.2). */
bool cn_sdp_h264_same(const cn_sdp_h264 *left, const cn_sdp_h264 *right);

/* ---- answers ---- */

typedef struct cn_sdp_candidate {
    const char *address; /* numeric */
    uint16_t port;
    bool tcp; /* passive, RFC 6544 */
} cn_sdp_candidate;

/** How one section is answered. Zeroes and `offer` alone: rejected. */
typedef struct cn_sdp_answer_section {
    const cn_sdp_section *offer;
    bool accept;
    cn_sdp_dir dir; /* the server's view: RECVONLY for what the client sends, SENDONLY for slots */
    struct {
        uint8_t pt;     /* one of the offer's */
        uint8_t rtx_pt; /* its RTX, CN_SDP_NO_PT without */
    } codecs[CN_SDP_ANSWER_CODECS];
    size_t codec_count;
    uint16_t exts;    /* CN_RTP_EXT_BIT; those not offered are left out */
    uint8_t fb;       /* cn_sdp_fb bits; those not offered for a codec are left out */
    uint8_t rid_mask; /* bit i: offer->rids[i] is received */
    /* slots; ssrc 0: no a=ssrc lines */
    const char *stream, *track, *cname;
    uint32_t ssrc, rtx_ssrc;
} cn_sdp_answer_section;

typedef struct cn_sdp_answer {
    const cn_sdp *offer;
    uint64_t session_id, version; /* of the o= line: version grows with every answer of a session */
    const char *ufrag, *pwd;
    const uint8_t *fingerprint; /* SHA-256 of the certificate, 32 bytes */
    bool
        mux_only; /* WHIP and WHEP: RFC 9725 §4.4.1 wants a=rtcp-mux-only, elsewhere RFC 8858 §4.3 has none in answers */
    bool dtls_client; /* the offer is passive: the server begins the handshake (RFC 5763 §5) */
    const cn_sdp_candidate *candidates;
    size_t candidate_count;
    const cn_sdp_answer_section *sections; /* one per section of the offer, in its order */
    size_t section_count;
} cn_sdp_answer;

/**
 * Writes the answer: ice-lite, setup:passive (active where `dtls_client`), one BUNDLE group of the accepted mids, limits of our own instead of the
 * offer's echoed (VP8/VP9 without max-fs/max-fr; H.264 at level 5.2 when asymmetry is allowed, else the offer's level;
 * Opus useinbandfec=1;usedtx=1, which ask the sender for both: RFC 7587 §6.1), no b= lines, candidates and
 * end-of-candidates in the first accepted section. CN_ERR_INVALID when the struct does not fit the offer (nothing is
 * written then); `buf->err` is returned when memory runs out.
 */
cn_err cn_sdp_answer_write(const cn_sdp_answer *answer, cn_buf *buf);

/** The extensions that the answer accepts for a section: those asked for in `exts`, offered, and meant for the
 * direction in which media flows. */
uint16_t cn_sdp_answer_exts(const cn_sdp_answer_section *section);

/* ---- trickle-ice-sdpfrag (RFC 8840 §9, as used by WHIP and WHEP PATCH) ---- */

typedef struct cn_sdp_frag {
    char ufrag[257], pwd[257]; /* "" when the fragment names none */
} cn_sdp_frag;

/** Reads credentials; candidates and end-of-candidates are accepted and ignored. CN_ERR_PARSE with `problem` otherwise.
 */
cn_err cn_sdp_frag_parse(const char *text, size_t len, cn_sdp_frag *out, cn_problem *problem);
/** The server's own fragment: ice-lite credentials and candidates, under the m-line and mid of the offer's first
 * bundled section (`media`, `mid`). */
cn_err cn_sdp_frag_write(const char *ufrag, const char *pwd, const char *media, const char *mid,
                         const cn_sdp_candidate *candidate, size_t count, cn_buf *buf);

#endif
