#include "media/worker/msg.h"

#include <stdlib.h>

#include "media/stream/packet.h"

void cn_msg_drop(cn_msg *m)
{
    if (m->kind == CN_MSG_PACKET)
        cn_packet_unref(m->p);
    else
        free(m->p);
    m->p = NULL;
}
