#include "base/clock.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/str.h"

#define NS_PER_S 1000000000
/* Seconds from 1900, where NTP begins, to 1970 (RFC 5905 §6). */
#define NTP_UNIX_OFFSET 2208988800u

static int64_t read_clock(clockid_t id)
{
    struct timespec ts;
    (void)clock_gettime(id, &ts); /* cannot fail with these ids and a valid pointer */
    return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

uint64_t cn_mono_ns(void)
{
    return (uint64_t)read_clock(CLOCK_MONOTONIC);
}

uint64_t cn_mono_ms(void)
{
    return cn_mono_ns() / 1000000;
}

int64_t cn_wall_ns(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t cn_wall_ms(void)
{
    return cn_wall_ns() / 1000000;
}

static char boot_id[sizeof((cn_instant *)0)->boot];

static void read_boot_id(void)
{
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    if (!file) return;
    if (fgets(boot_id, sizeof boot_id, file)) boot_id[strcspn(boot_id, "\n")] = '\0';
    (void)fclose(file);
}

void cn_instant_now(cn_instant *out)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, read_boot_id);
    *out = (cn_instant){.mono_ms = (int64_t)cn_mono_ms(), .wall_ms = cn_wall_ms()};
    (void)cn_strcpy(out->boot, sizeof out->boot, boot_id);
}

int64_t cn_instant_passed(const cn_instant *since, const cn_instant *now)
{
    bool same_boot = *now->boot && strcmp(since->boot, now->boot) == 0;
    if (same_boot && now->mono_ms >= since->mono_ms) return now->mono_ms - since->mono_ms;
    return now->wall_ms >= since->wall_ms ? now->wall_ms - since->wall_ms : INT64_MAX;
}

/* Division that rounds towards minus infinity, so that instants before 1970 keep a positive fraction. */
static int64_t floor_div(int64_t left, int64_t right, int64_t *rest)
{
    int64_t quotient = left / right;
    *rest = left % right;
    if (*rest < 0) {
        *rest += right;
        quotient--;
    }
    return quotient;
}

uint64_t cn_ntp_from_wall_ns(int64_t wall_ns)
{
    int64_t ns = 0;
    uint64_t seconds = (uint64_t)floor_div(wall_ns, NS_PER_S, &ns) + NTP_UNIX_OFFSET;
    return seconds << 32 | ((uint64_t)ns << 32) / NS_PER_S;
}

void cn_time_format(int64_t wall_ms, char out[CN_TIME_TEXT])
{
    int64_t ms = 0;
    time_t seconds = (time_t)floor_div(wall_ms, 1000, &ms);
    struct tm calendar = {0};
    if (!gmtime_r(&seconds, &calendar) || calendar.tm_year + 1900 > 9999 || calendar.tm_year + 1900 < 0) {
        cn_strcpy(out, CN_TIME_TEXT, "invalid-time");
        return;
    }
    cn_fmt(out, CN_TIME_TEXT, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", calendar.tm_year + 1900, calendar.tm_mon + 1,
           calendar.tm_mday, calendar.tm_hour, calendar.tm_min, calendar.tm_sec, (int)ms);
}
