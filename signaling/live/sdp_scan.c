#include "signaling/live/sdp_scan.h"

#include <string.h>

static bool starts(const char *line, size_t n, const char *with)
{
    size_t m = strlen(with);
    return n >= m && memcmp(line, with, m) == 0;
}

static bool is_line(const char *line, size_t n, const char *text)
{
    return n == strlen(text) && memcmp(line, text, n) == 0;
}

static void read_line(cn_sdp_section *s, const char *line, size_t n)
{
    if (starts(line, n, "a=mid:") && n - 6 < sizeof s->mid) {
        memcpy(s->mid, line + 6, n - 6);
        s->mid[n - 6] = '\0';
    } else if (is_line(line, n, "a=recvonly") || is_line(line, n, "a=inactive")) {
        s->receives_only = true;
    } else if (is_line(line, n, "a=bundle-only")) {
        s->bundle_only = true;
    } else if (starts(line, n, "a=rid:")) {
        const char *blank = memchr(line, ' ', n);
        if (blank && starts(blank + 1, n - (size_t)(blank + 1 - line), "send")) s->rids++;
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
