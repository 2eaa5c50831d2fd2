#include "consult/people/lifetime.h"

#include <string.h>

#define HAND_STEP_MS 1000  /* a sign so little later than the last is not worth a write */
#define ROOM_STEP_MS 30000 /* rooms are looked through every few seconds */

static cn_instant earlier(const cn_instant *now, int64_t by_ms)
{
    cn_instant past = *now;
    past.mono_ms -= by_ms;
    past.wall_ms -= by_ms;
    return past;
}

static int64_t left_of(int64_t limit, int64_t passed)
{
    return passed < limit ? limit - passed : 0;
}

/* Puts the end of its life off where it is near. True: moved. */
static bool prolong(int64_t life_ms, const cn_instant *now, cn_instant *life)
{
    int64_t grace = CN_LOGIN_GRACE_MS < life_ms ? CN_LOGIN_GRACE_MS : life_ms;
    if (left_of(life_ms, cn_instant_passed(life, now)) > grace - ROOM_STEP_MS) return false;
    *life = earlier(now, life_ms - grace);
    return true;
}

cn_login_verdict cn_login_judge(const cn_login_limits *limits, cn_login_sign sign, int64_t ago_ms,
                                const cn_instant *now, cn_login_times *times)
{
    cn_login_verdict verdict = {.moved = sign == CN_LOGIN_ROOM && prolong(limits->life_ms, now, &times->life)};
    int64_t idle = cn_instant_passed(&times->seen, now), age = cn_instant_passed(&times->life, now);
    int64_t ago = sign == CN_LOGIN_HAND && ago_ms > 0 ? ago_ms : 0;
    int64_t step = sign == CN_LOGIN_ROOM ? ROOM_STEP_MS : HAND_STEP_MS;
    verdict.ended = sign != CN_LOGIN_ROOM && (idle > limits->idle_ms || age > limits->life_ms);
    if (verdict.ended) return verdict;
    if (sign != CN_LOGIN_NONE && (idle - ago > step || (idle > ago && strcmp(times->seen.boot, now->boot) != 0))) {
        times->seen = earlier(now, ago);
        verdict.moved = true;
        idle = ago;
    }
    verdict.idle_left_ms = left_of(limits->idle_ms, idle);
    verdict.life_left_ms = left_of(limits->life_ms, age);
    return verdict;
}
