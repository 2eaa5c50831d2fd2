/*
 * Who acts: every function of consult/ that reads or changes a record takes an actor and checks its rights at the data.
 */
#ifndef CN_CONSULT_ACTOR_H
#define CN_CONSULT_ACTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/crypto.h"

/* name in the API and the database, what it permits */
#define CN_RIGHT_TABLE(X)                                                                        \
    X(REQUEST_CREATE, "request.create", "start and edit one's own consultation requests")        \
    X(REQUEST_REVIEW, "request.review", "review, return, reject, schedule requests")             \
    X(REQUEST_READ_ALL, "request.read_all", "read every request of the platform")                \
    X(REPORT_WRITE, "report.write", "write reports and opinions of requests one is assigned to") \
    X(SLIDE_LABEL, "slide.label", "see label and macro images of slides")                        \
    X(MINUTES_READ, "minutes.read", "see minutes of every room and person")                      \
    X(ROOM_MODERATE, "room.moderate", "enter and moderate every room")                           \
    X(USER_MANAGE, "user.manage", "manage hospitals, departments and users")                     \
    X(CONFIG_MANAGE, "config.manage", "change the configuration")                                \
    X(AUDIT_READ, "audit.read", "read the audit log")

typedef enum cn_right {
#define X(id, name, what) CN_RIGHT_##id,
    CN_RIGHT_TABLE(X)
#undef X
        CN_RIGHT_COUNT
} cn_right;

typedef struct cn_actor {
    char user[CN_ID_TEXT]; /* user id; "" is nobody */
    char hospital[CN_ID_TEXT];
    char department[CN_ID_TEXT];
    uint32_t rights;  /* bit 1 << cn_right */
    char address[48]; /* client's address, for the audit log */
} cn_actor;

static inline bool cn_actor_may(const cn_actor *actor, cn_right right)
{
    return (actor->rights >> right & 1u) != 0;
}

/** The program itself (timers, start-up): may everything, written as "system" in the audit log. */
cn_actor cn_actor_system(void);

/** "request.create" …; "" for a number outside the table. */
const char *cn_right_name(cn_right right);

#endif
