#include "media/srtp.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <srtp2/srtp.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "media/srtp_gcm.h"

#define REPLAY_WINDOW 1024

struct cn_srtp {
    srtp_t in, out;                                /* AES-CM; NULL with GCM */
    cn_gcm *rtp_in, *rtp_out, *rtcp_in, *rtcp_out; /* GCM; NULL with AES-CM */
    size_t tag;
    uint32_t ssrcs_in[CN_SRTP_SSRCS_IN]; /* SSRCs that authenticated with libsrtp */
    unsigned ssrcs_in_n;
};

static const struct {
    cn_srtp_profile profile;
    srtp_profile_t lib;
    const char *name;
    size_t salt, tag;
} profiles[] = {
    {CN_SRTP_AEAD_AES_128_GCM, srtp_profile_aead_aes_128_gcm, "SRTP_AEAD_AES_128_GCM", 12, 16},
    {CN_SRTP_AES128_CM_SHA1_80, srtp_profile_aes128_cm_sha1_80, "SRTP_AES128_CM_SHA1_80", 14, 10},
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

/** A second start in one process (by another user of libsrtp) is refused by the library and harmless: sessions tell
 * whether it runs. */
static void library_init(void)
{
    (void)srtp_init();
}

static cn_err session_new(srtp_t *out, size_t row, const cn_srtp_master *master, srtp_ssrc_type_t direction)
{
    uint8_t key[CN_SRTP_KEY + CN_SRTP_SALT_MAX];
    memcpy(key, master->key, CN_SRTP_KEY);
    memcpy(key + CN_SRTP_KEY, master->salt, profiles[row].salt);
    srtp_policy_t policy;
    memset(&policy, 0, sizeof policy);
    srtp_err_status_t st = srtp_crypto_policy_set_from_profile_for_rtp(&policy.rtp, profiles[row].lib);
    if (!st) st = srtp_crypto_policy_set_from_profile_for_rtcp(&policy.rtcp, profiles[row].lib);
    policy.ssrc.type = direction;
    policy.key = key;
    policy.window_size = REPLAY_WINDOW;
    policy.allow_repeat_tx = 0;
    if (!st) st = srtp_create(out, &policy);
    OPENSSL_cleanse(key, sizeof key);
    if (st == srtp_err_status_alloc_fail) return CN_ERR_NOMEM;
    return st ? CN_ERR_CRYPTO : CN_OK;
}

static cn_err gcm_open(cn_srtp *s, const cn_srtp_keys *k)
{
    CN_TRY(cn_gcm_new_master(&s->rtp_in, CN_GCM_RTP_IN, k->in.key, k->in.salt));
    CN_TRY(cn_gcm_new_master(&s->rtcp_in, CN_GCM_RTCP_IN, k->in.key, k->in.salt));
    CN_TRY(cn_gcm_new_master(&s->rtp_out, CN_GCM_RTP_OUT, k->out.key, k->out.salt));
    return cn_gcm_new_master(&s->rtcp_out, CN_GCM_RTCP_OUT, k->out.key, k->out.salt);
}

static cn_err library_open(cn_srtp *s, size_t row, const cn_srtp_keys *k)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, library_init);
    CN_TRY(session_new(&s->in, row, &k->in, ssrc_any_inbound));
    return session_new(&s->out, row, &k->out, ssrc_any_outbound);
}

cn_err cn_srtp_new(cn_srtp **out, const cn_srtp_keys *keys)
{
    size_t row = profile_row(keys->profile);
    if (row == PROFILES) return CN_ERR_UNSUPPORTED;
    cn_srtp *s = CN_NEW(cn_srtp);
    if (!s) return CN_ERR_NOMEM;
    s->tag = profiles[row].tag;
    cn_err err = keys->profile == CN_SRTP_AEAD_AES_128_GCM ? gcm_open(s, keys) : library_open(s, row, keys);
    if (err) {
        cn_srtp_free(s);
        return err;
    }
    *out = s;
    return CN_OK;
}

