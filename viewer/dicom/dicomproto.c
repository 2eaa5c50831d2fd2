#include "viewer/dicom/dicomproto.h"

#include <math.h>
#include <string.h>

#include "viewer/decode_proto.h"

static size_t fds_of(uint32_t op)
{
    switch (op) {
    case CN_DICOM_INDEX:
    case CN_DICOM_FRAME:
    case CN_DICOM_STORED:
    case CN_DICOM_RENDER: return 1;
    case CN_DICOM_PLAIN:
    case CN_DICOM_DEID: return 2;
    default: return 0;
    }
}

static bool is_view(const cn_dicom_ask *ask)
{
    bool window =
        !ask->windowed || (ask->windowed == 1 && isfinite(ask->center) && ask->width >= 1e-9 && ask->width <= 1e12);
    return ask->size >= 1 && ask->size <= CN_DICOM_SIDE && ask->quality >= 1 && ask->quality <= 100 && window;
}

bool cn_dicom_ask_read(const void *bytes, size_t len, size_t fds, cn_dicom_ask *out)
{
    if (len != sizeof(*out)) return false;
    memcpy(out, bytes, sizeof(*out));
    return fds_of(out->op) > 0 && fds == fds_of(out->op) && out->frame < CN_DICOM_FRAMES &&
           out->boxes <= CN_DICOM_BOXES && (out->op != CN_DICOM_RENDER || is_view(out));
}

bool cn_dicom_answer_read(const void *bytes, size_t len, cn_dicom_answer *out)
{
    if (len != sizeof(*out)) return false;
    memcpy(out, bytes, sizeof(*out));
    if (cn_decode_err(out->err) != out->err) return false;
    if (out->more) return out->more == 1 && out->err == CN_OK && out->n == 0;
    return out->n <= (out->err == CN_OK ? CN_DICOM_SHARED : CN_DICOM_WHY);
}

static bool is_uid(const char uid[65])
{
    size_t n = strnlen(uid, 65);
    return n < 65 && strspn(uid, "0123456789.") == n;
}

static bool is_word(const char *text, size_t size)
{
    const char *end = memchr(text, 0, size);
    for (const char *at = text; end && at < end; at++)
        if (*at < ' ' || *at > '~') return false;
    return end != NULL;
}

static bool is_head(const cn_dicom_head *head, uint64_t file_bytes)
{
    return is_uid(head->study) && is_uid(head->series) && is_uid(head->instance) && is_uid(head->sop_class) &&
           is_uid(head->syntax) && is_word(head->photometric, sizeof(head->photometric)) &&
           is_word(head->plain_photometric, sizeof(head->plain_photometric)) &&
           is_word(head->note, sizeof(head->note)) && head->rows <= 65535 && head->columns <= 65535 &&
           head->frames <= CN_DICOM_FRAMES && head->samples <= 4 && head->bits_allocated <= 64 &&
           head->bits_stored <= head->bits_allocated && head->as_stored <= 1 && head->json <= CN_DICOM_JSON &&
           head->spans == (head->as_stored ? head->frames : 0) && head->pixel_offset <= file_bytes &&
           head->pixel_length <= file_bytes - head->pixel_offset;
}

static bool are_spans(const uint8_t *spans, uint32_t n, uint64_t file_bytes)
{
    uint64_t at = 0;
    for (uint32_t i = 0; i < n; i++) {
        cn_dicom_span span;
        memcpy(&span, spans + (size_t)i * sizeof(span), sizeof(span));
        if (span.offset < at || span.offset > file_bytes || !span.length || span.length > file_bytes - span.offset)
            return false;
        at = span.offset + span.length;
    }
    return true;
}

bool cn_dicom_head_read(const void *bytes, size_t len, uint64_t file_bytes, cn_dicom_head *out, const uint8_t **spans,
                        const char **json)
{
    if (len < sizeof(*out)) return false;
    memcpy(out, bytes, sizeof(*out));
    if (!is_head(out, file_bytes)) return false;
    size_t table = (size_t)out->spans * sizeof(cn_dicom_span);
    if (len != sizeof(*out) + table + out->json) return false;
    *spans = (const uint8_t *)bytes + sizeof(*out);
    *json = (const char *)*spans + table;
    return are_spans(*spans, out->spans, file_bytes);
}

void cn_dicom_why_read(const void *bytes, size_t len, char *why, size_t size)
{
    const char *text = bytes;
    size_t n = 0;
    for (; n + 1 < size && n < len && text[n]; n++) why[n] = text[n] >= ' ' && text[n] <= '~' ? text[n] : '?';
    if (size) why[n] = 0;
}
