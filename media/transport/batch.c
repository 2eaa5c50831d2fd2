#include "media/transport/batch.h"

#include <errno.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/mem.h"
#include "media/wire/prefetch.h"
#include "media/wire/rtp.h"
#include "media/transport/transport.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

#define LINE 64         /* packets begin on a cache line */
#define GSO_SEGMENTS 64 /* the kernel's UDP_MAX_SEGMENTS */
#define GSO_BYTES 65000 /* one IP datagram before segmentation */
#define PADDING_SHARE                                                                               \
    16 /* a packet grows by at most 1/16 of the segment: bandwidth is worth more than a system call \
        */
#define NONE UINT16_MAX

typedef struct packet {
    uint32_t at;   /* in the arena */
    uint16_t n;    /* bytes */
    uint16_t next; /* of the same queue */
    bool rtcp;
} packet;

/** The control message of a GSO send, aligned as the kernel wants it. */
typedef union gso_control {
    struct cmsghdr align;
    uint8_t bytes[CMSG_SPACE(sizeof(uint16_t)) + CN_LOCAL_CONTROL];
} gso_control;

struct cn_batch {
    bool gso;
    bool streams; /* some packet is not for a socket */
    size_t n, bytes;
    size_t asked; /* bytes of the space given last */
    packet packets[CN_BATCH_PACKETS];
    cn_batch_queue *first, *last;

    struct iovec iov[CN_BATCH_PACKETS];
    struct mmsghdr messages[CN_BATCH_PACKETS];
    gso_control control[CN_BATCH_PACKETS];
    size_t iov_n, messages_n;

    _Alignas(LINE) uint8_t arena[CN_BATCH_BYTES];
};

cn_err cn_batch_new(cn_batch **out, bool gso)
{
    void *memory = NULL;
    if (posix_memalign(&memory, LINE, sizeof(cn_batch))) return CN_ERR_NOMEM;
    memset(memory, 0, sizeof(cn_batch));
    cn_batch *b = memory;
    b->gso = gso;
    *out = b;
    return CN_OK;
}

bool cn_batch_empty(const cn_batch *b)
{
    return !b->n;
}

static size_t room_for(size_t n)
{
    return (n + CN_BATCH_PADDING + CN_SRTP_TAIL + LINE - 1) & ~(size_t)(LINE - 1);
}

uint8_t *cn_batch_space(cn_batch *b, size_t n)
{
    if (b->n == CN_BATCH_PACKETS || b->bytes + room_for(n) > CN_BATCH_BYTES) return NULL;
    b->asked = n;
    return b->arena + b->bytes;
}

bool cn_batch_holds(const cn_batch *b, const uint8_t *p, size_t n)
{
    return p == b->arena + b->bytes && n <= b->asked;
}

void cn_batch_add(cn_batch *b, cn_batch_queue *q, size_t n, bool rtcp)
{
    uint16_t index = (uint16_t)b->n++;
    b->packets[index] = (packet){.at = (uint32_t)b->bytes, .n = (uint16_t)n, .next = NONE, .rtcp = rtcp};
    b->bytes += room_for(n);
    b->asked = 0;
    b->streams |= q->stream != NULL;
    if (q->count) {
        b->packets[q->last].next = index;
    } else {
        q->first = index;
    }
    q->last = index;
    q->count++;
    if (q->listed) return;
    q->listed = true;
    q->next_queue = NULL;
    if (b->last) {
        b->last->next_queue = q;
    } else {
        b->first = q;
    }
    b->last = q;
}

size_t cn_batch_run(const uint16_t sizes[], const bool rigid[], size_t count, size_t *segment)
{
    size_t n = 1, largest = sizes[0], smallest_soft = sizes[0], largest_rigid = rigid[0] ? sizes[0] : 0;
    while (n < count && n < GSO_SEGMENTS) {
        size_t size = sizes[n];
        size_t grown = size > largest ? size : largest, room = grown / PADDING_SHARE;
        if (room > CN_BATCH_PADDING) room = CN_BATCH_PADDING;
        if (grown * (n + 1) > GSO_BYTES) break;
        /* everything before packet n would be padded to `grown` */
        if (grown - smallest_soft > room || (largest_rigid && largest_rigid != grown)) break;
        largest = grown;
        n++;
        bool padded_later = grown - size <= room && (!rigid[n - 1] || size == grown);
        if (!padded_later) break; /* a shorter packet ends the run */
        if (size < smallest_soft) smallest_soft = size;
        if (rigid[n - 1]) largest_rigid = size;
    }
    *segment = largest;
    return n;
}

/** Appends RTP padding (RFC 3550 §5.1) so that the packet has `n` bytes; a packet that has padding already stays. */
static void pad_rtp(uint8_t *p, packet *k, size_t n)
{
    size_t add = n - k->n;
    memset(p + k->n, 0, add);
    p[n - 1] = (uint8_t)add;
    p[0] |= 0x20;
    k->n = (uint16_t)n;
}

