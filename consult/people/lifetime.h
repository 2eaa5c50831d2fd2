/* When a login ends: because nobody is there, and because of its age. Pure: the time is given. */
#ifndef CN_CONSULT_LIFETIME_H
#define CN_CONSULT_LIFETIME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

/** How long a login lasts: without a sign of its person, and at all. */
typedef struct cn_login_limits {
    int64_t idle_ms, life_ms;
} cn_login_limits;

/** What is seen of the person behind a login. */
typedef enum cn_login_sign {
    CN_LOGIN_NONE, /* a page asks, listens, fetches: it may have been left alone hours ago */
    CN_LOGIN_HAND, /* the page says that somebody typed or pointed */
    CN_LOGIN_ROOM, /* is in a room, or waits in front of one */
} cn_login_sign;

/** As a login's row has them. */
typedef struct cn_login_times {
    cn_instant seen; /* the last sign */
    cn_instant life; /* its life counts from here */
} cn_login_times;

typedef struct cn_login_verdict {
    bool ended;
    bool moved;                         /* the times have to be written */
    int64_t idle_left_ms, life_left_ms; /* until it ends by the one, by the other */
} cn_login_verdict;

#define CN_LOGIN_GRACE_MS 300000 /* whoever is in a room has at least so long left, nearly: written every 30 s */

/**
 * What becomes of a login at `now`, with a sign that came `ago_ms` before. A sign of hands does not wake what has ended.
 * In a room nothing ends: not being idle, and near the end of its life that is put off by CN_LOGIN_GRACE_MS, over and
 * over, so that there is time left after the room to save and to log in again. `times` become those that count from now on.
 */
cn_login_verdict cn_login_judge(const cn_login_limits *limits, cn_login_sign sign, int64_t ago_ms,
                                const cn_instant *now, cn_login_times *times);

#endif
