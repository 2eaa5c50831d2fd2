#include "media/worker/link.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/spsc.h"

typedef struct waiting {
    cn_msg msg;
    struct waiting *next;
} waiting;

struct cn_link {
    cn_spsc *ring;
    void *user;
    bool pushed; /* since the last wake */
    waiting *first, **last;
};

cn_err cn_link_new(cn_link **out, size_t capacity)
{
    cn_link *link = CN_NEW(cn_link);
    if (!link) return CN_ERR_NOMEM;
    link->last = &link->first;
    cn_err err = cn_spsc_new(&link->ring, capacity, sizeof(cn_msg));
    if (err) {
        free(link);
        return err;
    }
    *out = link;
    return CN_OK;
}

static bool wait_in_line(cn_link *link, const cn_msg *msg)
{
    waiting *waiter = CN_NEW(waiting);
    if (!waiter) {
        cn_error("media.link", "out of memory, a control message is lost");
        return false;
    }
    waiter->msg = *msg;
    *link->last = waiter;
    link->last = &waiter->next;
    return true;
}

bool cn_link_send(cn_link *link, const cn_msg *msg)
{
    bool control = msg->kind != CN_MSG_PACKET;
    bool sent = !(control && link->first) && cn_spsc_push(link->ring, msg);
    if (sent)
        link->pushed = true;
    else if (control)
        sent = wait_in_line(link, msg);
    if (!sent) {
        cn_msg lost = *msg;
        cn_msg_drop(&lost);
    }
    return sent;
}

bool cn_link_flush(cn_link *link)
{
    while (link->first && cn_spsc_push(link->ring, &link->first->msg)) {
        waiting *waiter = link->first;
        link->first = waiter->next;
        if (!link->first) link->last = &link->first;
        free(waiter);
        link->pushed = true;
    }
    if (link->pushed) cn_spsc_wake(link->ring);
    link->pushed = false;
    return !link->first;
}

void cn_link_set_user(cn_link *link, void *user)
{
    link->user = user;
}

void *cn_link_user(const cn_link *link)
{
    return link->user;
}

int cn_link_fd(const cn_link *link)
{
    return cn_spsc_fd(link->ring);
}

void cn_link_drain_wake(cn_link *link)
{
    cn_spsc_drain_wake(link->ring);
}

bool cn_link_pop(cn_link *link, cn_msg *out)
{
    return cn_spsc_pop(link->ring, out);
}

void cn_link_free(cn_link *link)
{
    if (!link) return;
    cn_msg msg;
    while (link->ring && cn_spsc_pop(link->ring, &msg)) cn_msg_drop(&msg);
    for (waiting *waiter = link->first, *next; waiter; waiter = next) {
        next = waiter->next;
        cn_msg_drop(&waiter->msg);
        free(waiter);
    }
    cn_spsc_free(link->ring);
    free(link);
}
