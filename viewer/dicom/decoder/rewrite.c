#include "viewer/dicom/decoder/rewrite.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

#define PART (64u << 10)
#define EXPLICIT "1.2.840.10008.1.2.1"
#define IMPLEMENTATION "2.25.218694713527018430162740117209837621905"
#define PHOTOMETRIC 0x00280004u
#define PLANAR 0x00280006u
#define PIXEL_DATA 0x7fe00010u

typedef struct output {
    cn_opened *file;
    const cn_rewriting *how;
    int fd;
    uint8_t *part; /* PART bytes that wait to be written */
    size_t n;
    cn_err err;
    bool planar_written;
    size_t extra;      /* written so far */
    unsigned dropping; /* sequences within one that is left out */
} output;

/* ---- bytes ---- */

static void put_all(output *out, const uint8_t *bytes, size_t n)
{
    while (n && out->err == CN_OK) {
        ssize_t wrote = write(out->fd, bytes, n);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote <= 0) {
            out->err = cn_err_from_errno(errno);
            return;
        }
        bytes += wrote;
        n -= (size_t)wrote;
    }
}

static void flush(output *out)
{
    put_all(out, out->part, out->n);
    out->n = 0;
}

static void put(output *out, const void *bytes, size_t n)
{
    if (n > PART - out->n) flush(out);
    if (n > PART) {
        put_all(out, bytes, n);
        return;
    }
    memcpy(out->part + out->n, bytes, n);
    out->n += n;
}

static void put_number(output *out, uint64_t value, unsigned bytes)
{
    uint8_t byte[8];
    for (unsigned i = 0; i < bytes; i++) byte[i] = (uint8_t)(value >> (8 * i));
    put(out, byte, bytes);
}

static void put_tag(output *out, uint32_t tag, uint32_t length)
{
    put_number(out, tag >> 16, 2);
    put_number(out, tag & 0xffff, 2);
    put_number(out, length, 4);
}

static bool has_long_head(const char *vr)
{
    static const char longs[] = "OB OD OF OL OV OW SQ SV UC UN UR UT UV ";
    for (const char *at = longs; *at; at += 3)
        if (at[0] == vr[0] && at[1] == vr[1]) return true;
    return false;
}

/* A value that has become too long for its kind's short length is UN (PS3.5 §6.2.2). */
static void put_head(output *out, uint32_t tag, const char *vr, uint64_t length)
{
    bool is_long = has_long_head(vr);
    put_number(out, tag >> 16, 2);
    put_number(out, tag & 0xffff, 2);
    if (!is_long && length <= 0xffff) {
        put(out, vr, 2);
        put_number(out, length, 2);
        return;
    }
    put(out, is_long ? vr : "UN", 2);
    put_number(out, 0, 2);
    put_number(out, length, 4);
}

static void put_value(output *out, uint32_t tag, const char *vr, const void *bytes, size_t n)
{
    put_head(out, tag, vr, n + (n & 1));
    put(out, bytes, n);
    if (n & 1) put(out, strcmp(vr, "UI") == 0 || vr[0] == 'O' || strcmp(vr, "UN") == 0 ? "\0" : " ", 1);
}

static void put_text(output *out, uint32_t tag, const char *vr, const char *text)
{
    put_value(out, tag, vr, text, strlen(text));
}

/* ---- elements ---- */

