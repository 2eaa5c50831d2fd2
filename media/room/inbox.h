/* What other workers say, and this one to itself: a handler for each kind of message (msg.h). Owner thread only. */
#ifndef CN_MEDIA_INBOX_H
#define CN_MEDIA_INBOX_H

#include "media/worker/link.h"
#include "media/worker/worker.h"

/** Reads a link to this worker until it is empty, and forwards what packets it brought. Before any other message what
 * waits is forwarded, so that nothing that slots could notice comes between. */
void cn_inbox_read(cn_worker *worker, cn_link *link);

#endif
