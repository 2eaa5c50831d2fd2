/*
 * When a consultation really took place: from its first moment in session to the last leaving, or the room's end. The
 * ledger knows who was in the room when; the request's history knows since when that was the consultation, so that
 * whoever tried his devices a day before is not taken for its beginning. It is worked out anew each time; what a signed
 * report says of it is kept with the report (report/circumstances.h).
 */
#ifndef CN_CONSULT_HELD_H
#define CN_CONSULT_HELD_H

#include "storage/db/db.h"

/* A checkpoint every minute, one that waits for a sign of life, and the way to the ledger. */
#define CN_HELD_FRESH_MS 150000

typedef struct cn_held {
    int64_t start_ms; /* wall clock; 0: it has not taken place, as far as is known */
    int64_t end_ms;   /* 0: goes on, or nobody knows */
    bool ongoing;
} cn_held;

/** One participant in the ledger, from the session on. */
typedef struct cn_held_stay {
    int64_t from_ms, to_ms;
    bool left; /* he was seen to leave: false where the last stretch only ends at a checkpoint */
} cn_held_stay;

typedef struct cn_held_facts {
    int64_t session_ms; /* since when the request was in session; 0: never */
    bool seen;          /* somebody was in the room then; an urgent one is in session before anybody can be */
    bool room_open;
    int64_t closed_ms; /* of a room that is closed; 0: there was none */
    const cn_held_stay *stays;
    size_t count;
} cn_held_facts;

/** Pure: what follows from the facts at `now_ms`. */
cn_held cn_held_of(const cn_held_facts *facts, int64_t now_ms);
/** The same of a request in the database. */
cn_err cn_held_load(cn_conn *conn, const char *request, int64_t now_ms, cn_held *out);
/** The same as it could be said at a moment that is past: of whoever left later, that he was still there. */
cn_err cn_held_then(cn_conn *conn, const char *request, int64_t then_ms, cn_held *out);

#endif
