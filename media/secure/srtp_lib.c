#include "media/secure/srtp_lib.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <srtp2/srtp.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "media/secure/srtp_parts.h"
#include "media/wire/rtp.h"

struct cn_srtp_lib {
    srtp_t session;
    /* libsrtp makes a stream for whatever SSRC is authentic and has no bound for them */
    uint32_t *ssrcs;
    size_t count, room, max;
};

#define SSRCS_FIRST 8

static cn_err started = CN_ERR_STATE;

static void start(void)
{
    srtp_err_status_t status = srtp_init();
    /* bad_param: whoever else uses the library in this process has started it before */
    started = status == srtp_err_status_ok || status == srtp_err_status_bad_param ? CN_OK : CN_ERR_CRYPTO;
}

cn_err cn_srtp_lib_start(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, start);
    return started;
}

static cn_err session_open(cn_srtp_lib *lib, bool outward, cn_srtp_profile profile, const cn_srtp_master *master)
{
    bool gcm = profile == CN_SRTP_AEAD_AES_128_GCM;
    srtp_profile_t named = gcm ? srtp_profile_aead_aes_128_gcm : srtp_profile_aes128_cm_sha1_80;
    uint8_t key[CN_SRTP_KEY + CN_SRTP_SALT_MAX] = {0};
    memcpy(key, master->key, CN_SRTP_KEY);
    memcpy(key + CN_SRTP_KEY, master->salt, cn_srtp_profile_salt(profile));
    srtp_policy_t policy;
    memset(&policy, 0, sizeof policy);
    policy.ssrc.type = outward ? ssrc_any_outbound : ssrc_any_inbound;
    policy.key = key;
    policy.window_size = CN_SRTP_WINDOW;
    bool done = !srtp_crypto_policy_set_from_profile_for_rtp(&policy.rtp, named) &&
                !srtp_crypto_policy_set_from_profile_for_rtcp(&policy.rtcp, named) &&
                !srtp_create(&lib->session, &policy);
    OPENSSL_cleanse(key, sizeof key);
    return done ? CN_OK : CN_ERR_CRYPTO;
}

cn_err cn_srtp_lib_new(cn_srtp_lib **out, bool outward, cn_srtp_profile profile, const cn_srtp_master *master)
{
    CN_TRY(cn_srtp_lib_start());
    cn_srtp_lib *lib = CN_NEW(cn_srtp_lib);
    if (!lib) return CN_ERR_NOMEM;
    lib->max = outward ? CN_SRTP_SSRCS_OUT : CN_SRTP_SSRCS_IN;
    cn_err err = session_open(lib, outward, profile, master);
    if (err) {
        cn_srtp_lib_free(lib);
        return err;
    }
    *out = lib;
    return CN_OK;
}

static bool known(const cn_srtp_lib *lib, uint32_t ssrc)
{
    for (size_t i = 0; i < lib->count; i++)
        if (lib->ssrcs[i] == ssrc) return true;
    return false;
}

/* Before the packet is tried: there is room for its SSRC. */
static cn_err room_for(cn_srtp_lib *lib, uint32_t ssrc)
{
    if (known(lib, ssrc)) return CN_OK;
    if (lib->count == lib->max) return CN_ERR_FULL;
    if (lib->count < lib->room) return CN_OK;
    size_t room = lib->room ? 2 * lib->room : SSRCS_FIRST;
    uint32_t *bigger = reallocarray(lib->ssrcs, room, sizeof *bigger);
    if (!bigger) return CN_ERR_NOMEM;
    lib->ssrcs = bigger;
    lib->room = room;
    return CN_OK;
}

/* The library has done its work on the packet. */
static cn_err told(cn_srtp_lib *lib, srtp_err_status_t status, uint32_t ssrc, int length, size_t *len)
{
    switch (status) {
    case srtp_err_status_ok:
        *len = (size_t)length;
        if (!known(lib, ssrc)) lib->ssrcs[lib->count++] = ssrc;
        return CN_OK;
    case srtp_err_status_replay_fail:
    case srtp_err_status_replay_old: return CN_ERR_CONFLICT;
    case srtp_err_status_bad_param:
    case srtp_err_status_parse_err: return CN_ERR_PARSE;
    case srtp_err_status_key_expired: return CN_ERR_FULL;
    case srtp_err_status_alloc_fail: return CN_ERR_NOMEM;
    default: return CN_ERR_CRYPTO;
    }
}

cn_err cn_srtp_lib_protect_rtcp(cn_srtp_lib *lib, uint8_t *bytes, size_t *len)
{
    if (*len < CN_SRTP_RTCP_HEADER || *len > UINT16_MAX) return CN_ERR_PARSE;
    uint32_t ssrc = cn_be32(bytes + 4);
    int length = (int)*len;
    CN_TRY(room_for(lib, ssrc));
    srtp_err_status_t status = srtp_protect_rtcp(lib->session, bytes, &length);
    return told(lib, status, ssrc, length, len);
}

cn_err cn_srtp_lib_unprotect_rtcp(cn_srtp_lib *lib, uint8_t *bytes, size_t *len)
{
    if (*len < CN_SRTP_RTCP_HEADER + CN_SRTP_RTCP_TRAILER || *len > UINT16_MAX || bytes[0] >> 6 != 2)
        return CN_ERR_PARSE;
    uint32_t ssrc = cn_be32(bytes + 4);
    int length = (int)*len;
    CN_TRY(room_for(lib, ssrc));
    srtp_err_status_t status = srtp_unprotect_rtcp(lib->session, bytes, &length);
    return told(lib, status, ssrc, length, len);
}

cn_err cn_srtp_lib_unprotect_rtp(cn_srtp_lib *lib, uint8_t *bytes, size_t *len)
{
    if (*len > UINT16_MAX || !cn_srtp_header_length(bytes, *len)) return CN_ERR_PARSE;
    uint32_t ssrc = cn_be32(bytes + 8);
    int length = (int)*len;
    CN_TRY(room_for(lib, ssrc));
    srtp_err_status_t status = srtp_unprotect(lib->session, bytes, &length);
    return told(lib, status, ssrc, length, len);
}

void cn_srtp_lib_free(cn_srtp_lib *lib)
{
    if (!lib) return;
    if (lib->session) (void)srtp_dealloc(lib->session); /* wipes the keys */
    free(lib->ssrcs);
    free(lib);
}
