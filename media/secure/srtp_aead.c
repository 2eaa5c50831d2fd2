#include "media/secure/srtp_aead.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "media/wire/prefetch.h"

#ifdef __x86_64__
#include <intel-ipsec-mb.h>
#include <pthread.h>
#else
struct gcm_key_data {
    uint8_t none;
};
#endif

typedef struct gcm_key_data vector_key;

#ifdef __x86_64__

#define NEEDS (IMB_FEATURE_AESNI | IMB_FEATURE_PCLMULQDQ | IMB_FEATURE_AVX)

/* The library's table of functions for this processor, read by all threads; it stays until the process ends. */
static IMB_MGR *functions;

static void functions_find(void)
{
    IMB_MGR *found = alloc_mb_mgr(0);
    if (found) init_mb_mgr_auto(found, NULL);
    if (found && !imb_get_errno(found) && (found->features & NEEDS) == NEEDS)
        functions = found;
    else
        free_mb_mgr(found);
}

static bool vector_ready(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, functions_find);
    return functions != NULL;
}

static void vector_set(vector_key *id_key, const uint8_t *key)
{
    IMB_AES128_GCM_PRE(functions, key, id_key);
}

static void vector_seal(const vector_key *key, const uint8_t *iv, const uint8_t *head, size_t head_n, uint8_t *out,
                        const uint8_t *in, size_t len)
{
    struct gcm_context_data state;
    IMB_AES128_GCM_ENC(functions, key, &state, out, in, len, iv, head, head_n, out + len, CN_AEAD_TAG);
}

static bool vector_open(const vector_key *key, const uint8_t *iv, const uint8_t *head, size_t head_n, uint8_t *bytes,
                        size_t len)
{
    struct gcm_context_data state;
    uint8_t tag[CN_AEAD_TAG];
    IMB_AES128_GCM_DEC(functions, key, &state, bytes, bytes, len, iv, head, head_n, tag, sizeof tag);
    return CRYPTO_memcmp(tag, bytes + len, sizeof tag) == 0;
}

#else

static bool vector_ready(void)
{
    return false;
}

static void vector_set(vector_key *id_key, const uint8_t *key)
{
    (void)id_key, (void)key;
}

static void vector_seal(const vector_key *key, const uint8_t *iv, const uint8_t *head, size_t head_n, uint8_t *out,
                        const uint8_t *in, size_t len)
{
    (void)key, (void)iv, (void)head, (void)head_n, (void)out, (void)in, (void)len;
}

static bool vector_open(const vector_key *key, const uint8_t *iv, const uint8_t *head, size_t head_n, uint8_t *bytes,
                        size_t len)
{
    (void)key, (void)iv, (void)head, (void)head_n, (void)bytes, (void)len;
    return false;
}

#endif

/* The round keys and the powers of the hash key that the vector code reads for each packet. */
#define KEY_NEAR 384
#define LINE 64

struct cn_aead {
    EVP_CIPHER_CTX *ctx; /* keeps its key, a packet sets the IV alone; NULL: `vector` */
    _Alignas(LINE) vector_key vector;
};

cn_aead_by cn_aead_best(void)
{
    return vector_ready() ? CN_AEAD_VECTOR : CN_AEAD_OPENSSL;
}

static cn_err by_openssl(cn_aead *aead, bool seals, const uint8_t *key)
{
    aead->ctx = EVP_CIPHER_CTX_new();
    if (!aead->ctx) return CN_ERR_NOMEM;
    return EVP_CipherInit_ex(aead->ctx, EVP_aes_128_gcm(), NULL, key, NULL, seals) == 1 ? CN_OK : CN_ERR_CRYPTO;
}

cn_err cn_aead_new(cn_aead **out, cn_aead_by by, bool seals, const uint8_t key[CN_AEAD_KEY])
{
    if (by == CN_AEAD_VECTOR && !vector_ready()) return CN_ERR_UNSUPPORTED;
    void *memory = NULL;
    if (posix_memalign(&memory, LINE, sizeof(cn_aead))) return CN_ERR_NOMEM;
    cn_aead *aead = memory;
    aead->ctx = NULL;
    cn_err err = CN_OK;
    if (by == CN_AEAD_VECTOR)
        vector_set(&aead->vector, key);
    else
        err = by_openssl(aead, seals, key);
    if (err) {
        cn_aead_free(aead);
        return err;
    }
    *out = aead;
    return CN_OK;
}

void cn_aead_prefetch(const cn_aead *aead)
{
    cn_prefetch(&aead->vector, sizeof aead->vector < KEY_NEAR ? sizeof aead->vector : KEY_NEAR);
}

static bool begin(EVP_CIPHER_CTX *ctx, const uint8_t *iv, const uint8_t *head, size_t head_n)
{
    int len = 0;
    return EVP_CipherInit_ex(ctx, NULL, NULL, NULL, iv, -1) == 1 &&
           EVP_CipherUpdate(ctx, NULL, &len, head, (int)head_n) == 1;
}

bool cn_aead_seal(cn_aead *aead, const uint8_t iv[CN_AEAD_IV], const uint8_t *head, size_t head_n, uint8_t *out,
                  const uint8_t *in, size_t length)
{
    if (!aead->ctx) {
        vector_seal(&aead->vector, iv, head, head_n, out, in, length);
        return true;
    }
    int len = 0, end = 0;
    return begin(aead->ctx, iv, head, head_n) && EVP_CipherUpdate(aead->ctx, out, &len, in, (int)length) == 1 &&
           EVP_CipherFinal_ex(aead->ctx, out + len, &end) == 1 &&
           EVP_CIPHER_CTX_ctrl(aead->ctx, EVP_CTRL_AEAD_GET_TAG, CN_AEAD_TAG, out + length) == 1;
}

bool cn_aead_open(cn_aead *aead, const uint8_t iv[CN_AEAD_IV], const uint8_t *head, size_t head_n, uint8_t *bytes,
                  size_t length)
{
    if (!aead->ctx) return vector_open(&aead->vector, iv, head, head_n, bytes, length);
    int len = 0, end = 0;
    return begin(aead->ctx, iv, head, head_n) &&
           EVP_CIPHER_CTX_ctrl(aead->ctx, EVP_CTRL_AEAD_SET_TAG, CN_AEAD_TAG, bytes + length) == 1 &&
           EVP_CipherUpdate(aead->ctx, bytes, &len, bytes, (int)length) == 1 &&
           EVP_CipherFinal_ex(aead->ctx, bytes + len, &end) == 1;
}

void cn_aead_free(cn_aead *aead)
{
    if (!aead) return;
    EVP_CIPHER_CTX_free(aead->ctx); /* wipes the key schedule */
    cn_free_secret(aead, sizeof *aead);
}
