/* One direction between two workers: a bounded ring, and a list for control messages that did not fit (they are never
 * lost, and keep their order). */
#ifndef CN_MEDIA_LINK_H
#define CN_MEDIA_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "media/worker/msg.h"

typedef struct cn_link cn_link;

cn_err cn_link_new(cn_link **out, size_t capacity);
/** Producer. Takes over what the message carries. A packet that does not fit is released and false returned; a control
 * message always gets through, or waits. */
bool cn_link_send(cn_link *link, const cn_msg *msg);
/** Producer, once per turn: retries what waits and wakes the consumer if something was sent. True: nothing waits any
 * more. */
bool cn_link_flush(cn_link *link);
/** The consumer's own pointer, set before it runs. */
void cn_link_set_user(cn_link *link, void *user);
void *cn_link_user(const cn_link *link);
/** Consumer: descriptor to watch, to be drained before popping. */
int cn_link_fd(const cn_link *link);
void cn_link_drain_wake(cn_link *link);
bool cn_link_pop(cn_link *link, cn_msg *out);
/** Both sides stopped. Releases what is left inside. NULL allowed. */
void cn_link_free(cn_link *link);

#endif
