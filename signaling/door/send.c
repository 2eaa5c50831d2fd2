#include <errno.h>
#include <stdlib.h>
#include <sys/uio.h>

#include "base/mem.h"
#include "signaling/door/exchange.h"

static bool complete(const cn_http *h)
{
    return h->head_sent && h->piece_n == 0 && h->file_left == 0 && (h->body_in_head || h->sent == h->bytes_n);
}

static int write_piece(cn_http *h, const void *p, size_t n, enum lws_write_protocol as)
{
    /* in HTTP/1.1 libwebsockets does not touch the bytes */
    return lws_write(h->wsi, (unsigned char *)(uintptr_t)p, n, as) < 0 ? -1 : 0;
}

static int send_bytes(cn_http *h)
{
    size_t left = h->bytes_n - h->sent, n = left < CN_SEND_PIECE ? left : CN_SEND_PIECE;
    if (write_piece(h, h->bytes + h->sent, n, LWS_WRITE_HTTP) < 0) return -1;
    h->sent += n;
    return 0;
}

static ssize_t read_piece(cn_http *h, int flags)
{
    size_t n = h->file_left < CN_SEND_PIECE ? (size_t)h->file_left : CN_SEND_PIECE;
    struct iovec to = {.iov_base = h->piece + LWS_PRE, .iov_len = n};
    ssize_t got;
    do {
        got = preadv2(h->fd, &to, 1, h->file_at, flags);
    } while (got < 0 && errno == EINTR);
    return got;
}

static void took(cn_http *h, ssize_t got)
{
    h->piece_n = got > 0 ? (size_t)got : 0;
    h->file_at += got > 0 ? got : 0;
    /* a file that became shorter cannot keep its Content-Length: the connection ends */
    h->file_left = got > 0 ? h->file_left - got : -1;
}

static void disk_back(void *exchange)
{
    cn_http *h = exchange;
    cn_door_returned(h);
    if (h->wsi) lws_callback_on_writable(h->wsi);
    cn_unref(h);
}

static void disk_read(void *exchange)
{
    cn_http *h = exchange;
    took(h, read_piece(h, 0));
    cn_door_give_back(h, disk_back);
}

/* What is in the page cache is read at once; a job waits for the disk. */
static int send_file(cn_http *h)
{
    if (!h->piece && !(h->piece = malloc(LWS_PRE + CN_SEND_PIECE))) return -1;
    if (h->piece_n == 0) {
        ssize_t got = read_piece(h, RWF_NOWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EOPNOTSUPP)) {
            if (cn_door_lend(h, disk_read) == CN_OK) return 0;
            got = read_piece(h, 0);
        }
        took(h, got);
    }
    if (h->file_left < 0) return -1;
    if (write_piece(h, h->piece + LWS_PRE, h->piece_n, LWS_WRITE_HTTP) < 0) return -1;
    h->piece_n = 0;
    return 0;
}

int cn_send_next(cn_http *h)
{
    if (!h->answered || h->working) return 0;
    if (!h->head) return -1;
    int rc;
    if (!h->head_sent) {
        rc = write_piece(h, h->head + LWS_PRE, h->head_n, LWS_WRITE_HTTP_HEADERS);
        h->head_sent = true;
    } else {
        rc = h->fd >= 0 ? send_file(h) : send_bytes(h);
    }
    if (rc < 0) return -1;
    if (h->working) return 0;
    if (complete(h)) return 1;
    lws_callback_on_writable(h->wsi);
    return 0;
}
