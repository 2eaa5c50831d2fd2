#include "media/sdp/sdp.h"

#include <ctype.h>
#include <string.h>

#include "media/sdp/sdp_parts.h"

char *cn_sdp_word(char **at)
{
    char *word = *at;
    if (!word) return NULL;
    char *blank = strchr(word, ' ');
    if (blank) *blank++ = 0;
    *at = blank;
    return word;
}

bool cn_sdp_number(const char *text, int64_t most, int64_t *out)
{
    return cn_parse_i64(text, 0, most, out);
}

static bool ice_text(const char *text, size_t least)
{
    size_t n = strlen(text);
    if (n < least || n > 256) return false;
    for (; *text; text++)
        if (!isalnum((unsigned char)*text) && *text != '+' && *text != '/' && *text != '-' && *text != '_')
            return false;
    return true;
}

bool cn_sdp_ufrag_valid(const char *text)
{
    return ice_text(text, 4);
}

bool cn_sdp_pwd_valid(const char *text)
{
    return ice_text(text, 22);
}

const cn_sdp_section *cn_sdp_section_find(const cn_sdp *sdp, const char *mid)
{
    for (size_t i = 0; i < sdp->section_count; i++)
        if (strcmp(sdp->sections[i].mid, mid) == 0) return &sdp->sections[i];
    return NULL;
}
