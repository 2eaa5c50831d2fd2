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

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

#define LINE 64         /* packets begin on a cache line */
#define GSO_SEGMENTS 64 /* the kernel's UDP_MAX_SEGMENTS */
#define GSO_BYTES 65000 /* one IP datagram before segmentation */
/* A packet grows by at most 1/16 of the segment: bandwidth is worth more than a system call. Or by so many bytes as each
 * packet costs in IP, UDP and SRTP anyway: voices that leave together are all short and all different. */
#define PADDING_SHARE 16
#define PADDING_SMALL 40
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
    cn_batch *batch = memory;
    batch->gso = gso;
    *out = batch;
    return CN_OK;
}

bool cn_batch_empty(const cn_batch *batch)
{
    return !batch->n;
}

static size_t room_for(size_t len)
{
    return (len + CN_BATCH_PADDING + CN_SRTP_TAIL + LINE - 1) & ~(size_t)(LINE - 1);
}

uint8_t *cn_batch_space(cn_batch *batch, size_t len)
{
    if (batch->n == CN_BATCH_PACKETS || batch->bytes + room_for(len) > CN_BATCH_BYTES) return NULL;
    batch->asked = len;
    return batch->arena + batch->bytes;
}

bool cn_batch_holds(const cn_batch *batch, const uint8_t *bytes, size_t len)
{
    return bytes == batch->arena + batch->bytes && len <= batch->asked;
}

void cn_batch_add(cn_batch *batch, cn_batch_queue *queue, size_t len, bool rtcp)
{
    uint16_t index = (uint16_t)batch->n++;
    batch->packets[index] = (packet){.at = (uint32_t)batch->bytes, .n = (uint16_t)len, .next = NONE, .rtcp = rtcp};
    batch->bytes += room_for(len);
    batch->asked = 0;
    batch->streams |= queue->stream != NULL;
    if (queue->count) {
        batch->packets[queue->last].next = index;
    } else {
        queue->first = index;
    }
    queue->last = index;
    queue->count++;
    if (queue->listed) return;
    queue->listed = true;
    queue->next_queue = NULL;
    if (batch->last) {
        batch->last->next_queue = queue;
    } else {
        batch->first = queue;
    }
    batch->last = queue;
}

