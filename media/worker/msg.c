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

void cn_losses_add(cn_losses *losses, uint8_t fraction)
{
    if (losses->count < 2) losses->count++;
    if (fraction > losses->worst) {
        losses->second = losses->worst;
        losses->worst = fraction;
    } else if (fraction > losses->second) {
        losses->second = fraction;
    }
}

uint8_t cn_losses_trimmed(const cn_losses *losses)
{
    uint8_t most = losses->second > CN_LOSS_ALONE ? losses->second : CN_LOSS_ALONE;
    return losses->count < 2 || losses->worst < most ? losses->worst : most;
}
