#include "signaling/live/sdp_scan.h"

#include <string.h>

static bool starts(const char *line, size_t len, const char *with)
{
    size_t m = strlen(with);
    return len >= m && memcmp(line, with, m) == 0;
}

static bool is_line(const char *line, size_t len, const char *text)
{
    return len == strlen(text) && memcmp(line, text, len) == 0;
}

static void read_line(cn_sdp_section *section, const char *line, size_t len)
{
    if (starts(line, len, "a=mid:") && len - 6 < sizeof section->mid) {
        memcpy(section->mid, line + 6, len - 6);
        section->mid[len - 6] = '\0';
    } else if (is_line(line, len, "a=recvonly") || is_line(line, len, "a=inactive")) {
        section->receives_only = true;
    } else if (is_line(line, len, "a=bundle-only")) {
        section->bundle_only = true;
    } else if (starts(line, len, "a=rid:")) {
        const char *blank = memchr(line, ' ', len);
        if (blank && starts(blank + 1, len - (size_t)(blank + 1 - line), "send")) section->rids++;
    }
}

size_t cn_sdp_scan(const char *sdp, cn_sdp_section *out, size_t max)
{
    size_t count = 0;
    while (*sdp) {
        size_t n = strcspn(sdp, "\r\n");
        if (starts(sdp, n, "m=")) {
            if (count == max) break;
            const char *port = memchr(sdp, ' ', n);
            bool zero = port && starts(port + 1, n - (size_t)(port + 1 - sdp), "0 ");
            out[count++] = (cn_sdp_section){.video = starts(sdp, n, "m=video"), .port_zero = zero};
        } else if (count) {
            read_line(&out[count - 1], sdp, n);
        }
        sdp += n;
        sdp += strspn(sdp, "\r\n");
    }
    for (size_t i = 0; i < count; i++)
        out[i].sends = !out[i].receives_only && (!out[i].port_zero || out[i].bundle_only);
    return count;
}
