/* The door's state; private to door.c and calls.c. */
#ifndef CN_SIGNALING_DOOR_IMPL_H
#define CN_SIGNALING_DOOR_IMPL_H

#include <libwebsockets.h>
#include <pthread.h>
#include <stdatomic.h>

#include "signaling/door/config.h"
#include "signaling/door/crowd.h"
#include "signaling/http/call.h"

#define CN_DOOR_EVERY_MAX 16

typedef struct cn_door_repeat {
    lws_sorted_usec_list_t sul;
    cn_door *door;
    unsigned ms;         /* 0: not by itself */
    lws_usec_t woken_us; /* of those: due at; 0: not */
    void (*fn)(void *arg);
    void *arg;
} cn_door_repeat;

struct cn_door {
    cn_door_config config;
    struct lws_context *ctx;
    struct lws_vhost *vhost, *management;
    struct lws_protocols protocols[2];
    pthread_t thread;
    bool started, dead;
    _Atomic bool stopping, quiet;
    pthread_mutex_t lock;
    cn_door_call *first, *last;
    _Atomic unsigned own_calls;
    cn_door_repeat every[CN_DOOR_EVERY_MAX];
    size_t repeats;
    _Atomic uint64_t requests, ok, bad, failed, ws_in, ws_out;
    _Atomic int websockets, working;
    cn_crowd crowd;     /* the door's thread */
    int64_t unfinished; /* cn_door_unfinished; the door's thread */
};

#endif
