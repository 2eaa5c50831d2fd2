#include "viewer/dicom/reader.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/cond.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "viewer/zygote.h"

#define PLACE_MS 5000     /* for which somebody waits until a reader is free */
#define LONGEST_MS 600000 /* of a file that is written, as long as it goes on */

struct cn_dicom_readers {
    cn_zygote zygote;
    unsigned limit;
    pthread_mutex_t lock;
    pthread_cond_t left; /* somebody closed one */
    unsigned open;       /* under the lock */
};

struct cn_dicom_reader {
    cn_dicom_readers *readers;
    cn_forked worker;
};

/* ---- asking ---- */

static void log_line(const void *user, const char *line)
{
    (void)user;
    cn_warn("viewer.dicom", "%s", line);
}

static bool send_ask(int sock, const cn_dicom_ask *ask, const int *fds, size_t n)
{
    struct iovec iov = {(void *)(uintptr_t)ask, sizeof(*ask)};
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(2 * sizeof(int))];
    } control = {0};
    struct msghdr hdr = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = CMSG_SPACE(n * sizeof(int))};
    struct cmsghdr *c = CMSG_FIRSTHDR(&hdr);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(n * sizeof(int));
    memcpy(CMSG_DATA(c), fds, n * sizeof(int));
    ssize_t sent;
    do sent = sendmsg(sock, &hdr, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    return sent == sizeof(*ask);
}

static cn_err receive(cn_dicom_reader *reader, cn_dicom_answer *answer)
{
    char bytes[sizeof(*answer) + 1];
    size_t got = 0;
    CN_TRY(cn_forked_receive(&reader->worker, bytes, sizeof(bytes), &got));
    return cn_dicom_answer_read(bytes, got, answer) ? CN_OK : CN_ERR_CRASHED;
}

static cn_err start(cn_dicom_reader *reader)
{
    cn_dicom_answer first = {0};
    CN_TRY(cn_forked_open(&reader->readers->zygote, "/", &reader->worker));
    CN_TRY(receive(reader, &first));
    return (cn_err)first.err;
}

/* What the worker itself answered, `*told` then; otherwise what became of it. */
static cn_err exchange(cn_dicom_reader *reader, const cn_dicom_ask *ask, const int *fds, size_t n, void **bytes,
                       size_t *len, bool *told)
{
    cn_dicom_answer answer = {0};
    if (reader->worker.sock < 0) CN_TRY(start(reader));
    if (!send_ask(reader->worker.sock, ask, fds, n)) return CN_ERR_CRASHED;
    uint64_t end_ms = cn_mono_ms() + LONGEST_MS;
    do CN_TRY(receive(reader, &answer));
    while (answer.more && cn_mono_ms() < end_ms);
    if (answer.more) return CN_ERR_TIMEOUT;
    CN_TRY(cn_forked_take(&reader->readers->zygote, &reader->worker, answer.n, bytes));
    *len = answer.n;
    *told = true;
    return (cn_err)answer.err;
}

/* Asks; with an error that the worker told, its sentence goes to `why`. A worker of which nothing more is to be expected is ended. */
static cn_err ask_worker(cn_dicom_reader *reader, const cn_dicom_ask *ask, const int *fds, size_t n, void **bytes,
                         size_t *len, char *why, size_t why_size)
{
    bool told = false;
    CN_AUTO_FREE void *answer = NULL;
    cn_err err = exchange(reader, ask, fds, n, &answer, len, &told);
    cn_forked_said(&reader->worker, log_line, NULL);
    if (!told) {
        cn_forked_end(&reader->readers->zygote, &reader->worker);
        if (why)
            cn_fmt(why, why_size, "%s",
                   err == CN_ERR_TIMEOUT ? "Reading this file took too long."
                                         : "The program that reads files ended over this one.");
        return err;
    }
    if (err != CN_OK) {
        if (why) cn_dicom_why_read(answer, *len, why, why_size);
        return err;
    }
    *bytes = answer;
    answer = NULL;
    return CN_OK;
}

/* ---- what a file holds ---- */

cn_err cn_dicom_reader_index(cn_dicom_reader *reader, int fd, cn_dicom_index *out, char *why, size_t why_size)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) return CN_ERR_INVALID;
    const cn_dicom_ask ask = {.op = CN_DICOM_INDEX};
    CN_AUTO_FREE void *bytes = NULL;
    size_t len = 0;
    CN_TRY(ask_worker(reader, &ask, &fd, 1, &bytes, &len, why, why_size));
    cn_err err = cn_dicom_index_read(bytes, len, (uint64_t)st.st_size, true, out);
    if (err == CN_OK) {
        out->packed = bytes;
        out->packed_n = len;
        bytes = NULL;
        return CN_OK;
    }
    cn_warn("viewer.dicom", "a worker's answer makes no sense: it is ended");
    cn_forked_end(&reader->readers->zygote, &reader->worker);
    if (why) cn_fmt(why, why_size, "The program that reads files gave an answer that makes no sense.");
    return err == CN_ERR_NOMEM ? err : CN_ERR_CRASHED;
}

/* ---- pixels ---- */