size_t cn_batch_run(const uint16_t sizes[], const bool rigid[], size_t count, size_t *segment)
{
    size_t n = 1, largest = sizes[0], smallest_soft = sizes[0], largest_rigid = rigid[0] ? sizes[0] : 0;
    while (n < count && n < GSO_SEGMENTS) {
        size_t size = sizes[n];
        size_t grown = size > largest ? size : largest, room = grown / PADDING_SHARE;
        if (room > CN_BATCH_PADDING) room = CN_BATCH_PADDING;
        if (room < PADDING_SMALL) room = PADDING_SMALL;
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

/** Appends RTP padding (RFC 3550 §5.1) so that the packet has `len` bytes; a packet that has padding already stays. */
static void pad_rtp(uint8_t *bytes, packet *pkt, size_t len)
{
    size_t add = len - pkt->n;
    memset(bytes + pkt->n, 0, add);
    bytes[len - 1] = (uint8_t)add;
    bytes[0] |= 0x20;
    pkt->n = (uint16_t)len;
}

static void message_begin(cn_batch *batch, const cn_batch_queue *queue)
{
    struct msghdr *hdr = &batch->messages[batch->messages_n].msg_hdr;
    memset(hdr, 0, sizeof *hdr);
    hdr->msg_name = (void *)(uintptr_t)&queue->to->any; /* the kernel only reads it */
    hdr->msg_namelen = cn_sockaddr_len(queue->to);
    hdr->msg_iov = &batch->iov[batch->iov_n];
}

static void message_add(cn_batch *batch, uint16_t index)
{
    struct iovec *iov = &batch->iov[batch->iov_n++];
    iov->iov_base = batch->arena + batch->packets[index].at;
    iov->iov_len = batch->packets[index].n;
    batch->messages[batch->messages_n].msg_hdr.msg_iovlen++;
}

/** The segment size goes last, so that send_apart can leave it away. */
static void message_end(cn_batch *batch, const cn_batch_queue *queue, size_t segment)
{
    struct msghdr *hdr = &batch->messages[batch->messages_n].msg_hdr;
    if (!hdr->msg_iovlen) return;
    uint8_t *control = batch->control[batch->messages_n].bytes;
    size_t at = queue->from ? cn_local_put(queue->from, control) : 0;
    if (hdr->msg_iovlen > 1) {
        struct cmsghdr *c = (struct cmsghdr *)(void *)(control + at);
        at += CMSG_SPACE(sizeof(uint16_t));
        c->cmsg_level = SOL_UDP;
        c->cmsg_type = UDP_SEGMENT;
        c->cmsg_len = CMSG_LEN(sizeof(uint16_t));
        uint16_t value = (uint16_t)segment;
        memcpy(CMSG_DATA(c), &value, sizeof value);
    }
    if (at) hdr->msg_control = control;
    hdr->msg_controllen = at;
    batch->messages_n++;
}

static bool protect(cn_batch *batch, const cn_batch_queue *queue, uint16_t index, cn_port_totals *totals)
{
    packet *pkt = &batch->packets[index];
    size_t n = pkt->n;
    cn_err err = pkt->rtcp ? cn_srtp_protect_rtcp(queue->srtp, batch->arena + batch->packets[index].at, &n)
                           : cn_srtp_protect_rtp(queue->srtp, batch->arena + batch->packets[index].at, &n);
    if (err) totals->protect_failed++;
    pkt->n = (uint16_t)n;
    return !err;
}

/** One run of a queue: pads, protects, and makes one message, or several when a packet drops out or GSO is off. */
static void run_build(cn_batch *batch, const cn_batch_queue *queue, const uint16_t order[], size_t count,
                      size_t segment, cn_port_totals *totals)
{
    size_t tag = cn_srtp_tag(queue->srtp);
    message_begin(batch, queue);
    for (size_t i = 0; i < count; i++) {
        packet *pkt = &batch->packets[order[i]];
        bool last = i + 1 == count;
        if (!last && !pkt->rtcp && pkt->n + tag < segment) pad_rtp(batch->arena + pkt->at, pkt, segment - tag);
        if (protect(batch, queue, order[i], totals)) message_add(batch, order[i]);
    }
    message_end(batch, queue, segment);
}

/* Four receivers at four stages: what protecting the next one's first packet touches, the context of the second, the
 * pointer to it of the third, and the fourth itself. Each stage reads only what an earlier one has brought. */
static void keys_prefetch(const cn_batch *batch, const cn_batch_queue *queue)
{
    const cn_batch_queue *at[4] = {queue->next_queue};
    for (size_t i = 1; i < 4 && at[i - 1]; i++) at[i] = at[i - 1]->next_queue;
    if (at[0] && at[0]->srtp)
        cn_srtp_prefetch_stream(at[0]->srtp, cn_be32(batch->arena + batch->packets[at[0]->first].at + 8));
    if (at[1] && at[1]->srtp) cn_srtp_prefetch_context(at[1]->srtp);
    if (at[2] && at[2]->srtp) cn_srtp_prefetch(at[2]->srtp);
    if (at[3]) cn_prefetch(at[3], sizeof *at[3]);
}

static void queue_build(cn_batch *batch, const cn_batch_queue *queue, cn_port_totals *totals)
{
    uint16_t order[CN_BATCH_PACKETS], sizes[CN_BATCH_PACKETS];
    bool rigid[CN_BATCH_PACKETS];
    size_t n = 0, tag = cn_srtp_tag(queue->srtp);
    for (uint16_t i = queue->first; i != NONE; i = batch->packets[i].next) {
        order[n] = i;
        sizes[n] = (uint16_t)(batch->packets[i].n + tag + (batch->packets[i].rtcp ? 4 : 0));
        /* a packet with padding of its own would need its count rewritten: it stays as it is */
        rigid[n] = batch->packets[i].rtcp || (batch->arena[batch->packets[i].at] & 0x20);
        n++;
    }
    for (size_t at = 0; at < n;) {
        size_t segment = sizes[at], run = batch->gso ? cn_batch_run(sizes + at, rigid + at, n - at, &segment) : 1;
        run_build(batch, queue, order + at, run, segment, totals);
        at += run;
    }
}

/** A GSO message whose segments leave one by one. */
static void send_apart(int fd, const struct msghdr *gso, cn_port_totals *totals)
{
    struct msghdr hdr = *gso;
    hdr.msg_controllen -= CMSG_SPACE(sizeof(uint16_t));
    if (!hdr.msg_controllen) hdr.msg_control = NULL;
    for (size_t i = 0; i < gso->msg_iovlen; i++) {
        hdr.msg_iov = &gso->msg_iov[i];
        hdr.msg_iovlen = 1;
        totals->send_calls++;
        ssize_t sent = sendmsg(fd, &hdr, 0);
        if (sent < 0) {
            totals->send_failed++;
        } else {
            totals->datagrams_out++;
            totals->messages++;
            totals->bytes_out += (uint64_t)sent;
        }
    }
}

static void count_sent(const struct mmsghdr *hdrs, size_t count, cn_port_totals *totals)
{
    for (size_t i = 0; i < count; i++) {
        totals->datagrams_out += hdrs[i].msg_hdr.msg_iovlen;
        totals->bytes_out += hdrs[i].msg_len;
        if (hdrs[i].msg_hdr.msg_iovlen < 2) continue;
        totals->gso_sends++;
        totals->gso_datagrams += hdrs[i].msg_hdr.msg_iovlen;
    }
    totals->messages += count;
}

/** What to do about the message that the kernel refused: true when the rest of the batch is lost as well. */
static bool refused(cn_batch *batch, int fd, const struct mmsghdr *hdrs, int error, cn_port_totals *totals)
{
    if (hdrs->msg_hdr.msg_iovlen > 1 && error != EAGAIN && error != ENOBUFS) {
        /* EIO: the device cannot checksum segments. Everything else (EINVAL, EMSGSIZE: a small path MTU) may be this
           destination only. */
        if (error == EIO && batch->gso) {
            batch->gso = false;
            cn_warn("media.send", "the network device refuses UDP segmentation: sending packets one by one");
        }
        send_apart(fd, &hdrs->msg_hdr, totals);
        return false;
    }
    totals->send_failed += hdrs->msg_hdr.msg_iovlen;
    return error == EAGAIN || error == ENOBUFS;
}

static void messages_send(cn_batch *batch, int fd, cn_port_totals *totals)
{
    size_t at = 0;
    while (at < batch->messages_n) {
        totals->send_calls++;
        int sent = sendmmsg(fd, batch->messages + at, (unsigned)(batch->messages_n - at), MSG_DONTWAIT);
        if (sent > 0) {
            count_sent(batch->messages + at, (size_t)sent, totals);
            at += (size_t)sent;
            continue;
        }
        int error = errno;
        if (error == EINTR) continue;
        bool lost = refused(batch, fd, &batch->messages[at++], error, totals);
        while (lost && at < batch->messages_n) totals->send_failed += batch->messages[at++].msg_hdr.msg_iovlen;
    }
    batch->messages_n = batch->iov_n = 0;
}

/** Protects a queue's packets and hands them to its stream: no padding, since nothing is segmented. */
static void stream_send(cn_batch *batch, const cn_batch_queue *queue, cn_port_totals *totals)
{
    batch->iov_n = 0;
    for (uint16_t i = queue->first; i != NONE; i = batch->packets[i].next) {
        if (!protect(batch, queue, i, totals)) continue;
        batch->iov[batch->iov_n++] = (struct iovec){batch->arena + batch->packets[i].at, batch->packets[i].n};
    }
    queue->stream(queue->stream_arg, batch->iov, batch->iov_n);
    batch->iov_n = 0;
}

static void streams_send(cn_batch *batch, cn_port_totals *totals)
{
    for (const cn_batch_queue *queue = batch->first; queue; queue = queue->next_queue) {
        if (queue->stream && queue->srtp) stream_send(batch, queue, totals);
    }
    batch->streams = false;
}

void cn_batch_flush(cn_batch *batch, const int fds[], size_t fds_n, cn_port_totals *totals)
{
    if (!batch->n) return;
    for (size_t s = 0; s < fds_n; s++) {
        for (const cn_batch_queue *queue = batch->first; queue; queue = queue->next_queue) {
            keys_prefetch(batch, queue);
            if (queue->sock == s && queue->srtp && !queue->stream) queue_build(batch, queue, totals);
        }
        if (batch->messages_n) messages_send(batch, fds[s], totals);
    }
    if (batch->streams) streams_send(batch, totals);
    while (batch->first) {
        cn_batch_queue *queue = batch->first;
        batch->first = queue->next_queue;
        queue->next_queue = NULL;
        queue->listed = false;
        queue->count = 0;
    }
    batch->last = NULL;
    batch->n = batch->bytes = 0;
}

void cn_batch_free(cn_batch *batch)
{
    free(batch);
}
