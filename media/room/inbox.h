/* What other workers say, and this one to itself: a handler for each kind of message. Owner thread only. */
#ifndef CN_MEDIA_INBOX_H
#define CN_MEDIA_INBOX_H

#include "media/worker/msg.h"
#include "media/worker/worker.h"

void cn_inbox_on_packet(cn_worker *worker, cn_msg *msg);
void cn_inbox_on_switch(cn_worker *worker, cn_msg *msg);
void cn_inbox_on_layers(cn_worker *worker, cn_msg *msg);
void cn_inbox_on_sender_report(cn_worker *worker, cn_msg *msg);

#endif
