#include "viewer/dicom/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"

/* Raised when what a worker tells of the same file changes. */
#define EDITION 1
#define RECORD_MAX (CN_DICOM_SHARED + sizeof(front))

/* What stands before the worker's answer in the file. */
typedef struct front {
    char magic[8];
    uint32_t edition, head_bytes;
    uint8_t sha256[CN_SHA256_LEN]; /* of the answer */
} front;

static const char magic[8] = {'C', 'N', 'D', 'I', 'C', 'O', 'M', 'X'};

static void copy_head(const cn_dicom_head *head, cn_dicom_index *out)
{
    memcpy(out->study, head->study, sizeof(out->study));
    memcpy(out->series, head->series, sizeof(out->series));
    memcpy(out->instance, head->instance, sizeof(out->instance));
    memcpy(out->sop_class, head->sop_class, sizeof(out->sop_class));
    memcpy(out->syntax, head->syntax, sizeof(out->syntax));
    memcpy(out->photometric, head->photometric, sizeof(out->photometric));
    memcpy(out->plain_photometric, head->plain_photometric, sizeof(out->plain_photometric));
    memcpy(out->note, head->note, sizeof(out->note));
    out->rows = head->rows;
    out->columns = head->columns;
    out->frames = head->frames;
    out->samples = head->samples;
    out->bits_allocated = head->bits_allocated;
    out->bits_stored = head->bits_stored;
    out->as_stored = head->as_stored;
    out->pixel_offset = head->pixel_offset;
    out->pixel_length = head->pixel_length;
}

cn_err cn_dicom_index_read(const void *bytes, size_t len, uint64_t file_bytes, bool tags, cn_dicom_index *out)
{
    cn_dicom_head head;
    const uint8_t *spans = NULL;
    const char *json = NULL;
    json_error_t error;
    memset(out, 0, sizeof(*out));
    if (!cn_dicom_head_read(bytes, len, file_bytes, &head, &spans, &json)) return CN_ERR_CORRUPT;
    copy_head(&head, out);
    if (tags) out->tags = json_loadb(json, head.json, JSON_ALLOW_NUL, &error);
    if (head.spans) out->frame = cn_memdup(spans, head.spans * sizeof(*out->frame));
    bool good = !tags || json_is_object(out->tags);
    if (good && (!head.spans || out->frame)) return CN_OK;
    cn_dicom_index_clear(out);
    return good ? CN_ERR_NOMEM : CN_ERR_CORRUPT;
}

void cn_dicom_index_clear(cn_dicom_index *index)
{
    json_decref(index->tags);
    free(index->frame);
    free(index->packed);
    memset(index, 0, sizeof(*index));
}

/* ---- kept ---- */

static void front_of(const void *answer, size_t len, front *out)
{
    memset(out, 0, sizeof(*out));
    memcpy(out->magic, magic, sizeof(out->magic));
    out->edition = EDITION;
    out->head_bytes = sizeof(cn_dicom_head);
    cn_sha256(answer, len, out->sha256);
}

cn_err cn_dicom_record_read(const void *bytes, size_t len, uint64_t file_bytes, bool tags, cn_dicom_index *out)
{
    front wanted;
    memset(out, 0, sizeof(*out));
    if (len < sizeof(wanted)) return CN_ERR_CORRUPT;
    const uint8_t *answer = (const uint8_t *)bytes + sizeof(wanted);
    front_of(answer, len - sizeof(wanted), &wanted);
    if (memcmp(bytes, &wanted, sizeof(wanted)) != 0) return CN_ERR_CORRUPT;
    return cn_dicom_index_read(answer, len - sizeof(wanted), file_bytes, tags, out);
}

cn_err cn_dicom_record_load(const char *path, uint64_t file_bytes, bool tags, cn_dicom_index *out)
{
    CN_AUTO_FREE char *bytes = NULL;
    size_t len = 0;
    CN_TRY(cn_file_read(path, RECORD_MAX, &bytes, &len));
    return cn_dicom_record_read(bytes, len, file_bytes, tags, out);
}

static cn_err write_record(const char *path, const cn_dicom_index *index)
{
    front first;
    CN_AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return cn_err_from_errno(errno);
    front_of(index->packed, index->packed_n, &first);
    CN_TRY(cn_write_all(fd, &first, sizeof(first)));
    return cn_write_all(fd, index->packed, index->packed_n);
}

cn_err cn_dicom_record_save(const char *path, const cn_dicom_index *index)
{
    char own[4200], id[CN_ID_TEXT];
    if (!index->packed) return CN_ERR_INVALID;
    cn_id_new(id);
    if (!cn_fmt(own, sizeof(own), "%s.%s", path, id)) return CN_ERR_TOOBIG;
    cn_err err = write_record(own, index);
    if (err == CN_OK && rename(own, path) != 0) err = cn_err_from_errno(errno);
    if (err != CN_OK) unlink(own);
    return err;
}
