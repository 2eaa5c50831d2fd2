/* Any bytes as what was kept of a DICOM file: refused, or an index whose parts lie in the file. With a first byte above 127 the digest is made
 * right first, so that what stands behind it is reached. */
// covers: viewer/dicom/record.c
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crypto.h"
#include "input.h"
#include "viewer/dicom/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FRONT 48
#define FILE_BYTES 100000

static void check(const cn_dicom_index *index)
{
    for (uint32_t i = 0; index->frame && i < index->frames; i++)
        must(index->frame[i].length > 0 && index->frame[i].offset < FILE_BYTES &&
             index->frame[i].length <= FILE_BYTES - index->frame[i].offset);
    must(!index->as_stored || index->frame || !index->frames);
}

/* What was read can be kept again, and is the same then. */
static void keep_again(const uint8_t *bytes, size_t len, cn_dicom_index *index)
{
    static char path[64];
    cn_dicom_index back;
    if (!*path) snprintf(path, sizeof(path), "/tmp/fuzz-record-%d", (int)getpid());
    index->packed = malloc(len);
    must(index->packed != NULL);
    memcpy(index->packed, bytes, len);
    index->packed_n = len;
    must(cn_dicom_record_save(path, index) == CN_OK);
    must(cn_dicom_record_load(path, FILE_BYTES, true, &back) == CN_OK);
    must(json_equal(back.tags, index->tags) && back.frames == index->frames);
    cn_dicom_index_clear(&back);
    unlink(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 + FRONT) return 0;
    uint8_t *bytes = malloc(size - 1);
    must(bytes != NULL);
    memcpy(bytes, data + 1, size - 1);
    if (data[0] > 127) cn_sha256(bytes + FRONT, size - 1 - FRONT, bytes + 16);
    cn_dicom_index index;
    if (cn_dicom_record_read(bytes, size - 1, FILE_BYTES, false, &index) == CN_OK) check(&index);
    cn_dicom_index_clear(&index);
    if (cn_dicom_record_read(bytes, size - 1, FILE_BYTES, true, &index) == CN_OK) {
        check(&index);
        keep_again(bytes + FRONT, size - 1 - FRONT, &index);
    }
    cn_dicom_index_clear(&index);
    free(bytes);
    return 0;
}