cn_err cn_dicom_reader_frame(cn_dicom_reader *reader, int fd, uint32_t frame, void **bytes, size_t *len, char *why,
                             size_t why_size)
{
    const cn_dicom_ask ask = {.op = CN_DICOM_FRAME, .frame = frame};
    return ask_worker(reader, &ask, &fd, 1, bytes, len, why, why_size);
}

cn_err cn_dicom_reader_stored(cn_dicom_reader *reader, int fd, uint32_t frame, void **bytes, size_t *len, char *why,
                              size_t why_size)
{
    const cn_dicom_ask ask = {.op = CN_DICOM_STORED, .frame = frame};
    return ask_worker(reader, &ask, &fd, 1, bytes, len, why, why_size);
}

cn_err cn_dicom_reader_plain(cn_dicom_reader *reader, int fd, int out_fd, char *why, size_t why_size)
{
    const cn_dicom_ask ask = {.op = CN_DICOM_PLAIN};
    const int fds[] = {fd, out_fd};
    CN_AUTO_FREE void *nothing = NULL;
    size_t len = 0;
    return ask_worker(reader, &ask, fds, 2, &nothing, &len, why, why_size);
}

cn_err cn_dicom_reader_render(cn_dicom_reader *reader, int fd, const cn_dicom_view *view, void **jpeg, size_t *len,
                              char *why, size_t why_size)
{
    const cn_dicom_ask ask = {.op = CN_DICOM_RENDER,
                              .frame = view->frame,
                              .size = view->size,
                              .quality = view->quality,
                              .windowed = view->windowed,
                              .center = view->center,
                              .width = view->width};
    void *bytes = NULL;
    CN_TRY(ask_worker(reader, &ask, &fd, 1, &bytes, len, why, why_size));
    if (cn_decode_is_jpeg(bytes, *len)) {
        *jpeg = bytes;
        return CN_OK;
    }
    free(bytes);
    cn_warn("viewer.dicom", "a worker's answer is no JPEG: it is ended");
    cn_forked_end(&reader->readers->zygote, &reader->worker);
    return CN_ERR_CRASHED;
}

cn_err cn_dicom_reader_deidentify(cn_dicom_reader *reader, int fd, const cn_dicom_deid *how, int out_fd, char *why,
                                  size_t why_size)
{
    cn_dicom_ask ask = {.op = CN_DICOM_DEID, .boxes = (uint32_t)how->boxes};
    const int fds[] = {fd, out_fd};
    CN_AUTO_FREE void *nothing = NULL;
    size_t len = 0;
    if (how->boxes > CN_DICOM_BOXES) return CN_ERR_TOOBIG;
    memcpy(ask.key, how->key, sizeof(ask.key));
    if (how->boxes) memcpy(ask.box, how->box, how->boxes * sizeof(*how->box));
    cn_err err = ask_worker(reader, &ask, fds, 2, &nothing, &len, why, why_size);
    OPENSSL_cleanse(ask.key, sizeof(ask.key));
    return err;
}

/* ---- the whole ---- */

static cn_err take_place(cn_dicom_readers *readers)
{
    const uint64_t end_ns = cn_mono_ns() + PLACE_MS * UINT64_C(1000000);
    pthread_mutex_lock(&readers->lock);
    while (readers->open >= readers->limit && cn_cond_wait_until(&readers->left, &readers->lock, end_ns)) {
    }
    bool free_one = readers->open < readers->limit;
    if (free_one) readers->open++;
    pthread_mutex_unlock(&readers->lock);
    return free_one ? CN_OK : CN_ERR_AGAIN;
}

static void leave_place(cn_dicom_readers *readers)
{
    pthread_mutex_lock(&readers->lock);
    readers->open--;
    pthread_cond_signal(&readers->left);
    pthread_mutex_unlock(&readers->lock);
}

cn_err cn_dicom_reader_open(cn_dicom_readers *readers, cn_dicom_reader **out)
{
    CN_TRY(take_place(readers));
    cn_dicom_reader *reader = CN_NEW(cn_dicom_reader);
    if (!reader) {
        leave_place(readers);
        return CN_ERR_NOMEM;
    }
    reader->readers = readers;
    reader->worker = CN_FORKED_NONE;
    *out = reader;
    return CN_OK;
}

void cn_dicom_reader_close(cn_dicom_reader *reader)
{
    if (!reader) return;
    cn_forked_end(&reader->readers->zygote, &reader->worker);
    leave_place(reader->readers);
    free(reader);
}

cn_err cn_dicom_readers_new(cn_dicom_readers **out, const char *program, unsigned limit)
{
    cn_dicom_readers *readers = CN_NEW(cn_dicom_readers);
    if (!readers) return CN_ERR_NOMEM;
    readers->limit = limit;
    pthread_mutex_init(&readers->lock, NULL);
    cn_cond_init(&readers->left);
    cn_err err = cn_zygote_start(&readers->zygote, program, CN_DICOM_SHARED);
    if (err != CN_OK) {
        cn_dicom_readers_free(readers);
        return err;
    }
    *out = readers;
    return CN_OK;
}

void cn_dicom_readers_free(cn_dicom_readers *readers)
{
    if (!readers) return;
    cn_zygote_stop(&readers->zygote);
    pthread_cond_destroy(&readers->left);
    pthread_mutex_destroy(&readers->lock);
    free(readers);
}
