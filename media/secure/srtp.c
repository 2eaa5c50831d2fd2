#include "media/secure/srtp.h"

#include <stdlib.h>

#include "base/mem.h"
#include "media/wire/prefetch.h"
#include "media/secure/srtp_cm.h"
#include "media/secure/srtp_gcm.h"
#include "media/secure/srtp_lib.h"

/*
 * Who does what:
 *              RTP out    RTP in    RTCP out    RTCP in
 *   AES-GCM    gcm_out    gcm_in    gcm_told    gcm_heard
 *   AES-CM     cm_out     lib_in    lib_out     lib_in
 */
struct cn_srtp {
    cn_gcm *gcm_out; /* NULL: the profile is AES-CM */
    cn_gcm *gcm_in, *gcm_told, *gcm_heard;
    cn_cm *cm_out;
    cn_srtp_lib *lib_out, *lib_in;
    size_t tag;
};

static const struct {
    cn_srtp_profile profile;
    size_t tag;
} profiles[] = {
    {CN_SRTP_AEAD_AES_128_GCM, CN_GCM_TAG},
    {CN_SRTP_AES128_CM_SHA1_80, CN_CM_TAG},
};
#define PROFILES (sizeof profiles / sizeof *profiles)

static size_t profile_row(cn_srtp_profile profile)
{
    size_t i = 0;
    while (i < PROFILES && profiles[i].profile != profile) i++;
    return i;
}

static cn_err gcm_open(cn_srtp *srtp, const cn_srtp_master *out, const cn_srtp_master *in)
{
    CN_TRY(cn_gcm_new_master(&srtp->gcm_out, CN_SRTP_OUT, CN_GCM_RTP, out->key, out->salt));
    CN_TRY(cn_gcm_new_master(&srtp->gcm_in, CN_SRTP_IN, CN_GCM_RTP, in->key, in->salt));
    CN_TRY(cn_gcm_new_master(&srtp->gcm_told, CN_SRTP_OUT, CN_GCM_RTCP, out->key, out->salt));
    return cn_gcm_new_master(&srtp->gcm_heard, CN_SRTP_IN, CN_GCM_RTCP, in->key, in->salt);
}

static cn_err open_all(cn_srtp *srtp, const cn_srtp_keys *keys)
{
    if (keys->profile == CN_SRTP_AEAD_AES_128_GCM) return gcm_open(srtp, &keys->out, &keys->in);
    CN_TRY(cn_srtp_lib_new(&srtp->lib_out, true, keys->profile, &keys->out));
    CN_TRY(cn_srtp_lib_new(&srtp->lib_in, false, keys->profile, &keys->in));
    return cn_cm_new(&srtp->cm_out, keys->out.key, keys->out.salt);
}

cn_err cn_srtp_start(void)
{
    return cn_srtp_lib_start();
}

cn_err cn_srtp_new(cn_srtp **out, const cn_srtp_keys *keys)
{
    size_t row = profile_row(keys->profile);
    if (row == PROFILES) return CN_ERR_UNSUPPORTED;
    cn_srtp *srtp = CN_NEW(cn_srtp);
    if (!srtp) return CN_ERR_NOMEM;
    srtp->tag = profiles[row].tag;
    cn_err err = open_all(srtp, keys);
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
    if (srtp->gcm_out) cn_gcm_prefetch(srtp->gcm_out);
}

void cn_srtp_prefetch_stream(const cn_srtp *srtp, uint32_t ssrc)
{
    if (srtp->gcm_out) cn_gcm_prefetch_stream(srtp->gcm_out, ssrc);
}

size_t cn_srtp_tag(const cn_srtp *srtp)
{
    return srtp->tag;
}

cn_err cn_srtp_protect_rtp(cn_srtp *srtp, uint8_t *bytes, size_t *len)
{
    return srtp->gcm_out ? cn_gcm_protect_rtp(srtp->gcm_out, bytes, len) : cn_cm_protect_rtp(srtp->cm_out, bytes, len);
}

cn_err cn_srtp_protect_rtcp(cn_srtp *srtp, uint8_t *bytes, size_t *len)
{
    return srtp->gcm_told ? cn_gcm_protect_rtcp(srtp->gcm_told, bytes, len)
                          : cn_srtp_lib_protect_rtcp(srtp->lib_out, bytes, len);
}

cn_err cn_srtp_unprotect_rtp(cn_srtp *srtp, uint8_t *bytes, size_t *len)
{
    return srtp->gcm_in ? cn_gcm_unprotect_rtp(srtp->gcm_in, bytes, len)
                        : cn_srtp_lib_unprotect_rtp(srtp->lib_in, bytes, len);
}

cn_err cn_srtp_unprotect_rtcp(cn_srtp *srtp, uint8_t *bytes, size_t *len)
{
    return srtp->gcm_heard ? cn_gcm_unprotect_rtcp(srtp->gcm_heard, bytes, len)
                           : cn_srtp_lib_unprotect_rtcp(srtp->lib_in, bytes, len);
}

void cn_srtp_free(cn_srtp *srtp)
{
    if (!srtp) return;
    cn_gcm_free(srtp->gcm_out);
    cn_gcm_free(srtp->gcm_in);
    cn_gcm_free(srtp->gcm_told);
    cn_gcm_free(srtp->gcm_heard);
    cn_cm_free(srtp->cm_out);
    cn_srtp_lib_free(srtp->lib_out);
    cn_srtp_lib_free(srtp->lib_in);
    free(srtp);
}
