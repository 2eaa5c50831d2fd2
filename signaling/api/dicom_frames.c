/* As they are stored straight from the file, otherwise by a reader. */
#include "signaling/api/dicom_frames.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "consult/imaging/imaging.h"
#include "signaling/api/dicom_accept.h"
#include "signaling/api/grants.h"
#include "signaling/api/parcel.h"
#include "signaling/app.h"
#include "signaling/http/range.h"

#define IMPLICIT_LE "1.2.840.10008.1.2"
#define TYPE "application/octet-stream"
#define ASKED 4096          /* frames of one question at most */
#define AT_ONCE (64u << 20) /* bytes of an answer that is put together in memory */
#define QUICK (1u << 20)    /* bytes of one that keeps the door no longer than a tile does */
#define ETAG 33
#define HEAD_MAX 300

/* ---- who may ---- */

/* A grant is for a name of so many characters: that of an instance is too long, so it goes by a digest of it. */
static void name_of(cn_http *http, char out[CN_ID_TEXT])
{
    char address[4 * CN_UID], hex[2 * CN_SHA256_LEN + 1];
    uint8_t digest[CN_SHA256_LEN];
    cn_fmt(address, sizeof(address), "%.64s/%.64s/%.64s", cn_http_param(http, "study"), cn_http_param(http, "series"),
           cn_http_param(http, "instance"));
    cn_sha256(address, strlen(address), digest);
    cn_hex(digest, sizeof(digest), hex);
    cn_fmt(out, CN_ID_TEXT, "%.26s", hex);
}

static cn_err permit(cn_http *http, cn_grant *out)
{
    char name[CN_ID_TEXT];
    cn_instance *list = NULL;
    size_t count = 0;
    name_of(http, name);
    if (cn_grant_find(cn_http_actor(http), name, out)) return CN_OK;
    CN_TRY(cn_imaging_find(cn_app_consult(cn_http_app(http)), cn_http_actor(http), cn_http_param(http, "study"),
                           cn_http_param(http, "series"), cn_http_param(http, "instance"), NULL, &list, &count));
    *out = (cn_grant){.until_ms = 0};
    cn_strcpy(out->file, sizeof(out->file), name);
    cn_strcpy(out->etag, sizeof(out->etag), list[0].sha256);
    free(list);
    cn_grant_keep(cn_http_actor(http), out);
    return CN_OK;
}

/* ---- what is asked for ---- */

typedef struct asked {
    const cn_dicom_opened *of;
    uint32_t frame[ASKED]; /* 0-based */
    size_t count;
    bool parts;
    bool stored;        /* the file's own bytes */
    bool joined;        /* stored as well, but the fragments have to be put together */
    const char *syntax; /* of what leaves */
    char etag[ETAG];
} asked;

static bool is_native(const char *syntax)
{
    return strcmp(syntax, CN_EXPLICIT_LE) == 0 || strcmp(syntax, IMPLICIT_LE) == 0;
}

static cn_err read_list(const char *text, uint32_t frames, asked *out)
{
    for (const char *at = text; *at;) {
        char one[16];
        int64_t number;
        size_t n = strcspn(at, ",");
        if (n >= sizeof(one) || out->count == ASKED) return CN_ERR_NOTFOUND;
        memcpy(one, at, n);
        one[n] = '\0';
        if (!cn_parse_i64(one, 1, frames, &number)) return CN_ERR_NOTFOUND;
        out->frame[out->count++] = (uint32_t)(number - 1);
        at += n + (at[n] == ',');
    }
    return out->count ? CN_OK : CN_ERR_NOTFOUND;
}

