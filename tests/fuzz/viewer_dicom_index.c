// A file as a DICOM worker reads it: elements, texts, JSON and where frames lie. What is said of it is what the server takes.
// covers: viewer/dicom/decoder/dataset.c viewer/dicom/decoder/model.c viewer/dicom/decoder/frames.c viewer/dicom/decoder/index.c
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>

#include "viewer/dicom/decoder/charset.h"
#include "viewer/dicom/decoder/dictionary.h"
#include "viewer/dicom/decoder/index.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int good)
{
    if (!good) __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t *out;
    static const size_t room = 8u << 20;
    char why[CN_DICOM_WHY] = "";
    size_t n = 0;
    if (!out) {
        out = malloc(room);
        must(out && cn_dictionary_load() && cn_charset_load());
    }
    cn_err err = cn_dicom_index_make(data, size, out, room, &n, why);
    if (err != CN_OK) {
        must(why[0] || err == CN_ERR_NOMEM);
        return 0;
    }
    cn_dicom_head head;
    const uint8_t *spans = NULL;
    const char *json = NULL;
    json_error_t error;
    must(cn_dicom_head_read(out, n, size, &head, &spans, &json));
    json_t *tags = json_loadb(json, head.json, 0, &error);
    must(json_is_object(tags));
    json_decref(tags);
    return 0;
}
