/*
 * Consultation requests: form, list, life. Every call checks the actor at the record; a request that the actor may not
 * see answers CN_ERR_NOTFOUND. Blocking: job threads only. JSON shapes are those of docs/protocol.md.
 */
#ifndef CN_CONSULT_REQUEST_H
#define CN_CONSULT_REQUEST_H

#include "consult/scope.h"

/* Acts: `answer` may be NULL. */
cn_err cn_request_create(cn_consult *consult, const cn_actor *actor, const json_t *body, char id[CN_ID_TEXT],
                         cn_answer *answer, cn_problem *problem);
cn_err cn_request_update(cn_consult *consult, const cn_actor *actor, const char *id, const json_t *body,
                         cn_answer *answer, cn_problem *problem);
/** The whole request as JSON as the actor may see it, new reference; not logged: what acts answer with (cn_answer). */
cn_err cn_request_view(cn_consult *consult, cn_conn *conn, const cn_actor *actor, const char *id, json_t **out);
/** The same on a connection of its own, written to the audit log as a read. */
cn_err cn_request_get(cn_consult *consult, const cn_actor *actor, const char *id, json_t **out);
/** For who was refused with CN_ERR_NOTFOUND, which it returns: tells an expert whose place others have taken that this is
 * so (CN_WRONG_PARTED). Whoever never had a part learns nothing. */
cn_err cn_request_parted(cn_consult *consult, const cn_actor *actor, const char *id, cn_problem *problem);

/** Whole years between "YYYY-MM-DD" and now; -1 when not known. */
int cn_request_age(const char *birth_date, int64_t now_ms, int zone_minutes);
#define CN_AGE_IN_DAYS 731 /* whoever is younger is told by days or months */
/** Whole days, of who is younger than two years; -1 of others and when not known. */
int cn_request_age_days(const char *birth_date, int64_t now_ms, int zone_minutes);

typedef struct cn_request_filter {
    const char *tab;        /* "uploading", "pending", "completed"; NULL: all */
    const char *name;       /* patient's name or part of it, NULL: any */
    const char *number;     /* the request's number or part of it */
    const char *states;     /* names between commas */
    const char *hospital;   /* id of the referring one */
    const char *expert;     /* id of one who takes part */
    const char *sort;       /* a word of list.c's table, NULL: newest first */
    bool by_time;           /* from and to are of the consultation, not of the filing */
    int64_t from_ms, to_ms; /* [from, to); 0: open */
    unsigned page, size;    /* from 1; 0…200, 0: the counts alone */
} cn_request_filter;
cn_err cn_request_list(cn_consult *consult, const cn_actor *actor, const cn_request_filter *filter, json_t **out,
                       cn_problem *problem);

/** Urgent requests of others that nobody has accepted, and those that the centre assigned to this expert, who has not come yet;
 * the oldest first, without anything of the patient: an array of `{id, number, created_at, hospital, department, assigned}`,
 * new reference. CN_ERR_FORBIDDEN for who is neither an expert nor reviews requests. Not logged. */
cn_err cn_request_urgent(cn_conn *conn, const cn_actor *actor, json_t **out, cn_problem *problem);

/** The desk: `{mine, days}`, rows as in the list. mine: what waits for the actor, at most 50; days: consultations in
 * [from, to), at most eight days. Urgent ones on top in both. */
cn_err cn_request_desk(cn_consult *consult, const cn_actor *actor, int64_t from_ms, int64_t to_ms, json_t **out,
                       cn_problem *problem);

/** `{items: [{expert, name, request, number, at, minutes, state, lead, hospital}]}`: consultations of `experts` (ids
 * between commas, at most 30) that touch [from, to), without request `but` ("" for none). Right request.review. */
cn_err cn_request_busy(cn_consult *consult, const cn_actor *actor, const char *experts, int64_t from_ms, int64_t to_ms,
                       const char *but, json_t **out, cn_problem *problem);

/** Acts of docs/protocol.md: "submit", "return", "reject", "schedule", "reschedule", "experts", "accept", "cancel",
 * "finish", "no_show", "close". CN_ERR_NOTFOUND for another word. */
cn_err cn_request_act(cn_consult *consult, const cn_actor *actor, const char *id, const char *action,
                      const json_t *body, cn_answer *answer, cn_problem *problem);

/** Gives the room of a request, which is opened for it: no step of its life. CN_ERR_STATE when the room is closed. */
cn_err cn_request_room(cn_consult *consult, const cn_actor *actor, const char *id, char room[CN_ID_TEXT],
                       cn_problem *problem);

#endif
