/*
 * What a worker sends in one turn: packets are written into a batch, queued per transport, then protected and
 * handed to the kernel together. Private to a port. Owner thread.
 */
#ifndef CN_MEDIA_BATCH_H
#define CN_MEDIA_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/err.h"
#include "media/secure/srtp.h"
#include "media/transport/address.h"
#include "media/transport/figures.h"

/** What waits for the batch waits half a millisecond at most, and stays in the near caches. */
#define CN_BATCH_PACKETS 128
#define CN_BATCH_BYTES (192 * 1024)
#define CN_BATCH_PADDING 96 /* RTP padding added to one packet at most */

typedef struct cn_batch cn_batch;

/** One transport's packets in a batch; zero-initialised means empty. */
typedef struct cn_batch_queue {
    struct cn_batch_queue *next_queue; /* of the batch's list */
    bool listed;
    uint16_t first, last, count;
    /* set by the owner before the flush */
    cn_srtp *srtp;
    const cn_sockaddr *to;
    const cn_local *from; /* NULL: the socket's own address */
    unsigned sock;
    /* instead of a socket: takes the protected packets in order */
    void (*stream)(void *arg, const struct iovec *packets, size_t count);
    void *stream_arg;
} cn_batch_queue;

cn_err cn_batch_new(cn_batch **out, bool gso);
bool cn_batch_empty(const cn_batch *batch);

/** Space for len ≤ CN_TRANSPORT_PACKET bytes and what protection needs; the same place until cn_batch_add. NULL when
 * full. */
uint8_t *cn_batch_space(cn_batch *batch, size_t len);

/** Whether `bytes` is the space that was given last, and was asked for len bytes or more. */
bool cn_batch_holds(const cn_batch *batch, const uint8_t *bytes, size_t len);

/** Queues the first len bytes of the space, no more than were asked for. */
void cn_batch_add(cn_batch *batch, cn_batch_queue *queue, size_t len, bool rtcp);

/** Protects and sends everything on `fds[queue.sock]`, counts in `totals`, and is empty again. */
void cn_batch_flush(cn_batch *batch, const int fds[], size_t fds_n, cn_port_totals *totals);

void cn_batch_free(cn_batch *batch);

/** How many of `count` packets of these protected sizes, from the first, can leave as one GSO send, and the segment
 * size to which all but the last are padded. `rigid[i]`: packet i cannot be padded. Pure, for tests. */
size_t cn_batch_run(const uint16_t sizes[], const bool rigid[], size_t count, size_t *segment);

#endif
