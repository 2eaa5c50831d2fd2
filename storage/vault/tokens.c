#include <string.h>

#include "base/crypto.h"
#include "base/mem.h"
#include "storage/vault/vault_private.h"

#define CHARS_MAX 64
#define TOKENS_MAX (2 * CHARS_MAX + 1)

/* Bytes of the UTF-8 sequence that begins at `text`; whatever is malformed counts as single bytes. */
static size_t sequence_length(const char *text)
{
    unsigned char c = (unsigned char)*text;
    size_t n = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1;
    for (size_t i = 1; i < n; i++)
        if (((unsigned char)text[i] & 0xc0) != 0x80) return 1;
    return n;
}

/* U+FF01…U+FF5E, what an input method for Chinese makes of ASCII; 0 for everything else. */
static char narrow(const char *text, size_t len)
{
    if (len != 3 || (unsigned char)text[0] != 0xef) return 0;
    unsigned code = ((unsigned char)text[0] & 0x0fu) << 12 | ((unsigned char)text[1] & 0x3fu) << 6 |
                    ((unsigned char)text[2] & 0x3fu);
    return code >= 0xff01 && code <= 0xff5e ? (char)(code - 0xff01 + '!') : 0;
}

static bool is_blank(const char *text, size_t len)
{
    return (len == 1 && (*text == ' ' || (*text >= '\t' && *text <= '\r'))) ||
           (len == 2 && memcmp(text, "\xc2\xa0", 2) == 0) || (len == 3 && memcmp(text, "\xe3\x80\x80", 3) == 0);
}

/* Blanks removed, lower case; never longer than the input. Caller frees. */
static char *normalised(const char *text)
{
    char *out = cn_calloc(1, strlen(text) + 1), *to = out;
    if (!out) return NULL;
    while (*text) {
        size_t n = sequence_length(text);
        char ascii = n == 1 ? *text : narrow(text, n);
        if (is_blank(text, n)) {
        } else if (ascii) {
            *to++ = ascii >= 'A' && ascii <= 'Z' ? (char)(ascii + 32) : ascii;
        } else {
            memcpy(to, text, n);
            to += n;
        }
        text += n;
    }
    return out;
}

/* HMAC(key, domain ‖ 0 ‖ word), cut to 128 bits. */
static void token_of(const cn_vault *vault, const char *domain, const char *word, size_t len, char out[33])
{
    uint8_t mac[CN_SHA256_LEN] = {0};
    size_t d = strlen(domain) + 1;
    char *bytes = cn_calloc(1, d + len + 1);
    if (bytes) {
        memcpy(bytes, domain, d);
        memcpy(bytes + d, word, len);
        cn_hmac_sha256(cn_vault_index_key(vault), 32, bytes, d + len, mac);
        cn_free_secret(bytes, d + len);
    }
    cn_hex(mac, 16, out);
}

void cn_vault_token(const cn_vault *vault, const char *domain, const char *word, char out[33])
{
    char *plain = normalised(word);
    token_of(vault, domain, plain ? plain : "", plain ? strlen(plain) : 0, out);
    if (plain) cn_free_secret(plain, strlen(plain));
}

typedef struct token_set {
    const cn_vault *v;
    const char *domain;
    size_t n;
    char token[TOKENS_MAX][33];
} token_set;

static void set_add(token_set *tokens, const char *word, size_t len)
{
    char token[33];
    if (tokens->n == TOKENS_MAX) return;
    token_of(tokens->v, tokens->domain, word, len, token);
    for (size_t i = 0; i < tokens->n; i++)
        if (strcmp(tokens->token[i], token) == 0) return;
    memcpy(tokens->token[tokens->n++], token, sizeof token);
}

/* Where each of the first CHARS_MAX characters begins, and where the last one ends. */
static size_t chars_of(const char *text, size_t at[CHARS_MAX + 1])
{
    size_t n = 0, pos = 0;
    while (text[pos] && n < CHARS_MAX) {
        at[n++] = pos;
        pos += sequence_length(text + pos);
    }
    at[n] = pos;
    return n;
}

static void collect_name(token_set *tokens, const char *name)
{
    size_t at[CHARS_MAX + 1], n = chars_of(name, at);
    if (n == 0) return;
    set_add(tokens, name, strlen(name));
    for (size_t i = 0; i < n; i++) set_add(tokens, name + at[i], at[i + 1] - at[i]);
    for (size_t i = 0; i + 1 < n; i++) set_add(tokens, name + at[i], at[i + 2] - at[i]);
}

static void collect_search(token_set *tokens, const char *typed)
{
    size_t at[CHARS_MAX + 1], n = chars_of(typed, at);
    if (n == 1) set_add(tokens, typed, at[1]);
    for (size_t i = 0; i + 1 < n; i++) set_add(tokens, typed + at[i], at[i + 2] - at[i]);
}

static void tokens_for(const cn_vault *vault, const char *domain, const char *text,
                       void (*collect)(token_set *, const char *), void (*each)(void *arg, const char *token),
                       void *arg)
{
    token_set *tokens = CN_NEW(token_set);
    char *plain = normalised(text);
    if (tokens && plain) {
        tokens->v = vault;
        tokens->domain = domain;
        collect(tokens, plain);
        for (size_t i = 0; i < tokens->n; i++) each(arg, tokens->token[i]);
    }
    if (plain) cn_free_secret(plain, strlen(plain));
    free(tokens);
}

void cn_vault_name_tokens(const cn_vault *vault, const char *domain, const char *name,
                          void (*each)(void *arg, const char *token), void *arg)
{
    tokens_for(vault, domain, name, collect_name, each, arg);
}

void cn_vault_search_tokens(const cn_vault *vault, const char *domain, const char *typed,
                            void (*each)(void *arg, const char *token), void *arg)
{
    tokens_for(vault, domain, typed, collect_search, each, arg);
}
