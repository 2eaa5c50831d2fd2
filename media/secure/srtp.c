#include "media/secure/srtp.h"

#include <stdlib.h>

#include "base/mem.h"
#include "media/wire/prefetch.h"
#include "media/secure/srtp_cm.h"
#include "media/secure/srtp_gcm.h"

/* One context per direction of RTP and of RTCP, by cn_srtp_use; those of the other profile are NULL. */
struct cn_srtp {
    cn_gcm *gcm[4];
    cn_cm *cm[4];
    size_t tag;
};

static const struct {
    cn_srtp_profile profile;
    const char *name;
    size_t salt, tag;
} profiles[] = {
    {CN_SRTP_AEAD_AES_128_GCM, "SRTP_AEAD_AES_128_GCM", CN_GCM_SALT, CN_GCM_TAG},
    {CN_SRTP_AES128_CM_SHA1_80, "SRTP_AES128_CM_SHA1_80", CN_CM_SALT, CN_CM_TAG},
};
#define PROFILES (sizeof profiles / sizeof *profiles)

static size_t profile_row(cn_srtp_profile p)
{
    size_t i = 0;
    while (i < PROFILES && profiles[i].profile != p) i++;
    return i;
}

const char *cn_srtp_profile_name(cn_srtp_profile p)
{
    size_t i = profile_row(p);
    return i < PROFILES ? profiles[i].name : "";
}

size_t cn_srtp_profile_salt(cn_srtp_profile p)
{
    size_t i = profile_row(p);
    return i < PROFILES ? profiles[i].salt : 0;
}

static cn_err open_use(cn_srtp *s, cn_srtp_use use, const cn_srtp_keys *k)
{
    const cn_srtp_master *m = use == CN_SRTP_RTP_OUT || use == CN_SRTP_RTCP_OUT ? &k->out : &k->in;
    if (k->profile == CN_SRTP_AEAD_AES_128_GCM) return cn_gcm_new_master(&s->gcm[use], use, m->key, m->salt);
    return cn_cm_new(&s->cm[use], use, m->key, m->salt);
}

cn_err cn_srtp_new(cn_srtp **out, const cn_srtp_keys *keys)
{
    size_t row = profile_row(keys->profile);
    if (row == PROFILES) return CN_ERR_UNSUPPORTED;
    cn_srtp *s = CN_NEW(cn_srtp);
    if (!s) return CN_ERR_NOMEM;
    s->tag = profiles[row].tag;
    cn_err err = CN_OK;
    for (int use = 0; use < 4 && !err; use++) err = open_use(s, (cn_srtp_use)use, keys);
    if (err) {
        cn_srtp_free(s);
        return err;
    }
    *out = s;
    return CN_OK;
}

void cn_srtp_prefetch(const cn_srtp *s)
{
    cn_prefetch(s, sizeof *s);
}

void cn_srtp_prefetch_context(const cn_srtp *s)
{
    if (s->gcm[CN_SRTP_RTP_OUT]) cn_gcm_prefetch(s->gcm[CN_SRTP_RTP_OUT]);
}

void cn_srtp_prefetch_stream(const cn_srtp *s, uint32_t ssrc)
{
    if (s->gcm[CN_SRTP_RTP_OUT]) cn_gcm_prefetch_stream(s->gcm[CN_SRTP_RTP_OUT], ssrc);
}

size_t cn_srtp_tag(const cn_srtp *s)
{
    return s->tag;
}

cn_err cn_srtp_protect_rtp(cn_srtp *s, uint8_t *p, size_t *n)
{
    cn_gcm *g = s->gcm[CN_SRTP_RTP_OUT];
    return g ? cn_gcm_protect_rtp(g, p, n) : cn_cm_protect_rtp(s->cm[CN_SRTP_RTP_OUT], p, n);
}

cn_err cn_srtp_protect_rtcp(cn_srtp *s, uint8_t *p, size_t *n)
{
    cn_gcm *g = s->gcm[CN_SRTP_RTCP_OUT];
    return g ? cn_gcm_protect_rtcp(g, p, n) : cn_cm_protect_rtcp(s->cm[CN_SRTP_RTCP_OUT], p, n);
}

cn_err cn_srtp_unprotect_rtp(cn_srtp *s, uint8_t *p, size_t *n)
{
    cn_gcm *g = s->gcm[CN_SRTP_RTP_IN];
    return g ? cn_gcm_unprotect_rtp(g, p, n) : cn_cm_unprotect_rtp(s->cm[CN_SRTP_RTP_IN], p, n);
}

cn_err cn_srtp_unprotect_rtcp(cn_srtp *s, uint8_t *p, size_t *n)
{
    cn_gcm *g = s->gcm[CN_SRTP_RTCP_IN];
    return g ? cn_gcm_unprotect_rtcp(g, p, n) : cn_cm_unprotect_rtcp(s->cm[CN_SRTP_RTCP_IN], p, n);
}

void cn_srtp_free(cn_srtp *s)
{
    if (!s) return;
    for (size_t i = 0; i < 4; i++) {
        cn_gcm_free(s->gcm[i]);
        cn_cm_free(s->cm[i]);
    }
    free(s);
}