size_t cn_srtp_tag(const cn_srtp *s)
{
    return s->tag;
}

static cn_err err_of(srtp_err_status_t st)
{
    static const struct {
        srtp_err_status_t status;
        cn_err err;
    } table[] = {
        {srtp_err_status_ok, CN_OK},
        {srtp_err_status_replay_fail, CN_ERR_CONFLICT},
        {srtp_err_status_replay_old, CN_ERR_CONFLICT},
        {srtp_err_status_bad_param, CN_ERR_PARSE},
        {srtp_err_status_parse_err, CN_ERR_PARSE},
        {srtp_err_status_alloc_fail, CN_ERR_NOMEM},
        {srtp_err_status_key_expired, CN_ERR_FULL},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (table[i].status == st) return table[i].err;
    }
    return CN_ERR_CRYPTO;
}

typedef srtp_err_status_t (*transform)(srtp_t, void *, int *);

static cn_err run(transform fn, srtp_t session, uint8_t *p, size_t *n, size_t min)
{
    if (*n < min || *n > 65535) return CN_ERR_PARSE;
    int len = (int)*n;
    srtp_err_status_t st = fn(session, p, &len);
    if (st) return err_of(st);
    *n = (size_t)len;
    return CN_OK;
}

cn_err cn_srtp_protect_rtp(cn_srtp *s, uint8_t *p, size_t *n)
{
    return s->rtp_out ? cn_gcm_protect_rtp(s->rtp_out, p, n) : run(srtp_protect, s->out, p, n, 12);
}

cn_err cn_srtp_protect_rtcp(cn_srtp *s, uint8_t *p, size_t *n)
{
    return s->rtcp_out ? cn_gcm_protect_rtcp(s->rtcp_out, p, n) : run(srtp_protect_rtcp, s->out, p, n, 8);
}

static bool ssrc_known(const cn_srtp *s, uint32_t ssrc)
{
    for (unsigned i = 0; i < s->ssrcs_in_n; i++) {
        if (s->ssrcs_in[i] == ssrc) return true;
    }
    return false;
}

/** libsrtp keeps a stream for every SSRC that authenticates: an authenticated peer must not make it keep any number of
 * them. */
static cn_err unprotect_bounded(cn_srtp *s, transform fn, uint8_t *p, size_t *n, size_t ssrc_at)
{
    if (*n < ssrc_at + 4) return CN_ERR_PARSE;
    uint32_t ssrc;
    memcpy(&ssrc, p + ssrc_at, sizeof ssrc);
    bool known = ssrc_known(s, ssrc);
    if (!known && s->ssrcs_in_n == CN_SRTP_SSRCS_IN) return CN_ERR_FULL;
    CN_TRY(run(fn, s->in, p, n, ssrc_at + 4));
    if (!known) s->ssrcs_in[s->ssrcs_in_n++] = ssrc;
    return CN_OK;
}

cn_err cn_srtp_unprotect_rtp(cn_srtp *s, uint8_t *p, size_t *n)
{
    return s->rtp_in ? cn_gcm_unprotect_rtp(s->rtp_in, p, n) : unprotect_bounded(s, srtp_unprotect, p, n, 8);
}

cn_err cn_srtp_unprotect_rtcp(cn_srtp *s, uint8_t *p, size_t *n)
{
    return s->rtcp_in ? cn_gcm_unprotect_rtcp(s->rtcp_in, p, n) : unprotect_bounded(s, srtp_unprotect_rtcp, p, n, 4);
}

void cn_srtp_free(cn_srtp *s)
{
    if (!s) return;
    if (s->in) srtp_dealloc(s->in); /* zeroes its keys */
    if (s->out) srtp_dealloc(s->out);
    cn_gcm_free(s->rtp_in);
    cn_gcm_free(s->rtp_out);
    cn_gcm_free(s->rtcp_in);
    cn_gcm_free(s->rtcp_out);
    free(s);
}
