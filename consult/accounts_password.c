#include <argon2.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "consult/accounts_private.h"

/* RFC 9106 §4 wants 64 MiB and three passes where memory is scarce; four logins at once then hold 256 MiB. */
#define PASSES 3
#define MEMORY_KIB (64 * 1024)
#define LANES 1
#define SALT 16
#define HASH 32
#define ENCODED 160

cn_err cn_password_hash(const char *password, char **out)
{
    uint8_t salt[SALT];
    char *encoded = cn_calloc(1, ENCODED);
    if (!encoded) return CN_ERR_NOMEM;
    cn_random(salt, sizeof salt);
    int rc = argon2id_hash_encoded(PASSES, MEMORY_KIB, LANES, password, strlen(password), salt, sizeof salt, HASH, encoded, ENCODED);
    if (rc != ARGON2_OK) {
        free(encoded);
        return rc == ARGON2_MEMORY_ALLOCATION_ERROR ? CN_ERR_NOMEM : CN_ERR_CRYPTO;
    }
    *out = encoded;
    return CN_OK;
}

bool cn_password_verify(const char *encoded, const char *password)
{
    static const uint8_t nobody[SALT] = {0};
    uint8_t hash[HASH];
    if (encoded) return argon2id_verify(encoded, password, strlen(password)) == ARGON2_OK;
    (void)argon2id_hash_raw(PASSES, MEMORY_KIB, LANES, password, strlen(password), nobody, sizeof nobody, hash, sizeof hash);
    return false;
}

cn_err cn_password_check(const char *username, const char *password, cn_problem *p)
{
    bool letter = false, digit = false, symbol = false;
    for (const char *c = password; *c; c++) {
        if (isalpha((unsigned char)*c)) letter = true;
        else if (isdigit((unsigned char)*c)) digit = true;
        else symbol = true;
    }
    size_t n = cn_utf8_valid(password, strlen(password)) ? cn_utf8_length(password) : 0;
    if (n < 10 || n > 128 || !letter || !digit || !symbol)
        return cn_problem_set(p, CN_ERR_INVALID, "new", "10 to 128 characters with a letter, a digit and a symbol");
    if (*username && strcasestr(password, username)) return cn_problem_set(p, CN_ERR_INVALID, "new", "must not hold the username");
    return CN_OK;
}

void cn_password_new(char out[20])
{
    cn_token_new(out, 72); /* 12 characters */
    /* three more, so that the rules hold whatever chance gave */
    memcpy(out + 12, "-4k", 4);
}
