// What the server and its DICOM workers say to each other, read by the other end: the first byte chooses the message.
// covers: viewer/dicom/dicomproto.c
#include <stdint.h>
#include <string.h>

#include "viewer/dicom/dicomproto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int good)
{
    if (!good) __builtin_trap();
}

static void head(const uint8_t *data, size_t size)
{
    const uint64_t file = 1u << 20;
    cn_dicom_head got;
    const uint8_t *spans = NULL;
    const char *json = NULL;
    if (!cn_dicom_head_read(data, size, file, &got, &spans, &json)) return;
    must(strlen(got.study) < 65 && strlen(got.note) < 64 && got.frames <= CN_DICOM_FRAMES);
    must(json + got.json == (const char *)data + size);
    for (uint32_t i = 0; i < got.spans; i++) {
        cn_dicom_span span;
        memcpy(&span, spans + i * sizeof(span), sizeof(span));
        must(span.length > 0 && span.offset + span.length <= file);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cn_dicom_ask ask;
    cn_dicom_answer answer;
    char why[100];
    if (size < 1) return 0;
    switch (data[0] % 4) {
    case 0: head(data + 1, size - 1); break;
    case 1:
        for (size_t fds = 0; fds < 4; fds++)
            if (cn_dicom_ask_read(data + 1, size - 1, fds, &ask)) must(fds > 0 && ask.frame < CN_DICOM_FRAMES);
        break;
    case 2:
        if (cn_dicom_answer_read(data + 1, size - 1, &answer)) must(answer.n <= CN_DICOM_SHARED);
        break;
    default: cn_dicom_why_read(data + 1, size - 1, why, sizeof(why)); must(strlen(why) < sizeof(why));
    }
    return 0;
}
