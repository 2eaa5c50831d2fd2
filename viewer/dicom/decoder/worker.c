#include "viewer/dicom/decoder/worker.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/child.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "viewer/decode_proto.h"
#include "viewer/dicom/decoder/deid.h"
#include "viewer/dicom/decoder/index.h"
#include "viewer/dicom/decoder/pixels.h"
#include "viewer/dicom/decoder/render.h"
#include "viewer/dicom/decoder/rewrite.h"
#include "viewer/dicom/dicomproto.h"
#include "viewer/lock.h"

#define FDS 2
#define WRITES ((size_t)16 << 30) /* bytes of a file that is made at most */

static int reply(int sock, cn_err err, size_t len)
{
    cn_dicom_answer answer = {.err = cn_decode_err((int32_t)err), .n = (uint32_t)len};
    ssize_t sent;
    do sent = send(sock, &answer, sizeof(answer), MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent == sizeof(answer) ? 0 : -1;
}

static cn_err lock_in(void)
{
    cn_err locked = cn_decoder_lock(NULL, WRITES);
    if (locked != CN_ERR_UNSUPPORTED) return locked;
    if (!cn_child_permitted()) return CN_ERR_FORBIDDEN;
    cn_warn("viewer.dicom", "this kernel has no Landlock: the reader is not kept from files");
    return CN_OK;
}

/* ---- one question ---- */

/* The socket's end: 0 closed, -1 no question. */
static int receive(int sock, cn_dicom_ask *ask, int fds[FDS])
{
    char bytes[sizeof(*ask) + 1];
    struct iovec iov = {bytes, sizeof(bytes)};
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(FDS * sizeof(int))];
    } control;
    struct msghdr hdr = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes)};
    ssize_t got;
    do got = recvmsg(sock, &hdr, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    if (got <= 0) return 0;
    const struct cmsghdr *c = CMSG_FIRSTHDR(&hdr);
    size_t n = c && c->cmsg_type == SCM_RIGHTS ? (c->cmsg_len - CMSG_LEN(0)) / sizeof(int) : 0;
    for (size_t i = 0; i < FDS; i++)
        if (i < n) memcpy(&fds[i], CMSG_DATA(c) + i * sizeof(int), sizeof(int));
    bool whole = !(hdr.msg_flags & (MSG_TRUNC | MSG_CTRUNC));
    return whole && cn_dicom_ask_read(bytes, (size_t)got, n, ask) ? 1 : -1;
}

/* A question about pixels. */
static cn_err answer_opened(const cn_dicom_ask *ask, cn_opened *file, int out_fd, void *shared, size_t *n)
{
    switch (ask->op) {
    case CN_DICOM_FRAME:
        CN_TRY(cn_pixels_frame(file, ask->frame, shared));
        *n = cn_pixels_bytes(file);
        return CN_OK;
    case CN_DICOM_PLAIN: return cn_rewrite_file(file, &(cn_rewriting){.decode = true}, out_fd);
    case CN_DICOM_DEID: return cn_deid_file(file, ask, out_fd);
    case CN_DICOM_RENDER: return cn_render_jpeg(file, ask, shared, CN_DICOM_SHARED, n);
    default: return CN_ERR_INVALID;
    }
}

static cn_err answer(const cn_dicom_ask *ask, const uint8_t *bytes, uint64_t len, int out_fd, void *shared, size_t *n,
                     char *why)
{
    if (ask->op == CN_DICOM_INDEX) return cn_dicom_index_make(bytes, len, shared, CN_DICOM_SHARED, n, why);
    cn_opened file;
    cn_err err = cn_opened_open(&file, bytes, len);
    if (err == CN_OK) err = answer_opened(ask, &file, out_fd, shared, n);
    if (err != CN_OK) cn_strcpy(why, CN_DICOM_WHY, file.dataset.why);
    cn_opened_close(&file);
    return err;
}

/* The file is mapped, not read: of gigabytes of pixels only what is looked at comes into memory. */
static cn_err answer_of_file(const cn_dicom_ask *ask, const int fds[FDS], void *shared, size_t *n, char *why)
{
    struct stat st;
    int fd = fds[0];
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) return CN_ERR_INVALID;
    if (st.st_size == 0) {
        cn_strcpy(why, CN_DICOM_WHY, "The file is empty.");
        return CN_ERR_UNSUPPORTED;
    }
    void *bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (bytes == MAP_FAILED) return CN_ERR_IO;
    cn_err err = answer(ask, bytes, (uint64_t)st.st_size, fds[1], shared, n, why);
    munmap(bytes, (size_t)st.st_size);
    return err;
}

int cn_dicom_worker(int sock, void *shared, const char *path)
{
    (void)path;
    cn_err err = lock_in();
    if (reply(sock, err, 0) != 0 || err != CN_OK) return 1;
    for (;;) {
        cn_dicom_ask ask;
        int fds[FDS] = {-1, -1};
        char why[CN_DICOM_WHY] = "";
        size_t n = 0;
        int got = receive(sock, &ask, fds);
        if (got == 0) return 0;
        err = got > 0 ? answer_of_file(&ask, fds, shared, &n, why) : CN_ERR_INVALID;
        if (err != CN_OK) {
            n = strlen(why);
            memcpy(shared, why, n);
        }
        for (int i = 0; i < FDS; i++) cn_fd_close(&fds[i]);
        if (reply(sock, err, n) != 0) return 1;
    }
}
