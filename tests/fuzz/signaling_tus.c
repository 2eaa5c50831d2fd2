/* Any bytes as Upload-Metadata: texts that end within their fields, are UTF-8 and hold nothing invisible. */
// covers: signaling/api/metadata.c
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "input.h"
#include "signaling/api/metadata.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void field(const char *text, size_t size)
{
    char copy[CN_FILE_NAME];
    must(memchr(text, 0, size) != NULL);
    size_t n = strlen(text);
    must(cn_utf8_valid(text, n));
    memcpy(copy, text, n + 1);
    must(cn_text_clean(copy, n, CN_TEXT_LINE) == n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cn_tus_metadata meta;
    cn_problem problem = {.err = CN_OK};
    char *text = malloc(size + 1);
    if (!text) return 0;
    if (size) memcpy(text, data, size);
    text[size] = '\0';
    cn_err err = cn_tus_metadata_read(text, &meta, &problem);
    must(err == CN_OK || (err == CN_ERR_INVALID && *problem.field));
    if (err == CN_OK) {
        field(meta.request, sizeof meta.request);
        field(meta.category, sizeof meta.category);
        field(meta.filename, sizeof meta.filename);
        field(meta.sha256, sizeof meta.sha256);
    }
    free(text);
    return 0;
}
