#include "viewer/dicom/decoder/index.h"

#include <string.h>

#include "base/str.h"
#include "viewer/dicom/decoder/model.h"

/* What decoded pixels are called: codecs undo what they did to colours (PS3.5 §8.2). */
static const char *plain_photometric(const cn_dataset *dataset, const cn_picture *picture)
{
    bool ybr = strncmp(picture->photometric, "YBR", 3) == 0 && picture->samples == 3;
    bool undoes = dataset->codec == CN_CODEC_JPEG || dataset->codec == CN_CODEC_J2K || dataset->codec == CN_CODEC_HTJ2K;
    return ybr && undoes && picture->pixels.undefined ? "RGB" : picture->photometric;
}

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

static void fill_head(cn_dicom_head *head, const cn_dataset *dataset, const cn_model *model, const cn_frames *frames)
{
    const cn_picture *picture = &model->picture;
    memcpy(head->study, model->study, sizeof(head->study));
    memcpy(head->series, model->series, sizeof(head->series));
    memcpy(head->instance, model->instance, sizeof(head->instance));
    memcpy(head->sop_class, model->sop_class, sizeof(head->sop_class));
    memcpy(head->syntax, dataset->syntax, sizeof(head->syntax));
    memcpy(head->photometric, picture->photometric, sizeof(head->photometric));
    cn_strcpy(head->plain_photometric, sizeof(head->plain_photometric), plain_photometric(dataset, picture));
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

static cn_err write_out(cn_dataset *dataset, const cn_model *model, const cn_frames *frames, void *out, size_t size,
                        size_t *n)
{
    cn_dicom_head head = {.as_stored = 0};
    fill_head(&head, dataset, model, frames);
    head.spans = head.as_stored ? head.frames : 0;
    head.json = (uint32_t)model->json.n;
    *n = sizeof(head) + head.spans * sizeof(cn_dicom_span) + head.json;
    if (*n > size) {
        cn_strcpy(dataset->why, sizeof(dataset->why), "The file holds too much beside its pixels.");
        return CN_ERR_TOOBIG;
    }
    uint8_t *at = out;
    memcpy(at, &head, sizeof(head));
    at += sizeof(head);
    for (uint32_t i = 0; i < head.spans; i++, at += sizeof(cn_dicom_span)) {
        cn_dicom_span span = span_of(&model->picture, frames, i);
        memcpy(at, &span, sizeof(span));
    }
    memcpy(at, model->json.p, head.json);
    return CN_OK;
}

cn_err cn_dicom_index_make(const uint8_t *bytes, uint64_t len, void *out, size_t size, size_t *n, char *why)
{
    cn_dataset dataset;
    cn_model model = {.odd_uid = false};
    cn_frames frames = {.fragment = NULL};
    cn_err err = cn_dataset_open(&dataset, bytes, len);
    if (err == CN_OK) err = cn_model_read(&model, &dataset);
    if (err == CN_OK) err = cn_frames_find(&dataset, &model.picture, &frames);
    if (err == CN_OK) err = write_out(&dataset, &model, &frames, out, size, n);
    if (err != CN_OK) cn_strcpy(why, CN_DICOM_WHY, dataset.why);
    cn_frames_clear(&frames);
    cn_model_clear(&model);
    cn_dataset_close(&dataset);
    return err;
}
