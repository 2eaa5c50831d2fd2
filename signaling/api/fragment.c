#include "signaling/api/fragment.h"

#include <ctype.h>
#include <string.h>

#include "base/hash.h"

typedef struct line {
    const char *at;
    size_t n; /* without its end and the blanks before it */
} line;

/* The next line that is not empty; false: there is none. */
static bool next_line(const char **at, line *out)
{
    for (;;) {
        *at += strspn(*at, "\r\n");
        if (!**at) return false;
        out->at = *at;
        out->n = strcspn(*at, "\r\n");
        *at += out->n;
        while (out->n && (out->at[out->n - 1] == ' ' || out->at[out->n - 1] == '\t')) out->n--;
        if (out->n) return true;
    }
}

static bool begins(const line *one, const char *with)
{
    size_t n = strlen(with);
    return one->n > n && strncmp(one->at, with, n) == 0;
}

static uint64_t hash_value(const line *one, const char *name)
{
    char value[300];
    size_t skip = strlen(name), n = one->n - skip;
    if (n >= sizeof value) n = sizeof value - 1;
    memcpy(value, one->at + skip, n);
    value[n] = '\0';
    return cn_hash(value);
}

uint64_t cn_fragment_credentials(const char *sdp)
{
    static const char ufrag[] = "a=ice-ufrag:", pwd[] = "a=ice-pwd:";
    uint64_t name = 0, secret = 0;
    line one;
    while (next_line(&sdp, &one)) {
        if (!name && begins(&one, ufrag)) name = hash_value(&one, ufrag);
        if (!secret && begins(&one, pwd)) secret = hash_value(&one, pwd);
    }
    return name && secret ? name * 31 + secret : 0;
}

bool cn_fragment_valid(const char *fragment)
{
    const char *at = fragment;
    bool ufrag = false, pwd = false, candidates = false;
    line one;
    while (next_line(&at, &one)) {
        if (one.n < 3 || !islower((unsigned char)one.at[0]) || one.at[1] != '=') return false;
        ufrag = ufrag || begins(&one, "a=ice-ufrag:");
        pwd = pwd || begins(&one, "a=ice-pwd:");
        candidates = candidates || begins(&one, "a=candidate:") ||
                     (one.n == 19 && strncmp(one.at, "a=end-of-candidates", 19) == 0);
    }
    return ufrag == pwd && (ufrag || candidates);
}