/* Names the bytes that leave: the file, which frames, in what form. */
static void name_answer(const char *frames, asked *out)
{
    char text[256], hex[2 * CN_SHA256_LEN + 1];
    uint8_t digest[CN_SHA256_LEN], list[CN_SHA256_LEN];
    cn_sha256(frames, strlen(frames), list);
    cn_hex(list, sizeof(list), hex);
    cn_fmt(text, sizeof(text), "%s %s %d %d %s", out->of->sha256, hex, out->parts, out->stored, out->syntax);
    cn_sha256(text, strlen(text), digest);
    cn_hex(digest, sizeof(digest), hex);
    cn_fmt(out->etag, ETAG, "%.32s", hex);
}

/* CN_ERR_INVALID: the client takes nothing of what is here. */
static cn_err ask(cn_http *http, const cn_dicom_opened *of, asked *out)
{
    cn_dicom_taken how;
    const char *syntax = of->index.syntax;
    out->of = of;
    out->count = 0;
    if (!cn_dicom_take(http, TYPE, syntax, &how)) return CN_ERR_INVALID;
    CN_TRY(read_list(cn_http_param(http, "frames"), of->index.frames, out));
    bool native = is_native(syntax);
    out->parts = how.parts;
    out->stored = of->index.as_stored && of->index.frame && (how.stored || native);
    out->joined = !out->stored && !native && how.stored;
    out->syntax = (out->stored || out->joined) && !native ? syntax : CN_EXPLICIT_LE;
    name_answer(cn_http_param(http, "frames"), out);
    return CN_OK;
}

/* ---- the file's own bytes ---- */

static size_t part_head(char out[HEAD_MAX], const char *syntax)
{
    int n = snprintf(out, HEAD_MAX, "\r\n--" CN_DICOM_BOUNDARY "\r\nContent-Type: " TYPE "; transfer-syntax=%s\r\n\r\n",
                     syntax);
    return n > 0 ? (size_t)n : 0;
}

static const char tail[] = "\r\n--" CN_DICOM_BOUNDARY "--\r\n";

static uint64_t length_of(const asked *own)
{
    char head[HEAD_MAX];
    uint64_t sum = own->parts ? own->count * part_head(head, own->syntax) + sizeof(tail) - 1 : 0;
    for (size_t i = 0; i < own->count; i++) sum += own->of->index.frame[own->frame[i]].length;
    return sum;
}

static cn_err fill(const asked *own, bool wait, char *out)
{
    char head[HEAD_MAX];
    size_t front = own->parts ? part_head(head, own->syntax) : 0;
    for (size_t i = 0; i < own->count; i++) {
        const cn_dicom_span *span = &own->of->index.frame[own->frame[i]];
        memcpy(out, head, front);
        CN_TRY(cn_read_at(own->of->fd, out + front, span->length, span->offset, wait));
        out += front + span->length;
    }
    if (own->parts) memcpy(out, tail, sizeof(tail) - 1);
    return CN_OK;
}

static cn_err send_stored(cn_http *http, const asked *own, bool wait)
{
    size_t len = length_of(own);
    char *bytes = malloc(len);
    if (!bytes) return CN_ERR_NOMEM;
    cn_err err = fill(own, wait, bytes);
    if (err == CN_OK)
        return cn_http_bytes(http, 200,
                             own->parts ? "multipart/related; type=\"" TYPE "\"; boundary=" CN_DICOM_BOUNDARY : TYPE,
                             bytes, len, free, bytes);
    free(bytes);
    return err;
}

/* ---- what takes longer ---- */

static cn_err add_read(cn_http *http, const asked *own, cn_dicom_reader *reader, uint32_t frame, cn_parcel *out)
{
    char why[256] = "";
    CN_AUTO_FREE void *bytes = NULL;
    size_t len = 0;
    cn_err err = (own->joined ? cn_dicom_reader_stored : cn_dicom_reader_frame)(reader, own->of->fd, frame, &bytes,
                                                                                &len, why, sizeof(why));
    if (err != CN_OK) return cn_dicom_say_why(http, err, why);
    return fwrite(bytes, 1, len, out->file) == len ? CN_OK : CN_ERR_NOSPACE;
}

