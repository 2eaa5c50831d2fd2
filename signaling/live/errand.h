/*
 * A method's errand: what every call takes along that cannot be answered at once. The client may be gone when it comes
 * back, which is why it is named by its serial.
 */
#ifndef CN_SIGNALING_LIVE_ERRAND_H
#define CN_SIGNALING_LIVE_ERRAND_H

#include "signaling/door/errand.h"
#include "signaling/live/state.h"

typedef struct cn_call_errand cn_call_errand;

/* First member of what a method takes along; cn_call_errand_new fills it. */
struct cn_call_errand {
    cn_errand errand;
    cn_live *live;
    uint64_t serial; /* of the client */
    json_t *id;      /* of the call; NULL for none */
    cn_actor actor;
    cn_err err; /* what `work` returned */
    cn_problem problem;
    size_t size;
    cn_err (*work)(cn_call_errand *errand);                  /* job thread */
    void (*back)(cn_call_errand *errand, cn_client *client); /* `client` is NULL when it has gone */
    void (*release)(cn_call_errand *errand);                 /* what it holds; NULL: nothing */
};

/** `size` bytes, zeroed, that begin with a cn_call_errand; NULL when memory is out. */
void *cn_call_errand_new(const cn_method_call *call, size_t size, void (*release)(cn_call_errand *errand));
/** Sends it to a job thread. What a method returns then: CN_ANSWERS_ITSELF, and `back` must free it; or CN_ERR_AGAIN,
 * and it is freed. */
cn_err cn_call_errand_go(cn_call_errand *errand, cn_err (*work)(cn_call_errand *errand),
                         void (*back)(cn_call_errand *errand, cn_client *client));
/** Any thread: comes back to the door with `err` and, when there is one, `problem`. */
void cn_call_errand_return(cn_call_errand *errand, cn_err err, const cn_problem *problem,
                           void (*back)(cn_call_errand *errand, cn_client *client));
/** Answers with `result` (taken over), or with the error when `err` is one; nobody hears it when the client is gone. */
void cn_call_errand_answer(cn_call_errand *errand, cn_client *client, json_t *result);
void cn_call_errand_free(cn_call_errand *errand);

#endif
