#include <errno.h>
#include <stdlib.h>
#include <sys/uio.h>

#include "base/mem.h"
#include "signaling/door/parts.h"

static bool complete(const cn_http *http)
{
    return http->head_sent && http->piece_n == 0 && http->file_left == 0 &&
           (http->body_in_head || http->sent == http->bytes_n);
}

static int write_piece(cn_http *http, const void *bytes, size_t len, enum lws_write_protocol as)
{
    /* in HTTP/1.1 libwebsockets does not touch the bytes */
    return lws_write(http->wsi, (unsigned char *)(uintptr_t)bytes, len, as) < 0 ? -1 : 0;
}

static int send_bytes(cn_http *http)
{
    size_t left = http->bytes_n - http->sent, n = left < CN_SEND_PIECE ? left : CN_SEND_PIECE;
    if (write_piece(http, http->bytes + http->sent, n, LWS_WRITE_HTTP) < 0) return -1;
    http->sent += n;
    return 0;
}

static ssize_t read_piece(cn_http *http, int flags)
{
    size_t n = http->file_left < CN_SEND_PIECE ? (size_t)http->file_left : CN_SEND_PIECE;
    struct iovec to = {.iov_base = http->piece + LWS_PRE, .iov_len = n};
    ssize_t got;
    do {
        got = preadv2(http->fd, &to, 1, http->file_at, flags);
    } while (got < 0 && errno == EINTR);
    return got;
}

static void took(cn_http *http, ssize_t got)
{
    http->piece_n = got > 0 ? (size_t)got : 0;
    http->file_at += got > 0 ? got : 0;
    /* a file that became shorter cannot keep its Content-Length: the connection ends */
    http->file_left = got > 0 ? http->file_left - got : -1;
}

static void disk_back(void *exchange)
{
    cn_http *http = exchange;
    cn_door_returned(http);
    if (http->wsi) lws_callback_on_writable(http->wsi);
    cn_unref(http);
}

static void disk_read(void *exchange)
{
    cn_http *http = exchange;
    took(http, read_piece(http, 0));
    cn_door_give_back(http, disk_back);
}

/* What is in the page cache is read at once; a job waits for the disk. */
static int send_file(cn_http *http)
{
    if (!http->piece && !(http->piece = malloc(LWS_PRE + CN_SEND_PIECE))) return -1;
    if (http->piece_n == 0) {
        ssize_t got = read_piece(http, RWF_NOWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EOPNOTSUPP)) {
            if (cn_door_lend(http, disk_read) == CN_OK) return 0;
            got = read_piece(http, 0);
        }
        took(http, got);
    }
    if (http->file_left < 0) return -1;
    if (write_piece(http, http->piece + LWS_PRE, http->piece_n, LWS_WRITE_HTTP) < 0) return -1;
    http->piece_n = 0;
    return 0;
}

int cn_send_next(cn_http *http)
{
    if (!http->answered || http->working) return 0;
    if (!http->head) return -1;
    if (complete(http)) return 1; /* asked again because the library still held some of it */
    int rc;
    if (!http->head_sent) {
        rc = write_piece(http, http->head + LWS_PRE, http->head_n, LWS_WRITE_HTTP_HEADERS);
        http->head_sent = true;
    } else {
        rc = http->fd >= 0 ? send_file(http) : send_bytes(http);
    }
    if (rc < 0) return -1;
    if (http->working) return 0;
    if (complete(http)) return 1;
    lws_callback_on_writable(http->wsi);
    return 0;
}
