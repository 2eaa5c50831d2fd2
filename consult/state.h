/* The life of a request (REQUIREMENTS §13) as one table. Pure: who may act is checked by the caller with `who`. */
#ifndef CN_CONSULT_STATE_H
#define CN_CONSULT_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* id, name in database and API */
#define CN_STATE_TABLE(X)                 \
    X(UPLOADING, "UPLOADING")             \
    X(RETURNED, "RETURNED")               \
    X(PENDING_REVIEW, "PENDING_REVIEW")   \
    X(SCHEDULED, "SCHEDULED")             \
    X(IN_SESSION, "IN_SESSION")           \
    X(AWAITING_REPORT, "AWAITING_REPORT") \
    X(WRITTEN, "WRITTEN")                 \
    X(REPORTED, "REPORTED")               \
    X(CLOSED, "CLOSED")                   \
    X(REJECTED, "REJECTED")               \
    X(CANCELLED, "CANCELLED")

typedef enum cn_state {
#define X(id, name) CN_STATE_##id,
    CN_STATE_TABLE(X)
#undef X
        CN_STATE_COUNT
} cn_state;

const char *cn_state_name(cn_state state);
bool cn_state_parse(const char *name, cn_state *out);

/** The tabs of R6: "uploading", "pending", "completed"; bits 1 << cn_state, 0 for another word. */
uint32_t cn_state_tab(const char *tab);

/** Parts that somebody plays for a request, as bits. */
enum {
    CN_PART_REFERRER = 1, /* who started it */
    CN_PART_LEAD = 2,     /* the lead expert */
    CN_PART_EXPERT = 4,   /* an assigned expert, the lead included */
    CN_PART_REVIEWER = 8, /* right request.review */
    CN_PART_ON_DUTY = 16, /* an expert who may accept an urgent request */
    CN_PART_READER = 32,  /* right request.read_all */
    CN_PART_PRESENT = 64  /* is in the room, on the referrer's side or the experts'; nobody is it by his rights */
};

typedef struct cn_transition {
    const char *action; /* name of the call */
    uint32_t from;      /* bits of cn_state */
    cn_state to;        /* == the present state where `stays` */
    bool stays;
    bool urgent_only;
    uint32_t who; /* bits of CN_PART_ */
} cn_transition;

/** The table's row for an action, or NULL. The first row whose `from` holds `state` is taken; without one, the action's
 * first row. */
const cn_transition *cn_transition_find(const char *action, cn_state state);

/** CN_OK and the next state; CN_ERR_STATE not from this state (or not urgent), CN_ERR_FORBIDDEN none of `parts` may,
 * CN_ERR_NOTFOUND unknown action. */
cn_err cn_state_next(const char *action, cn_state state, bool urgent, uint32_t parts, cn_state *next);

/** Calls `each` for every action that `parts` may do now, in the table's order. */
void cn_state_actions(cn_state state, bool urgent, uint32_t parts, void (*each)(void *arg, const char *action),
                      void *arg);

#endif
