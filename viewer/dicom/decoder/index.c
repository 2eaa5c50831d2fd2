#include "viewer/dicom/decoder/index.h"

#include <string.h>

#include "base/str.h"
#include "viewer/dicom/decoder/pixels.h"

static bool leaves_as_stored(const cn_dataset *dataset, const cn_picture *picture, const cn_frames *frames)
{
    if (!picture->frames || dataset->deflated || dataset->codec == CN_CODEC_VIDEO) return false;
    if (picture->pixels.undefined) return frames->single;
    return frames->frame_bytes > 0 && picture->bits_allocated >= 8 && !dataset->big;
}

static void put_note(char note[64], bool is, const char *word)
{
    if (!is) return;
    size_t n = strlen(note);
    cn_fmt(note + n, 64 - n, "%s%s", n ? " " : "", word);
}

static void fill_head(cn_dicom_head *head, const cn_opened *file)
{
    const cn_dataset *dataset = &file->dataset;
    const cn_model *model = &file->model;
    const cn_frames *frames = &file->frames;
    const cn_picture *picture = &model->picture;
    memcpy(head->study, model->study, sizeof(head->study));
    memcpy(head->series, model->series, sizeof(head->series));
    memcpy(head->instance, model->instance, sizeof(head->instance));
    memcpy(head->sop_class, model->sop_class, sizeof(head->sop_class));
    memcpy(head->syntax, dataset->syntax, sizeof(head->syntax));
    memcpy(head->photometric, picture->photometric, sizeof(head->photometric));
    cn_strcpy(head->plain_photometric, sizeof(head->plain_photometric), cn_pixels_photometric(file));
    put_note(head->note, model->odd_charset, "charset");
    put_note(head->note, model->odd_uid, "uid");
    put_note(head->note, model->odd_order, "order");
    put_note(head->note, frames->odd_table, "offsets");
    put_note(head->note, dataset->odd_meta, "meta");
    if (!picture->has_pixels) return;
    head->rows = picture->rows;
    head->columns = picture->columns;
    head->frames = picture->frames;
    head->samples = picture->samples;
    head->bits_allocated = picture->bits_allocated;
    head->bits_stored = picture->bits_stored;
    head->as_stored = leaves_as_stored(dataset, picture, frames);
    if (dataset->deflated) return;
    head->pixel_offset = picture->pixels.value;
    head->pixel_length = picture->pixels.length;
}

static cn_dicom_span span_of(const cn_picture *picture, const cn_frames *frames, uint32_t frame)
{
    if (frames->first) return frames->fragment[frame];
    return (cn_dicom_span){picture->pixels.value + frame * frames->frame_bytes, frames->frame_bytes};
}

static cn_err write_out(cn_opened *file, void *out, size_t size, size_t *n)
{
    cn_dicom_head head = {.as_stored = 0};
    fill_head(&head, file);
    head.spans = head.as_stored ? head.frames : 0;
    head.json = (uint32_t)file->model.json.n;
    *n = sizeof(head) + head.spans * sizeof(cn_dicom_span) + head.json;
    if (*n > size) {
        cn_strcpy(file->dataset.why, sizeof(file->dataset.why), "The file holds too much beside its pixels.");
        return CN_ERR_TOOBIG;
    }
    uint8_t *at = out;
    memcpy(at, &head, sizeof(head));
    at += sizeof(head);
    for (uint32_t i = 0; i < head.spans; i++, at += sizeof(cn_dicom_span)) {
        cn_dicom_span span = span_of(&file->model.picture, &file->frames, i);
        memcpy(at, &span, sizeof(span));
    }
    memcpy(at, file->model.json.p, head.json);
    return CN_OK;
}

cn_err cn_dicom_index_make(const uint8_t *bytes, uint64_t len, void *out, size_t size, size_t *n, char *why)
{
    cn_opened file;
    cn_err err = cn_opened_open(&file, bytes, len);
    if (err == CN_OK) err = write_out(&file, out, size, n);
    if (err != CN_OK) cn_strcpy(why, CN_DICOM_WHY, file.dataset.why);
    cn_opened_close(&file);
    return err;
}
