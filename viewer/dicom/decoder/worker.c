#include "viewer/dicom/decoder/worker.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
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
#define ALIVE_MS 1000
#define WRITES ((size_t)16 << 30) /* bytes of a file that is made at most */

static int reply(int sock, cn_err err, size_t len)
{
    cn_dicom_answer answer = {.err = cn_decode_err((int32_t)err), .n = (uint32_t)len};
    ssize_t sent;
    do sent = send(sock, &answer, sizeof(answer), MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent == sizeof(answer) ? 0 : -1;
}

typedef struct pulse {
    int sock;
    uint64_t last_ms;
} pulse;

/* Once a second at most: a long file is being written. */
static void tell_alive(void *user)
{
    pulse *of = user;
    const cn_dicom_answer going_on = {.more = 1};
    uint64_t now_ms = cn_mono_ms();
    if (now_ms - of->last_ms < ALIVE_MS) return;
    of->last_ms = now_ms;
    if (send(of->sock, &going_on, sizeof(going_on), MSG_NOSIGNAL) != sizeof(going_on)) _exit(1); /* nobody waits */
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

typedef struct dicom_question {
    cn_dicom_ask ask;
    int sock;
    int fds[FDS]; /* the file, and where to */
    void *shared;
    size_t n; /* bytes of the answer there */
    char why[CN_DICOM_WHY];
} dicom_question;

/* About pixels. */
static cn_err answer_opened(dicom_question *of, cn_opened *file)
{
    switch (of->ask.op) {
    case CN_DICOM_FRAME:
        CN_TRY(cn_pixels_frame(file, of->ask.frame, of->shared));
        of->n = cn_pixels_bytes(file);
        return CN_OK;
    case CN_DICOM_STORED: return cn_pixels_stored(file, of->ask.frame, of->shared, CN_DICOM_SHARED, &of->n);
    case CN_DICOM_PLAIN: return cn_rewrite_file(file, &(cn_rewriting){.decode = true}, of->fds[1]);
    case CN_DICOM_DEID: return cn_deid_file(file, &of->ask, of->fds[1]);
    case CN_DICOM_RENDER: return cn_render_jpeg(file, &of->ask, of->shared, CN_DICOM_SHARED, &of->n);
    default: return CN_ERR_INVALID;
    }
}

static cn_err answer(dicom_question *of, const uint8_t *bytes, uint64_t len)
{
    if (of->ask.op == CN_DICOM_INDEX)
        return cn_dicom_index_make(bytes, len, of->shared, CN_DICOM_SHARED, &of->n, of->why);
    cn_opened file;
    pulse beat = {.sock = of->sock, .last_ms = cn_mono_ms()};
    cn_err err = cn_opened_open(&file, bytes, len);
    file.alive = tell_alive;
    file.alive_user = &beat;
    if (err == CN_OK) err = answer_opened(of, &file);
    if (err != CN_OK) cn_strcpy(of->why, sizeof(of->why), file.dataset.why);
    cn_opened_close(&file);
    return err;
}

/* The file is mapped, not read: of gigabytes of pixels only what is looked at comes into memory. */
static cn_err answer_of_file(dicom_question *of)
{
    struct stat st;
    if (fstat(of->fds[0], &st) != 0 || !S_ISREG(st.st_mode)) return CN_ERR_INVALID;
    if (st.st_size == 0) {
        cn_strcpy(of->why, sizeof(of->why), "The file is empty.");
        return CN_ERR_UNSUPPORTED;
    }
    void *bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, of->fds[0], 0);
    if (bytes == MAP_FAILED) return CN_ERR_IO;
    cn_err err = answer(of, bytes, (uint64_t)st.st_size);
    munmap(bytes, (size_t)st.st_size);
    return err;
}

int cn_dicom_worker(int sock, void *shared, const char *path)
{
    (void)path;
    cn_err err = lock_in();
    if (reply(sock, err, 0) != 0 || err != CN_OK) return 1;
    for (;;) {
        dicom_question of = {.sock = sock, .fds = {-1, -1}, .shared = shared};
        int got = receive(sock, &of.ask, of.fds);
        if (got == 0) return 0;
        err = got > 0 ? answer_of_file(&of) : CN_ERR_INVALID;
        if (err != CN_OK) {
            of.n = strlen(of.why);
            memcpy(shared, of.why, of.n);
        }
        for (int i = 0; i < FDS; i++) cn_fd_close(&of.fds[i]);
        if (reply(sock, err, of.n) != 0) return 1;
    }
}
