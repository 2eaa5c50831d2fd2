/*
 * What people write in a room: sealed, counted per room without gaps (seq), never changed. Every read and every message
 * is checked against the actor's part in the room's request. Blocking: job threads only. JSON: docs/protocol.md.
 */
#ifndef CN_CONSULT_ROOM_MESSAGES_H
#define CN_CONSULT_ROOM_MESSAGES_H

#include "consult/consult.h"

#define CN_MESSAGE_CHARS 2000
#define CN_MESSAGE_ID 41      /* bytes of a message's id, with the end */
#define CN_MESSAGES_PAGE 200  /* at most so many at once */
#define CN_MESSAGES_MAX 20000 /* of a room; then CN_ERR_STATE */

typedef struct cn_message_new {
    const char *id;   /* the writer's own: 1…40 letters, digits, '-' or '_'; sent once more it is the same message */
    const char *text; /* "" where there is a file */
    const char *file; /* "": none */
    bool farewell;    /* the room says farewell: it may be written in though it is closed */
} cn_message_new;

/** Reads `{id, text?, file?}`: text has at most CN_MESSAGE_CHARS characters after its cleaning (base/text.h), and is
 * more than blanks unless there is a file. Pure; what is in `out` is borrowed from `body`. CN_ERR_INVALID. */
cn_err cn_message_read(const json_t *body, cn_message_new *out, cn_problem *problem);

/**
 * Writes a message; durable when it returns. `*out` is it as JSON, new reference; `*fresh` whether it was not there
 * before; what was is answered also when the room is closed or full by now. CN_ERR_NOTFOUND for who has no part in the
 * room or (field "file") a file that is not one of its request, CN_ERR_FORBIDDEN for who may only read, CN_ERR_STATE for
 * a closed or full room. Audited, without a word of the text.
 */
cn_err cn_message_add(cn_consult *consult, const cn_actor *actor, const char *room, const cn_message_new *message,
                      json_t **out, bool *fresh, cn_problem *problem);

/** A stretch of a room's messages. */
typedef struct cn_message_range {
    int64_t after;  /* those behind this seq, the first ones of them; −1: the newest */
    int64_t before; /* those in front of it; 0: to the last */
    int64_t size;   /* 1…CN_MESSAGES_PAGE */
} cn_message_range;

/** `{messages, last, more}` in their order, new reference. `last`: seq of the room's last; `more`: there are more in
 * front of them, or behind them with `after`. Audited. */
cn_err cn_messages_get(cn_consult *consult, const cn_actor *actor, const char *room, const cn_message_range *range,
                       json_t **out);
/** The same by the room's request, also after the room is closed; none where there was no room. */
cn_err cn_messages_of_request(cn_consult *consult, const cn_actor *actor, const char *request,
                              const cn_message_range *range, json_t **out);

#endif
