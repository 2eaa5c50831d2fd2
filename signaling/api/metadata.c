#include "signaling/api/metadata.h"

#include <string.h>

#include "base/str.h"
#include "base/text.h"

static cn_err read_value(const char *text, size_t len, char *out, size_t size)
{
    size_t got = 0;
    if (!cn_unb64(text, len, out, size - 1, &got)) return CN_ERR_INVALID;
    if (!cn_utf8_valid(out, got)) return CN_ERR_INVALID;
    (void)cn_text_clean(out, got, CN_TEXT_LINE);
    return CN_OK;
}

static cn_err read_pair(cn_tus_metadata *meta, const char *pair, size_t len)
{
    const struct {
        const char *key;
        char *out;
        size_t size;
    } known[] = {
        {"request", meta->request, sizeof(meta->request)},
        {"category", meta->category, sizeof(meta->category)},
        {"filename", meta->filename, sizeof(meta->filename)},
        {"sha256", meta->sha256, sizeof(meta->sha256)},
    };
    const char *blank = memchr(pair, ' ', len);
    size_t key_n = blank ? (size_t)(blank - pair) : len;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strlen(known[i].key) == key_n && memcmp(known[i].key, pair, key_n) == 0)
            return blank ? read_value(blank + 1, len - key_n - 1, known[i].out, known[i].size) : CN_ERR_INVALID;
    return CN_OK;
}

cn_err cn_tus_metadata_read(const char *text, cn_tus_metadata *out, cn_problem *problem)
{
    *out = (cn_tus_metadata){.request = ""};
    for (const char *at = text ? text : ""; *at;) {
        size_t n = strcspn(at, ",");
        while (n && *at == ' ') at++, n--;
        if (read_pair(out, at, n) != CN_OK)
            return cn_problem_set(problem, CN_ERR_INVALID, "Upload-Metadata", "a value is not base64 or too long");
        at += n;
        if (*at == ',') at++;
    }
    return CN_OK;
}
