#include "consult/people/password.h"

#include <argon2.h>
#include <ctype.h>
#include <string.h>

#include "base/crypto.h"
#include "base/str.h"

#define MEMORY_KIB 19456
#define PASSES 2
#define PASSWORD_MAX 256

cn_err cn_password_hash(const char *password, char out[CN_PASSWORD_HASH])
{
    uint8_t salt[16];
    cn_random(salt, sizeof(salt));
    int rc = argon2id_hash_encoded(PASSES, MEMORY_KIB, 1, password, strlen(password), salt, sizeof(salt), 32, out,
                                   CN_PASSWORD_HASH);
    return rc == ARGON2_OK ? CN_OK : CN_ERR_CRYPTO;
}

bool cn_password_verify(const char *encoded, const char *password)
{
    size_t n = strlen(password);
    return n <= PASSWORD_MAX && argon2id_verify(encoded, password, n) == ARGON2_OK;
}

static bool holds(const char *text, const char *word)
{
    size_t n = strlen(word);
    for (; *text; text++)
        if (strncasecmp(text, word, n) == 0) return true;
    return false;
}

cn_err cn_password_check(const char *username, const char *password, cn_problem *problem)
{
    bool digit = false, letter = false, symbol = false;
    size_t n = strlen(password);
    for (const unsigned char *s = (const unsigned char *)password; *s; s++) {
        if (isdigit(*s))
            digit = true;
        else if (isalpha(*s) || *s >= 0x80)
            letter = true;
        else
            symbol = true;
    }
    if (n > PASSWORD_MAX || !cn_utf8_valid(password, n) || cn_utf8_length(password) < 10 || !digit || !letter ||
        !symbol)
        return cn_problem_field(problem, CN_WRONG_FORMAT, "password",
                                "must have at least 10 characters with a digit, a letter and a symbol");
    if (holds(password, username))
        return cn_problem_field(problem, CN_WRONG_FORMAT, "password", "must not contain the username");
    return CN_OK;
}

void cn_password_generate(char out[16])
{
    static const char letters[] = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ23456789", symbols[] = "-+=%@#",
                      digits[] = "23456789";
    uint8_t bytes[14];
    for (;;) {
        cn_random(bytes, sizeof(bytes));
        for (size_t i = 0; i < 14; i++) out[i] = letters[bytes[i] % (sizeof(letters) - 1)];
        out[4] = symbols[bytes[4] % (sizeof(symbols) - 1)];
        out[9] = digits[bytes[9] % (sizeof(digits) - 1)];
        out[14] = 0;
        if (cn_password_check(" ", out, NULL) == CN_OK) break;
    }
}
