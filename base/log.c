#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"

#define LINE_MAX_BYTES 1000

static const char *const level_names[] = {"debug", "info", "warn", "error"};
static atomic_int lowest = CN_LOG_INFO;

void cn_log_set_level(cn_log_level level)
{
    atomic_store_explicit(&lowest, (int)level, memory_order_relaxed);
}

int cn_log_level_parse(const char *text, cn_log_level *out)
{
    for (unsigned i = 0; text && i < sizeof level_names / sizeof *level_names; i++) {
        if (strcmp(text, level_names[i]) != 0) continue;
        *out = (cn_log_level)i;
        return 0;
    }
    return -1;
}

/* C0, DEL and C1 controls would let logged input forge lines or drive a terminal. */
static void replace_controls(unsigned char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] < 0x20 || bytes[i] == 0x7f) bytes[i] = '?';
        if (bytes[i] == 0xc2 && i + 1 < len && bytes[i + 1] >= 0x80 && bytes[i + 1] < 0xa0)
            bytes[i] = bytes[i + 1] = '?';
    }
}

/* Steps back to where no UTF-8 sequence is cut in two. */
static size_t whole_characters(const char *text, size_t len)
{
    while (len && ((unsigned char)text[len] & 0xc0) == 0x80) len--;
    return len;
}

void cn_log(cn_log_level level, const char *where, const char *fmt, ...)
{
    if ((int)level < atomic_load_explicit(&lowest, memory_order_relaxed)) return;
    int saved = errno;
    char when[CN_TIME_TEXT], line[LINE_MAX_BYTES + 1];
    cn_time_format(cn_wall_ms(), when);
    cn_fmt(line, sizeof line, "%s %s %s: ", when, level_names[(unsigned)level & 3], where);
    size_t n = strlen(line);
    va_list args;
    va_start(args, fmt);
    int wanted = vsnprintf(line + n, sizeof line - n, fmt, args);
    va_end(args);
    if (wanted > 0) n += (size_t)wanted;
    if (n > LINE_MAX_BYTES - 1) n = whole_characters(line, LINE_MAX_BYTES - 1);
    replace_controls((unsigned char *)line, n);
    line[n++] = '\n';
    if (write(STDERR_FILENO, line, n) < 0) {
        /* nowhere to tell */
    }
    errno = saved;
}
