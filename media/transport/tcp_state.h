/* The inside of a port's TCP side: shared by tcp.c and tcp_conn.c only. Owner thread. */
#ifndef CN_MEDIA_TCP_STATE_H
#define CN_MEDIA_TCP_STATE_H

#include "media/wire/framing.h"
#include "media/transport/keymap.h"
#include "media/transport/tcp.h"

#define CN_TCP_LISTENERS 8
#define CN_TCP_CHUNK 65536 /* bytes read per connection and turn */

/** Connections of one remote address. */
typedef struct cn_tcp_host {
    cn_key key;
    uint32_t conns;
} cn_tcp_host;

struct cn_tcp_conn {
    cn_tcp *tcp;
    cn_tcp_conn *prev, *next; /* oldest first: of the unchecked or of the checked ones */
    int fd;
    unsigned sock;
    cn_sockaddr peer;
    cn_tcp_host *host;
    void *user;
    bool checked;
    bool closed;  /* only waits for the event under way to end */
    bool broken;  /* nothing can be sent any more: closed at its next event */
    bool reading; /* an event of it is under way */
    unsigned strikes;
    uint64_t checked_ns; /* accepted or last checked */

    cn_deframer in;

    uint8_t *out; /* ring of CN_TCP_QUEUE bytes, made when it is first needed */
    size_t out_at, out_n;
    uint32_t unsent;    /* bytes in the kernel not yet sent, when last asked */
    uint32_t lowat;     /* of them at most */
    uint32_t rate_bps;  /* expected */
    uint32_t drain_bps; /* measured while something waits; 0: not known */
    uint64_t drain_ns;  /* start of the measurement; 0: nothing waits */
    uint64_t drained;   /* bytes since then */
};

typedef struct cn_tcp_conn_list {
    cn_tcp_conn *first, *last;
    uint32_t n;
} cn_tcp_conn_list;

typedef struct cn_listener {
    cn_tcp *tcp;
    int fd;
    unsigned sock;
} cn_listener;

struct cn_tcp {
    cn_loop *loop;
    cn_tcp_limits limits;
    const cn_tcp_events *events;
    void *arg;
    cn_tcp_totals totals;
    cn_listener listeners[CN_TCP_LISTENERS];
    size_t listeners_n;
    bool paused; /* out of descriptors: accepting again at the next sweep */
    cn_tcp_conn_list unchecked, checked;
    cn_keymap *hosts;
    uint8_t *chunk; /* CN_DEFRAME_ROOM and CN_TCP_CHUNK bytes */
};

/** Loop event of a connection. */
void cn_tcp_conn_on_event(void *conn, uint32_t events);
/** Takes it out of the lists, closes it, tells the user when `tell`, and frees it as soon as possible. */
void cn_tcp_conn_drop(cn_tcp_conn *conn, bool tell);

/** One connection fewer of this remote address; the last one frees it. */
void cn_tcp_host_leave(cn_tcp *tcp, cn_tcp_host *host);

void cn_tcp_conn_list_add(cn_tcp_conn_list *list, cn_tcp_conn *conn);
void cn_tcp_conn_list_remove(cn_tcp_conn_list *list, cn_tcp_conn *conn);

#endif