static void message_begin(cn_batch *b, const cn_batch_queue *q)
{
    struct msghdr *h = &b->messages[b->messages_n].msg_hdr;
    memset(h, 0, sizeof *h);
    h->msg_name = (void *)(uintptr_t)&q->to->any; /* the kernel only reads it */
    h->msg_namelen = cn_sockaddr_len(q->to);
    h->msg_iov = &b->iov[b->iov_n];
}

static void message_add(cn_batch *b, uint16_t index)
{
    struct iovec *v = &b->iov[b->iov_n++];
    v->iov_base = b->arena + b->packets[index].at;
    v->iov_len = b->packets[index].n;
    b->messages[b->messages_n].msg_hdr.msg_iovlen++;
}

/** The segment size goes last, so that send_apart can leave it away. */
static void message_end(cn_batch *b, const cn_batch_queue *q, size_t segment)
{
    struct msghdr *h = &b->messages[b->messages_n].msg_hdr;
    if (!h->msg_iovlen) return;
    uint8_t *control = b->control[b->messages_n].bytes;
    size_t at = q->from ? cn_local_put(q->from, control) : 0;
    if (h->msg_iovlen > 1) {
        struct cmsghdr *c = (struct cmsghdr *)(void *)(control + at);
        at += CMSG_SPACE(sizeof(uint16_t));
        c->cmsg_level = SOL_UDP;
        c->cmsg_type = UDP_SEGMENT;
        c->cmsg_len = CMSG_LEN(sizeof(uint16_t));
        uint16_t value = (uint16_t)segment;
        memcpy(CMSG_DATA(c), &value, sizeof value);
    }
    if (at) h->msg_control = control;
    h->msg_controllen = at;
    b->messages_n++;
}

static bool protect(cn_batch *b, const cn_batch_queue *q, uint16_t index, cn_port_totals *totals)
{
    packet *k = &b->packets[index];
    size_t n = k->n;
    cn_err err = k->rtcp ? cn_srtp_protect_rtcp(q->srtp, b->arena + b->packets[index].at, &n)
                         : cn_srtp_protect_rtp(q->srtp, b->arena + b->packets[index].at, &n);
    if (err) totals->protect_failed++;
    k->n = (uint16_t)n;
    return !err;
}

/** One run of a queue: pads, protects, and makes one message, or several when a packet drops out or GSO is off. */
static void run_build(cn_batch *b, const cn_batch_queue *q, const uint16_t order[], size_t n, size_t segment,
                      cn_port_totals *totals)
{
    size_t tag = cn_srtp_tag(q->srtp);
    message_begin(b, q);
    for (size_t i = 0; i < n; i++) {
        packet *k = &b->packets[order[i]];
        bool last = i + 1 == n;
        if (!last && !k->rtcp && k->n + tag < segment) pad_rtp(b->arena + k->at, k, segment - tag);
        if (protect(b, q, order[i], totals)) message_add(b, order[i]);
    }
    message_end(b, q, segment);
}

/* Four receivers at four stages: what protecting the next one's first packet touches, the context of the second, the
 * pointer to it of the third, and the fourth itself. Each stage reads only what an earlier one has brought. */
static void keys_prefetch(const cn_batch *b, const cn_batch_queue *q)
{
    const cn_batch_queue *at[4] = {q->next_queue};
    for (size_t i = 1; i < 4 && at[i - 1]; i++) at[i] = at[i - 1]->next_queue;
    if (at[0] && at[0]->srtp) cn_srtp_prefetch_stream(at[0]->srtp, cn_be32(b->arena + b->packets[at[0]->first].at + 8));
    if (at[1] && at[1]->srtp) cn_srtp_prefetch_context(at[1]->srtp);
    if (at[2] && at[2]->srtp) cn_srtp_prefetch(at[2]->srtp);
    if (at[3]) cn_prefetch(at[3], sizeof *at[3]);
}

static void queue_build(cn_batch *b, const cn_batch_queue *q, cn_port_totals *totals)
{
    uint16_t order[CN_BATCH_PACKETS], sizes[CN_BATCH_PACKETS];
    bool rigid[CN_BATCH_PACKETS];
    size_t n = 0, tag = cn_srtp_tag(q->srtp);
    for (uint16_t i = q->first; i != NONE; i = b->packets[i].next) {
        order[n] = i;
        sizes[n] = (uint16_t)(b->packets[i].n + tag + (b->packets[i].rtcp ? 4 : 0));
        /* a packet with padding of its own would need its count rewritten: it stays as it is */
        rigid[n] = b->packets[i].rtcp || (b->arena[b->packets[i].at] & 0x20);
        n++;
    }
    for (size_t at = 0; at < n;) {
        size_t segment = sizes[at], run = b->gso ? cn_batch_run(sizes + at, rigid + at, n - at, &segment) : 1;
        run_build(b, q, order + at, run, segment, totals);
        at += run;
    }
}

