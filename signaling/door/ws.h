/* A WebSocket of the live protocol as its users see it. All on the door's thread. */
#ifndef CN_SIGNALING_WS_H
#define CN_SIGNALING_WS_H

#include <jansson.h>

#include "signaling/door/calls.h"

#define CN_WS_MESSAGE_MAX (256 * 1024) /* bytes of one message from a client */
#define CN_WS_QUEUE_MAX 512            /* messages that wait for a slow client; one more and it is closed with 1013 */
#define CN_WS_QUEUE_BYTES (4 << 20)
#define CN_WS_UNFINISHED_MAX (32 << 20) /* bytes of messages whose end has not come, of all clients */
#define CN_WS_UNFINISHED_S 20           /* a message is whole within so long */

/** Application close codes (RFC 6455 §7.4.2). */
enum { CN_WS_CLOSE_SESSION = 4401, CN_WS_CLOSE_SLOW = 1013, CN_WS_CLOSE_BIG = 1009, CN_WS_CLOSE_FLOOD = 1008 };

/** Sends a JSON value (borrowed). A message with the same non-NULL `key` that still waits is replaced: only the newest
 * state reaches a slow reader. */
void cn_ws_send(cn_ws *ws, const json_t *message, const char *key);
/** A JSON value (borrowed) as it is sent, for many WebSockets: made once, freed with the last reference (cn_unref).
 * Fractions have 12 digits. NULL: no memory. */
typedef struct cn_ws_text cn_ws_text;
cn_ws_text *cn_ws_text_new(const json_t *message);
/** As cn_ws_send; takes a reference of its own. */
void cn_ws_send_text(cn_ws *ws, cn_ws_text *text, const char *key);
/** Closes after what waits was sent. */
void cn_ws_close(cn_ws *ws, int code, const char *reason);
/** Stops reading until turned on again. */
void cn_ws_read(cn_ws *ws, bool on);
/** What belongs to this WebSocket. */
void cn_ws_own(cn_ws *ws, void *owned);
void *cn_ws_owned(const cn_ws *ws);

#endif
