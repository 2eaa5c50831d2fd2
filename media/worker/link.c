#include "media/worker/link.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/queue.h"

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
    cn_link *l = CN_NEW(cn_link);
    if (!l) return CN_ERR_NOMEM;
    l->last = &l->first;
    cn_err err = cn_spsc_new(&l->ring, capacity, sizeof(cn_msg));
    if (err) {
        free(l);
        return err;
    }
    *out = l;
    return CN_OK;
}

static bool wait_in_line(cn_link *l, const cn_msg *m)
{
    waiting *w = CN_NEW(waiting);
    if (!w) {
        cn_error("media.link", "out of memory, a control message is lost");
        return false;
    }
    w->msg = *m;
    *l->last = w;
    l->last = &w->next;
    return true;
}

bool cn_link_send(cn_link *l, const cn_msg *m)
{
    bool control = m->kind != CN_MSG_PACKET;
    bool sent = !(control && l->first) && cn_spsc_push(l->ring, m);
    if (sent)
        l->pushed = true;
    else if (control)
        sent = wait_in_line(l, m);
    if (!sent) {
        cn_msg lost = *m;
        cn_msg_drop(&lost);
    }
    return sent;
}

bool cn_link_flush(cn_link *l)
{
    while (l->first && cn_spsc_push(l->ring, &l->first->msg)) {
        waiting *w = l->first;
        l->first = w->next;
        if (!l->first) l->last = &l->first;
        free(w);
        l->pushed = true;
    }
    if (l->pushed) cn_spsc_wake(l->ring);
    l->pushed = false;
    return !l->first;
}

void cn_link_set_user(cn_link *l, void *user)
{
    l->user = user;
}

void *cn_link_user(const cn_link *l)
{
    return l->user;
}

int cn_link_fd(const cn_link *l)
{
    return cn_spsc_fd(l->ring);
}

void cn_link_drain_wake(cn_link *l)
{
    cn_spsc_drain_wake(l->ring);
}

bool cn_link_pop(cn_link *l, cn_msg *out)
{
    return cn_spsc_pop(l->ring, out);
}

void cn_link_free(cn_link *l)
{
    if (!l) return;
    cn_msg m;
    while (l->ring && cn_spsc_pop(l->ring, &m)) cn_msg_drop(&m);
    for (waiting *w = l->first, *next; w; w = next) {
        next = w->next;
        cn_msg_drop(&w->msg);
        free(w);
    }
    cn_spsc_free(l->ring);
    free(l);
}