/** A GSO message whose segments leave one by one. */
static void send_apart(int fd, const struct msghdr *gso, cn_port_totals *totals)
{
    struct msghdr h = *gso;
    h.msg_controllen -= CMSG_SPACE(sizeof(uint16_t));
    if (!h.msg_controllen) h.msg_control = NULL;
    for (size_t i = 0; i < gso->msg_iovlen; i++) {
        h.msg_iov = &gso->msg_iov[i];
        h.msg_iovlen = 1;
        totals->send_calls++;
        ssize_t sent = sendmsg(fd, &h, 0);
        if (sent < 0) {
            totals->send_failed++;
        } else {
            totals->datagrams_out++;
            totals->messages++;
            totals->bytes_out += (uint64_t)sent;
        }
    }
}

static void count_sent(const struct mmsghdr *m, size_t n, cn_port_totals *totals)
{
    for (size_t i = 0; i < n; i++) {
        totals->datagrams_out += m[i].msg_hdr.msg_iovlen;
        totals->bytes_out += m[i].msg_len;
        if (m[i].msg_hdr.msg_iovlen < 2) continue;
        totals->gso_sends++;
        totals->gso_datagrams += m[i].msg_hdr.msg_iovlen;
    }
    totals->messages += n;
}

/** What to do about the message that the kernel refused: true when the rest of the batch is lost as well. */
static bool refused(cn_batch *b, int fd, const struct mmsghdr *m, int error, cn_port_totals *totals)
{
    if (m->msg_hdr.msg_iovlen > 1 && error != EAGAIN && error != ENOBUFS) {
        /* EIO: the device cannot checksum segments. Everything else (EINVAL, EMSGSIZE: a small path MTU) may be this
           destination only. */
        if (error == EIO && b->gso) {
            b->gso = false;
            cn_warn("media.send", "the network device refuses UDP segmentation: sending packets one by one");
        }
        send_apart(fd, &m->msg_hdr, totals);
        return false;
    }
    totals->send_failed += m->msg_hdr.msg_iovlen;
    return error == EAGAIN || error == ENOBUFS;
}

static void messages_send(cn_batch *b, int fd, cn_port_totals *totals)
{
    size_t at = 0;
    while (at < b->messages_n) {
        totals->send_calls++;
        int sent = sendmmsg(fd, b->messages + at, (unsigned)(b->messages_n - at), MSG_DONTWAIT);
        if (sent > 0) {
            count_sent(b->messages + at, (size_t)sent, totals);
            at += (size_t)sent;
            continue;
        }
        int error = errno;
        if (error == EINTR) continue;
        bool lost = refused(b, fd, &b->messages[at++], error, totals);
        while (lost && at < b->messages_n) totals->send_failed += b->messages[at++].msg_hdr.msg_iovlen;
    }
    b->messages_n = b->iov_n = 0;
}

/** Protects a queue's packets and hands them to its stream: no padding, since nothing is segmented. */
static void stream_send(cn_batch *b, const cn_batch_queue *q, cn_port_totals *totals)
{
    b->iov_n = 0;
    for (uint16_t i = q->first; i != NONE; i = b->packets[i].next) {
        if (!protect(b, q, i, totals)) continue;
        b->iov[b->iov_n++] = (struct iovec){b->arena + b->packets[i].at, b->packets[i].n};
    }
    q->stream(q->stream_arg, b->iov, b->iov_n);
    b->iov_n = 0;
}

static void streams_send(cn_batch *b, cn_port_totals *totals)
{
    for (const cn_batch_queue *q = b->first; q; q = q->next_queue) {
        if (q->stream && q->srtp) stream_send(b, q, totals);
    }
    b->streams = false;
}

void cn_batch_flush(cn_batch *b, const int fds[], size_t fds_n, cn_port_totals *totals)
{
    if (!b->n) return;
    for (size_t s = 0; s < fds_n; s++) {
        for (const cn_batch_queue *q = b->first; q; q = q->next_queue) {
            keys_prefetch(b, q);
            if (q->sock == s && q->srtp && !q->stream) queue_build(b, q, totals);
        }
        if (b->messages_n) messages_send(b, fds[s], totals);
    }
    if (b->streams) streams_send(b, totals);
    while (b->first) {
        cn_batch_queue *q = b->first;
        b->first = q->next_queue;
        q->next_queue = NULL;
        q->listed = false;
        q->count = 0;
    }
    b->last = NULL;
    b->n = b->bytes = 0;
}

void cn_batch_free(cn_batch *b)
{
    free(b);
}