static unsigned word_of(const char *vr)
{
    static const struct {
        char vr[3];
        unsigned bytes;
    } rows[] = {{"US", 2}, {"SS", 2}, {"OW", 2}, {"AT", 2}, {"UL", 4}, {"SL", 4}, {"FL", 4},
                {"OF", 4}, {"OL", 4}, {"FD", 8}, {"OD", 8}, {"SV", 8}, {"UV", 8}, {"OV", 8}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (memcmp(rows[i].vr, vr, 2) == 0) return rows[i].bytes;
    return 1;
}

static void put_element(output *out, const cn_element *element)
{
    const uint8_t *bytes = out->file->dataset.bytes + element->value;
    unsigned word = element->big ? word_of(element->vr) : 1;
    if (word == 1) {
        put_value(out, element->tag, element->vr, bytes, (size_t)element->length);
        return;
    }
    put_head(out, element->tag, element->vr, element->length + (element->length & 1));
    for (uint64_t at = 0; at < element->length; at++) {
        uint64_t from = at / word * word + (word - 1 - at % word);
        put_number(out, from < element->length ? bytes[from] : 0, 1);
    }
    if (element->length & 1) put_number(out, 0, 1);
}

static void put_fragments(output *out, const cn_element *element)
{
    const cn_dataset *dataset = &out->file->dataset;
    put_head(out, element->tag, "OB", 0xffffffff);
    put(out, dataset->bytes + element->value, (size_t)element->length);
    put_tag(out, 0xfffee0dd, 0);
}

/* ---- pixels ---- */

/* Frames of single bits join without a gap. */
static void join_bits(const uint8_t *frame, uint64_t bits, uint8_t *all, uint64_t at)
{
    for (uint64_t i = 0; i < bits; i++, at++)
        if (frame[i / 8] >> (i % 8) & 1) all[at / 8] = (uint8_t)(all[at / 8] | 1u << (at % 8));
}

static cn_err next_frame(const output *out, uint32_t index, uint8_t *frame)
{
    if (out->file->alive) out->file->alive(out->file->alive_user);
    return cn_pixels_frame(out->file, index, frame);
}

static cn_err put_bits(output *out, uint8_t *frame, size_t n)
{
    const cn_picture *picture = &out->file->model.picture;
    uint64_t bits = (uint64_t)picture->rows * picture->columns * picture->samples;
    size_t all = (size_t)((bits * picture->frames + 7) / 8);
    CN_AUTO_FREE uint8_t *joined = cn_calloc(all + 1, 1);
    if (!joined) return CN_ERR_NOMEM;
    for (uint32_t i = 0; i < picture->frames; i++) {
        CN_TRY(next_frame(out, i, frame));
        if (out->how->frame) out->how->frame(out->how->user, i, frame, n);
        join_bits(frame, bits, joined, bits * i);
    }
    put_value(out, PIXEL_DATA, "OB", joined, all);
    return out->err;
}

static cn_err put_frames(output *out, const cn_element *element)
{
    const cn_picture *picture = &out->file->model.picture;
    size_t n = cn_pixels_bytes(out->file);
    uint64_t all = (uint64_t)n * picture->frames;
    if (!n || all > 0xfffffffe)
        return cn_dataset_refuse(&out->file->dataset, CN_ERR_TOOBIG, element->tag, "decoded it has more than 4 GiB.");
    CN_AUTO_FREE uint8_t *frame = malloc(n);
    if (!frame) return CN_ERR_NOMEM;
    if (picture->bits_allocated == 1) return put_bits(out, frame, n);
    put_head(out, PIXEL_DATA, picture->bits_allocated > 8 ? "OW" : "OB", all + (all & 1));
    for (uint32_t i = 0; i < picture->frames && out->err == CN_OK; i++) {
        CN_TRY(next_frame(out, i, frame));
        if (out->how->frame) out->how->frame(out->how->user, i, frame, n);
        put(out, frame, n);
    }
    if (all & 1) put_number(out, 0, 1);
    return out->err;
}

/* ---- the walk ---- */

static bool are_pixels(const output *out, const cn_element *element)
{
    return element->depth == 0 && element->tag == PIXEL_DATA && out->file->model.picture.frames > 0;
}

/* Encapsulated pixels have become native: their colours are beside each other. */
static void put_planar(output *out)
{
    if (out->planar_written) return;
    out->planar_written = true;
    put_value(out, PLANAR, "US", "\0\0", 2);
}

static bool describes_pixels(output *out, const cn_element *element)
{
    const cn_picture *picture = &out->file->model.picture;
    if (!out->how->decode || !picture->pixels.undefined || element->depth || !picture->frames) return false;
    if (picture->samples > 1 && element->tag >= PLANAR) put_planar(out);
    if (element->tag == PHOTOMETRIC) put_text(out, PHOTOMETRIC, "CS", cn_pixels_photometric(out->file));
    return element->tag == PHOTOMETRIC || (element->tag == PLANAR && picture->samples > 1) ||
           element->tag == 0x7fe00001 || element->tag == 0x7fe00002 || element->tag == 0x7fe00003;
}

static cn_err put_pixels(output *out, const cn_element *element)
{
    bool raw = !out->how->decode && !element->big;
    if (raw && element->undefined)
        put_fragments(out, element);
    else if (raw)
        put_element(out, element);
    else
        return put_frames(out, element);
    return out->err;
}

/* What the new file has besides, up to `tag`. True: `tag` itself is one of them. */
static bool put_extras(output *out, uint32_t tag)
{
    const cn_extra *extra = out->how->extra;
    for (; out->extra < out->how->extras && extra[out->extra].tag <= tag; out->extra++)
        put_text(out, extra[out->extra].tag, extra[out->extra].vr, extra[out->extra].text);
    return out->extra && extra[out->extra - 1].tag == tag;
}

static cn_err on_element(void *user, const cn_element *element)
{
    output *out = user;
    if ((element->tag & 0xffff) == 0 || element->tag >> 16 <= 2 || out->dropping) return CN_OK;
    if (element->depth == 0 && put_extras(out, element->tag)) return out->err;
    if (are_pixels(out, element)) return put_pixels(out, element);
    if (describes_pixels(out, element)) return out->err;
    cn_buf value = {.p = NULL};
    cn_edit edit = out->how->edit ? out->how->edit(out->how->user, element, &value) : CN_EDIT_KEEP;
    if (edit == CN_EDIT_KEEP && element->undefined) /* icons */
        put_fragments(out, element);
    else if (edit == CN_EDIT_KEEP)
        put_element(out, element);
    else if (edit == CN_EDIT_REPLACE)
        put_value(out, element->tag, element->vr, value.n ? value.p : "", value.n);
    if (value.err != CN_OK) out->err = value.err;
    cn_buf_free(&value);
    return out->err;
}

static cn_err on_sequence(void *user, const cn_element *element, bool begins)
{
    output *out = user;
    if (out->dropping) {
        out->dropping += begins ? 1 : -1u;
        return CN_OK;
    }
    if (begins && element->depth == 0) put_extras(out, element->tag);
    cn_buf value = {.p = NULL};
    cn_edit edit = begins && out->how->edit ? out->how->edit(out->how->user, element, &value) : CN_EDIT_KEEP;
    cn_buf_free(&value);
    if (edit == CN_EDIT_REPLACE) put_head(out, element->tag, "SQ", 0); /* empty */
    if (edit != CN_EDIT_KEEP)
        out->dropping = 1;
    else if (begins)
        put_head(out, element->tag, "SQ", 0xffffffff);
    else
        put_tag(out, 0xfffee0dd, 0);
    return out->err;
}

static cn_err on_item(void *user, bool begins)
{
    output *out = user;
    if (!out->dropping) put_tag(out, begins ? 0xfffee000 : 0xfffee00d, begins ? 0xffffffff : 0);
    return out->err;
}

/* ---- the file ---- */

static size_t padded(const char *text)
{
    return strlen(text) + (strlen(text) & 1);
}

static void put_meta(output *out)
{
    const cn_dataset *dataset = &out->file->dataset;
    const cn_model *model = &out->file->model;
    bool stays = !out->how->decode && model->picture.pixels.undefined && !dataset->big;
    const char *instance = out->how->instance ? out->how->instance : model->instance;
    const char *syntax = stays ? dataset->syntax : EXPLICIT;
    static const uint8_t preamble[128];
    put(out, preamble, sizeof(preamble));
    put(out, "DICM", 4);
    size_t length =
        14 + 8 + padded(model->sop_class) + 8 + padded(instance) + 8 + padded(syntax) + 8 + padded(IMPLEMENTATION);
    put_head(out, 0x00020000, "UL", 4);
    put_number(out, length, 4);
    put_value(out, 0x00020001, "OB", "\0\1", 2);
    put_text(out, 0x00020002, "UI", model->sop_class);
    put_text(out, 0x00020003, "UI", instance);
    put_text(out, 0x00020010, "UI", syntax);
    put_text(out, 0x00020012, "UI", IMPLEMENTATION);
}

cn_err cn_rewrite_file(cn_opened *file, const cn_rewriting *how, int fd)
{
    output out = {.file = file, .how = how, .fd = fd, .part = malloc(PART)};
    if (!out.part) return CN_ERR_NOMEM;
    put_meta(&out);
    const cn_walker walker = {.user = &out, .element = on_element, .sequence = on_sequence, .item = on_item};
    cn_err err = cn_dataset_walk(&file->dataset, &walker);
    if (err == CN_OK) put_extras(&out, UINT32_MAX);
    flush(&out);
    free(out.part);
    return err == CN_OK ? out.err : err;
}