static cn_err add_frames(cn_http *http, const asked *own, cn_dicom_reader *reader, cn_parcel *out)
{
    for (size_t i = 0; i < own->count; i++) {
        if (own->parts) cn_parcel_part(out, TYPE, own->syntax);
        if (reader)
            CN_TRY(add_read(http, own, reader, own->frame[i], out));
        else
            CN_TRY(cn_parcel_copy(out, own->of->fd, (off_t)own->of->index.frame[own->frame[i]].offset,
                                  own->of->index.frame[own->frame[i]].length));
    }
    if (own->parts) return cn_parcel_send(http, out, TYPE);
    if (fflush(out->file) != 0) return CN_ERR_NOSPACE;
    return cn_http_file(http, out->path, TYPE, own->etag);
}

static cn_err send_parcel(cn_http *http, const asked *own)
{
    cn_parcel parcel;
    cn_dicom_reader *reader = NULL;
    CN_TRY(cn_parcel_open(http, &parcel));
    cn_err err = own->stored ? CN_OK : cn_dicom_reader_open(cn_app_dicom(cn_http_app(http)), &reader);
    if (err == CN_OK) err = add_frames(http, own, reader, &parcel);
    cn_dicom_reader_close(reader);
    cn_parcel_close(&parcel);
    return err;
}

/* ---- the answer ---- */

static void say_kept(cn_http *http)
{
    /* kept by the browser, asked for again each time: the right may be gone */
    cn_http_set(http, "Cache-Control", "private, no-cache");
    cn_http_set(http, "Vary", "Accept");
}

static cn_err answer(cn_http *http, const asked *own)
{
    if (!own->parts && own->count != 1)
        return cn_dicom_unacceptable(http, "several frames are given out as multipart/related only");
    say_kept(http);
    if (cn_http_not_modified(http, own->etag)) return CN_OK;
    return own->stored && length_of(own) <= AT_ONCE ? send_stored(http, own, true) : send_parcel(http, own);
}

cn_err cn_dicom_frames(cn_http *http)
{
    cn_grant ticket;
    char why[256] = "";
    CN_AUTO_UNREF cn_dicom_opened *of = NULL;
    CN_TRY(permit(http, &ticket));
    cn_err err = cn_dicom_shelf_open(cn_app_dicom_shelf(cn_http_app(http)), ticket.etag, &of, why, sizeof(why));
    if (err != CN_OK) return cn_dicom_say_why(http, err, why);
    CN_AUTO_FREE asked *own = malloc(sizeof(*own));
    if (!own) return CN_ERR_NOMEM;
    err = ask(http, of, own);
    if (err == CN_ERR_INVALID)
        return cn_dicom_unacceptable(http, "frames are given out as application/octet-stream, alone or in "
                                           "multipart/related, as stored (transfer-syntax=*) or as Explicit VR Little "
                                           "Endian");
    return err == CN_OK ? answer(http, own) : err;
}

/* On the door's thread: whoever was permitted a moment ago, frames that are in the page cache. */
bool cn_dicom_frames_quick(cn_http *http)
{
    cn_grant ticket;
    asked own;
    char name[CN_ID_TEXT];
    name_of(http, name);
    if (!cn_grant_find(cn_http_actor(http), name, &ticket)) return false;
    CN_AUTO_UNREF cn_dicom_opened *of = cn_dicom_shelf_find(cn_app_dicom_shelf(cn_http_app(http)), ticket.etag);
    if (!of || ask(http, of, &own) != CN_OK || !own.stored || (!own.parts && own.count != 1)) return false;
    if (length_of(&own) > QUICK) return false;
    if (cn_etag_listed(cn_http_header(http, "if-none-match"), own.etag)) {
        say_kept(http);
        return cn_http_not_modified(http, own.etag);
    }
    if (send_stored(http, &own, false) != CN_OK) return false;
    say_kept(http);
    (void)cn_http_not_modified(http, own.etag); /* its ETag */
    return true;
}
