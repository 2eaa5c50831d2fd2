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

static size_t profile_row(cn_srtp_profile profile)
{
    size_t i = 0;
    while (i < PROFILES && profiles[i].profile != profile) i++;
    return i;
}

const char *cn_srtp_profile_name(cn_srtp_profile profile)
{
    size_t i = profile_row(profile);
    return i < PROFILES ? profiles[i].name : "";
}

size_t cn_srtp_profile_salt(cn_srtp_profile profile)
{
    size_t i = profile_row(profile);
    return i < PROFILES ? profiles[i].salt : 0;
}

static cn_err open_use(cn_srtp *srtp, cn_srtp_use use, const cn_srtp_keys *keys)
{
    const cn_srtp_master *master = use == CN_SRTP_RTP_OUT || use == CN_SRTP_RTCP_OUT ? &keys->out : &keys->in;
    if (keys->profile == CN_SRTP_AEAD_AES_128_GCM)
        return cn_gcm_new_master(&srtp->gcm[use], use, master->key, master->salt);
    return cn_cm_new(&srtp->cm[use], use, master->key, master->salt);
}

cn_err cn_srtp_new(cn_srtp **out, const cn_srtp_keys *keys)
{
    size_t row = profile_row(keys->profile);
    if (row == PROFILES) return CN_ERR_UNSUPPORTED;
    cn_srtp *srtp = CN_NEW(cn_srtp);
    if (!srtp) return CN_ERR_NOMEM;
    srtp->tag = profiles[row].tag;
    cn_err err = CN_OK;
    for (int use = 0; use < 4 && !err; use++) err = open_use(srtp, (cn_srtp_use)use, keys);
    if (err) {
        cn_srtp_free(srtp);
        return err;
    }
    *out = srtp;
    return CN_OK;
}

void cn_srtp_prefetch(const cn_srtp *srtp)
{
    cn_prefetch(srtp, sizeof *srtp);
}

void cn_srtp_prefetch_context(const cn_srtp *srtp)
{
    if (srtp->gcm[CN_SRTP_RTP_OUT]) cn_gcm_prefetch(srtp->gcm[CN_SRTP_RTP_OUT]);
}

void cn_srtp_prefetch_stream(const cn_srtp *srtp, uint32_t ssrc)
{
    if (srtp->gcm[CN_SRTP_RTP_OUT]) cn_gcm_prefetch_stream(srtp->gcm[CN_SRTP_RTP_OUT], ssrc);
}

size_t cn_srtp_tag(const cn_srtp *srtp)
{
    return srtp->tag;
}

cn_err cn_srtp_protect_rtp(cn_srtp *srtp, uint8_t *bytes, size_t *len)
{
    cn_gcm *gcm = srtp->gcm[CN_SRTP_RTP_OUT];
    return gcm ? cn_gcm_protect_rtp(gcm, bytes, len) : cn_cm_protect_rtp(srtp->cm[CN_SRTP_RTP_OUT], bytes, len);
}

cn_err cn_srtp_protect_rtcp(cn_srtp *srtp, uint8_t *bytes, size_t *len)
{
    cn_gcm *gcm = srtp->gcm[CN_SRTP_RTCP_OUT];
    return gcm ? cn_gcm_protect_rtcp(gcm, bytes, len) : cn_cm_protect_rtcp(srtp->cm[CN_SRTP_RTCP_OUT], bytes, len);
}

cn_err cn_srtp_unprotect_rtp(cn_srtp *srtp, uint8_t *bytes, size_t *len)
{
    cn_gcm *gcm = srtp->gcm[CN_SRTP_RTP_IN];
    return gcm ? cn_gcm_unprotect_rtp(gcm, bytes, len) : cn_cm_unprotect_rtp(srtp->cm[CN_SRTP_RTP_IN], bytes, len);
}

cn_err cn_srtp_unprotect_rtcp(cn_srtp *srtp, uint8_t *bytes, size_t *len)
{
    cn_gcm *gcm = srtp->gcm[CN_SRTP_RTCP_IN];
    return gcm ? cn_gcm_unprotect_rtcp(gcm, bytes, len) : cn_cm_unprotect_rtcp(srtp->cm[CN_SRTP_RTCP_IN], bytes, len);
}

void cn_srtp_free(cn_srtp *srtp)
{
    if (!srtp) return;
    for (size_t i = 0; i < 4; i++) {
        cn_gcm_free(srtp->gcm[i]);
        cn_cm_free(srtp->cm[i]);
    }
    free(srtp);
}
