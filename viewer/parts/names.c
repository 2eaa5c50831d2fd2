#include "viewer/parts/names.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>

#include "base/str.h"

#define PART_BYTES 255

static bool is_control(unsigned char c)
{
    return c < 0x20 || c == 0x7f;
}

static bool from_gb18030(const char *bytes, size_t len, char out[CN_NAME_BYTES])
{
    iconv_t converter = iconv_open("UTF-8", "GB18030");
    if (converter == (iconv_t)-1) return false;
    char *in = (char *)bytes, *to = out; /* iconv changes the pointer only */
    size_t left = len, room = CN_NAME_BYTES - 1;
    bool whole = iconv(converter, &in, &left, &to, &room) != (size_t)-1 && left == 0;
    iconv_close(converter);
    *to = 0;
    return whole;
}

static bool to_utf8(const char *bytes, size_t len, char out[CN_NAME_BYTES])
{
    if (len == 0 || len >= CN_NAME_BYTES || memchr(bytes, 0, len)) return false;
    if (!cn_utf8_valid(bytes, len)) return from_gb18030(bytes, len, out);
    memcpy(out, bytes, len);
    out[len] = 0;
    return true;
}

static bool is_absolute(const char *path)
{
    bool letter = (*path >= 'A' && *path <= 'Z') || (*path >= 'a' && *path <= 'z');
    return *path == '/' || (letter && path[1] == ':');
}

/* Takes "." and empty parts out, in place. */
static cn_name_kind tidy(char *path)
{
    char *to = path;
    bool folder = true;
    for (const char *part = path; *part;) {
        size_t n = strcspn(part, "/");
        const char *next = part + n + (part[n] == '/');
        if (n == 2 && memcmp(part, "..", 2) == 0) return CN_NAME_OUTSIDE;
        if (n > PART_BYTES) return CN_NAME_BAD;
        folder = part[n] == '/' || n == 0 || (n == 1 && *part == '.');
        if (n > 1 || (n == 1 && *part != '.')) {
            if (to != path) *to++ = '/';
            memmove(to, part, n);
            to += n;
        }
        part = next;
    }
    *to = 0;
    if (to == path) return CN_NAME_BAD;
    return folder ? CN_NAME_FOLDER : CN_NAME_FILE;
}

cn_name_kind cn_name_read(const char *bytes, size_t len, char out[CN_NAME_BYTES])
{
    char path[CN_NAME_BYTES];
    if (!to_utf8(bytes, len, path)) return CN_NAME_BAD;
    for (char *p = path; *p; p++) {
        if (is_control((unsigned char)*p)) return CN_NAME_BAD;
        if (*p == '\\') *p = '/';
    }
    if (is_absolute(path)) return CN_NAME_OUTSIDE;
    cn_name_kind kind = tidy(path);
    if (kind == CN_NAME_FILE || kind == CN_NAME_FOLDER) cn_strcpy(out, CN_NAME_BYTES, path);
    return kind;
}

bool cn_name_is_plain(const char *bytes, size_t len)
{
    if (len == 0 || len > PART_BYTES || (len == 1 && *bytes == '.') || (len == 2 && memcmp(bytes, "..", 2) == 0))
        return false;
    for (size_t i = 0; i < len; i++)
        if (is_control((unsigned char)bytes[i]) || bytes[i] == '/' || bytes[i] == '\\') return false;
    return true;
}

bool cn_name_is_litter(const char *path)
{
    static const char *const names[] = {"__MACOSX", "Thumbs.db", "desktop.ini"};
    for (const char *part = path; part; part = strchr(part, '/')) {
        if (*part == '/') part++;
        size_t n = strcspn(part, "/");
        if (*part == '.') return true;
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
            if (n == strlen(names[i]) && strncasecmp(part, names[i], n) == 0) return true;
    }
    return false;
}
