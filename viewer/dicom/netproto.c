#include "viewer/dicom/netproto.h"

#include <string.h>

#include "base/str.h"

typedef enum text_kind { TITLE, UID, ADDRESS, WORDS } text_kind;

static bool may_be(text_kind kind, char ch)
{
    switch (kind) {
    case TITLE: return ch >= ' ' && ch <= '~' && ch != '\\';
    case UID: return (ch >= '0' && ch <= '9') || ch == '.';
    case ADDRESS: return (ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'f') || ch == '.' || ch == ':';
    default: return ch >= ' ' && ch <= '~';
    }
}

static bool text_good(text_kind kind, const char *text, size_t size)
{
    size_t len = strnlen(text, size);
    if (len == size) return false;
    for (size_t i = 0; i < len; i++)
        if (!may_be(kind, text[i])) return false;
    return len > 0 || kind == WORDS;
}

static bool whole(const void *bytes, size_t len, void *out, size_t size, uint32_t kind)
{
    uint32_t got;
    if (len != size) return false;
    memcpy(out, bytes, size);
    memcpy(&got, out, sizeof(got));
    return got == kind;
}

bool cn_net_arrival_read(const void *bytes, size_t len, cn_net_arrival *out)
{
    return whole(bytes, len, out, sizeof(*out), CN_NET_ARRIVAL) &&
           text_good(ADDRESS, out->address, sizeof(out->address));
}

bool cn_net_hello_read(const void *bytes, size_t len, cn_net_hello *out)
{
    return whole(bytes, len, out, sizeof(*out), CN_NET_HELLO) && text_good(TITLE, out->calling, sizeof(out->calling)) &&
           text_good(TITLE, out->called, sizeof(out->called));
}

bool cn_net_file_read(const void *bytes, size_t len, cn_net_file *out)
{
    return whole(bytes, len, out, sizeof(*out), CN_NET_FILE) && out->number > 0 &&
           text_good(UID, out->sop_class, sizeof(out->sop_class)) &&
           text_good(UID, out->instance, sizeof(out->instance));
}

bool cn_net_verdict_read(const void *bytes, size_t len, cn_net_verdict *out)
{
    return whole(bytes, len, out, sizeof(*out), CN_NET_VERDICT) && out->status <= 0xffff &&
           text_good(WORDS, out->why, sizeof(out->why));
}

bool cn_net_spool_path(const char *spool, uint32_t association, uint32_t number, char *out, size_t size)
{
    return cn_fmt(out, size, "%s/%u-%u.dcm", spool, association, number);
}
