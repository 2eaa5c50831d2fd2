#include "viewer/dicom/reader.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "viewer/zygote.h"

#define LONGEST_MS 600000 /* of a file that is written, as long as it goes on */

struct cn_dicom_readers {
    cn_zygote zygote;
    unsigned limit;
    atomic_uint open;
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

static cn_err take_index(const void *bytes, size_t len, uint64_t file_bytes, cn_dicom_index *out)
{
    cn_dicom_head head;
    const uint8_t *spans = NULL;
    const char *json = NULL;
    if (!cn_dicom_head_read(bytes, len, file_bytes, &head, &spans, &json)) return CN_ERR_CRASHED;
    memset(out, 0, sizeof(*out));
    memcpy(out->study, head.study, sizeof(out->study));
    memcpy(out->series, head.series, sizeof(out->series));
    memcpy(out->instance, head.instance, sizeof(out->instance));
    memcpy(out->sop_class, head.sop_class, sizeof(out->sop_class));
    memcpy(out->syntax, head.syntax, sizeof(out->syntax));
    memcpy(out->photometric, head.photometric, sizeof(out->photometric));
    memcpy(out->plain_photometric, head.plain_photometric, sizeof(out->plain_photometric));
    memcpy(out->note, head.note, sizeof(out->note));
    out->rows = head.rows;
    out->columns = head.columns;
    out->frames = head.frames;
    out->samples = head.samples;
    out->bits_allocated = head.bits_allocated;
    out->bits_stored = head.bits_stored;
    out->as_stored = head.as_stored;
    out->pixel_offset = head.pixel_offset;
    out->pixel_length = head.pixel_length;
    json_error_t error;
    out->tags = json_loadb(json, head.json, JSON_ALLOW_NUL, &error);
    if (head.spans) out->frame = cn_memdup(spans, head.spans * sizeof(*out->frame));
    bool good = json_is_object(out->tags);
    if (good && (!head.spans || out->frame)) return CN_OK;
    cn_dicom_index_clear(out);
    return good ? CN_ERR_NOMEM : CN_ERR_CRASHED;
}

cn_err cn_dicom_reader_index(cn_dicom_reader *reader, int fd, cn_dicom_index *out, char *why, size_t why_size)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) return CN_ERR_INVALID;
    const cn_dicom_ask ask = {.op = CN_DICOM_INDEX};
    CN_AUTO_FREE void *bytes = NULL;
    size_t len = 0;
    CN_TRY(ask_worker(reader, &ask, &fd, 1, &bytes, &len, why, why_size));
    cn_err err = take_index(bytes, len, (uint64_t)st.st_size, out);
    if (err == CN_OK) return CN_OK;
    cn_warn("viewer.dicom", "a worker's answer makes no sense: it is ended");
    cn_forked_end(&reader->readers->zygote, &reader->worker);
    if (why) cn_fmt(why, why_size, "The program that reads files gave an answer that makes no sense.");
    return err;
}

void cn_dicom_index_clear(cn_dicom_index *index)
{
    json_decref(index->tags);
    free(index->frame);
    memset(index, 0, sizeof(*index));
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

cn_err cn_dicom_reader_open(cn_dicom_readers *readers, cn_dicom_reader **out)
{
    if (atomic_fetch_add(&readers->open, 1) >= readers->limit) {
        atomic_fetch_sub(&readers->open, 1);
        return CN_ERR_AGAIN;
    }
    cn_dicom_reader *reader = CN_NEW(cn_dicom_reader);
    if (!reader) {
        atomic_fetch_sub(&readers->open, 1);
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
    atomic_fetch_sub(&reader->readers->open, 1);
    free(reader);
}

cn_err cn_dicom_readers_new(cn_dicom_readers **out, const char *program, unsigned limit)
{
    cn_dicom_readers *readers = CN_NEW(cn_dicom_readers);
    if (!readers) return CN_ERR_NOMEM;
    readers->limit = limit;
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
    free(readers);
}
