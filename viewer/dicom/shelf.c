#include "viewer/dicom/shelf.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

#define PLACES 1024                   /* by hash; whoever wants a taken one has it */
#define BYTES_MOST ((size_t)64 << 20) /* of frame tables; beyond, all make room */

struct cn_dicom_shelf {
    cn_files *files;
    cn_dicom_readers *readers;
    pthread_mutex_t lock;
    cn_dicom_opened *place[PLACES];
    size_t bytes;
};

static void opened_destroy(void *object)
{
    cn_dicom_opened *one = object;
    cn_fd_close(&one->fd);
    cn_dicom_index_clear(&one->index);
}

/* ---- one instance ---- */

static cn_err open_object(const cn_dicom_shelf *shelf, const char *sha256, int *fd, uint64_t *bytes)
{
    char path[4096];
    struct stat st;
    CN_TRY(cn_files_path(shelf->files, sha256, path, sizeof(path)));
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (*fd < 0 || fstat(*fd, &st) != 0) return cn_err_from_errno(errno);
    *bytes = (uint64_t)st.st_size;
    return CN_OK;
}

void cn_dicom_shelf_keep(const cn_dicom_shelf *shelf, const char *sha256, const cn_dicom_index *index)
{
    char record[4096];
    cn_err err = cn_files_index_path(shelf->files, sha256, record, sizeof(record));
    if (err == CN_OK) err = cn_dicom_record_save(record, index);
    if (err != CN_OK)
        cn_warn("viewer.dicom", "what an image holds cannot be kept and will be read again: %s", cn_err_text(err));
}

static cn_err ask(const cn_dicom_shelf *shelf, const char *sha256, int fd, cn_dicom_index *out, char *why,
                  size_t why_size)
{
    cn_dicom_reader *reader = NULL;
    CN_TRY(cn_dicom_reader_open(shelf->readers, &reader));
    cn_err err = cn_dicom_reader_index(reader, fd, out, why, why_size);
    cn_dicom_reader_close(reader);
    if (err == CN_OK) cn_dicom_shelf_keep(shelf, sha256, out);
    return err;
}

static cn_err look(const cn_dicom_shelf *shelf, const char *sha256, int fd, uint64_t file_bytes, bool tags,
                   cn_dicom_index *out, char *why, size_t why_size)
{
    char record[4096];
    CN_TRY(cn_files_index_path(shelf->files, sha256, record, sizeof(record)));
    if (cn_dicom_record_load(record, file_bytes, tags, out) == CN_OK) return CN_OK;
    return ask(shelf, sha256, fd, out, why, why_size);
}

cn_err cn_dicom_shelf_tags(cn_dicom_shelf *shelf, const char *sha256, cn_dicom_index *out, char *why, size_t why_size)
{
    CN_AUTO_CLOSE int fd = -1;
    uint64_t bytes;
    CN_TRY(open_object(shelf, sha256, &fd, &bytes));
    return look(shelf, sha256, fd, bytes, true, out, why, why_size);
}

static cn_err opened_new(const cn_dicom_shelf *shelf, const char *sha256, cn_dicom_opened **out, char *why,
                         size_t why_size)
{
    CN_AUTO_UNREF cn_dicom_opened *one = cn_ref_new(sizeof(*one), opened_destroy);
    if (!one) return CN_ERR_NOMEM;
    one->fd = -1;
    if (!cn_strcpy(one->sha256, sizeof(one->sha256), sha256)) return CN_ERR_INVALID;
    CN_TRY(open_object(shelf, sha256, &one->fd, &one->file_bytes));
    CN_TRY(look(shelf, sha256, one->fd, one->file_bytes, false, &one->index, why, why_size));
    json_decref(one->index.tags);
    free(one->index.packed);
    one->index.tags = NULL;
    one->index.packed = NULL;
    *out = one;
    one = NULL;
    return CN_OK;
}

/* ---- the shelf ---- */

static size_t place_of(const char *sha256)
{
    return cn_hash(sha256) % PLACES;
}

static size_t bytes_of(const cn_dicom_opened *one)
{
    return one && one->index.frame ? one->index.frames * sizeof(*one->index.frame) : 0;
}

static void drop_locked(cn_dicom_shelf *shelf, size_t place)
{
    shelf->bytes -= bytes_of(shelf->place[place]);
    shelf->place[place] = cn_unref(shelf->place[place]);
}

static void put(cn_dicom_shelf *shelf, cn_dicom_opened *one)
{
    size_t place = place_of(one->sha256), bytes = bytes_of(one);
    pthread_mutex_lock(&shelf->lock);
    drop_locked(shelf, place);
    for (size_t i = 0; shelf->bytes + bytes > BYTES_MOST && i < PLACES; i++) drop_locked(shelf, i);
    shelf->place[place] = cn_ref(one);
    shelf->bytes += bytes;
    pthread_mutex_unlock(&shelf->lock);
}

cn_dicom_opened *cn_dicom_shelf_find(cn_dicom_shelf *shelf, const char *sha256)
{
    pthread_mutex_lock(&shelf->lock);
    cn_dicom_opened *one = shelf->place[place_of(sha256)];
    one = one && strcmp(one->sha256, sha256) == 0 ? cn_ref(one) : NULL;
    pthread_mutex_unlock(&shelf->lock);
    return one;
}

cn_err cn_dicom_shelf_open(cn_dicom_shelf *shelf, const char *sha256, cn_dicom_opened **out, char *why, size_t why_size)
{
    *out = cn_dicom_shelf_find(shelf, sha256);
    if (*out) return CN_OK;
    CN_TRY(opened_new(shelf, sha256, out, why, why_size));
    put(shelf, *out);
    return CN_OK;
}

cn_err cn_dicom_shelf_new(cn_dicom_shelf **out, cn_files *files, cn_dicom_readers *readers)
{
    cn_dicom_shelf *shelf = CN_NEW(cn_dicom_shelf);
    if (!shelf) return CN_ERR_NOMEM;
    shelf->files = files;
    shelf->readers = readers;
    pthread_mutex_init(&shelf->lock, NULL);
    *out = shelf;
    return CN_OK;
}

void cn_dicom_shelf_free(cn_dicom_shelf *shelf)
{
    if (!shelf) return;
    for (size_t i = 0; i < PLACES; i++) cn_unref(shelf->place[i]);
    pthread_mutex_destroy(&shelf->lock);
    free(shelf);
}
