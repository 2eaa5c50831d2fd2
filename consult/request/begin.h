/*
 * When a scheduled consultation begins: both sides are in its room, or one is while its time has come. Opening the room
 * to see whether the camera works begins nothing. Blocking, but for the rule.
 */
#ifndef CN_CONSULT_BEGIN_H
#define CN_CONSULT_BEGIN_H

#include "consult/scope.h"

/* Its time has come so long before the planned one: people are early, and who waits is to be seen waiting. It is over
 * when the planned length is: who comes later, alone, looks whether somebody is still there. */
#define CN_BEGIN_EARLY_MS ((int64_t)15 * 60000)

/** Who is in the room. */
typedef struct cn_present {
    bool referrer, expert;
} cn_present;

typedef struct cn_appointment {
    int64_t at_ms, minutes; /* 0: no time was given */
    int64_t absent_ms;      /* when it was said last that the other side had not come; 0: never */
} cn_appointment;

/** Pure: does it begin? After "did not come" one side alone does not begin it again before another time has come. */
bool cn_begins(const cn_present *here, const cn_appointment *plan, int64_t now_ms);

/**
 * Somebody is in the room of a request: SCHEDULED → IN_SESSION if it begins; otherwise, and in any other state, nothing
 * happens. `actor`: one of those who are there. *scheduled: whether it still waits to begin.
 */
cn_err cn_request_begin(cn_consult *consult, const cn_actor *actor, const char *id, const cn_present *here,
                        int64_t now_ms, bool *scheduled);

#endif
