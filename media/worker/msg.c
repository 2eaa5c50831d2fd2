#include "media/worker/msg.h"

#include <stdlib.h>

#include "media/stream/packet.h"

void cn_msg_drop(cn_msg *msg)
{
    if (msg->kind == CN_MSG_PACKET)
        cn_packet_unref(msg->p);
    else
        free(msg->p);
    msg->p = NULL;
}
