#include "signaling/api/dicom_accept.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/json.h"
#include "base/str.h"
#include "consult/imaging/imaging.h"
#include "signaling/api/multipart.h"

static void take_range(cn_dicom_taken *own, char *range, const char *syntax)
{
    char type[64] = "", wanted[CN_UID] = "";
    range += strspn(range, " \t");
    bool parts = strncasecmp(range, "multipart/related", 17) == 0;
    bool any = strncmp(range, "*/*", 3) == 0;
    if (parts && !cn_multipart_param(range, "type", type, sizeof(type))) cn_strcpy(type, sizeof(type), own->type);
    if (!parts) {
        size_t n = strcspn(range, "; \t");
        if (n >= sizeof(type)) return;
        memcpy(type, range, n);
        type[n] = '\0';
    }
    if (!any && strcasecmp(type, own->type) != 0) return;
    bool said = cn_multipart_param(range, "transfer-syntax", wanted, sizeof(wanted));
    bool stored = said && (strcmp(wanted, "*") == 0 || strcmp(wanted, syntax) == 0);
    bool plain = !said || strcmp(wanted, CN_EXPLICIT_LE) == 0;
    if (!stored && !plain) return;
    own->stored |= stored;
    own->plain |= plain;
    if (parts || any)
        own->parts = true;
    else
        own->single = true;
}

bool cn_dicom_take(cn_http *http, const char *type, const char *syntax, cn_dicom_taken *out)
{
    char ranges[1024];
    const char *accept = cn_http_header(http, "accept");
    *out = (cn_dicom_taken){.type = type};
    if (!cn_strcpy(ranges, sizeof(ranges), accept && *accept ? accept : "*/*")) return false;
    bool quoted = false;
    char *begin = ranges;
    for (char *at = ranges;; at++) {
        if (*at == '"') quoted = !quoted;
        if (*at && (*at != ',' || quoted)) continue;
        bool last = *at == '\0';
        *at = '\0';
        take_range(out, begin, syntax);
        if (last) break;
        begin = at + 1;
    }
    return out->parts || out->single;
}

cn_err cn_dicom_unacceptable(cn_http *http, const char *why)
{
    CN_AUTO_JSON json_t *body = json_pack("{s:s, s:s, s:i, s:s}", "type", "urn:consilium:problem:not-acceptable",
                                          "title", "Not acceptable", "status", 406, "detail", why);
    CN_AUTO_FREE char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    return text ? cn_http_text(http, 406, "application/problem+json", text, strlen(text)) : CN_ERR_NOMEM;
}

cn_err cn_dicom_say_why(cn_http *http, cn_err err, const char *why)
{
    return *why ? cn_problem_set(cn_http_problem(http), err, "", "%s", why) : err;
}
