/* What the content really is, from its first bytes. */
#include <string.h>

#include "base/str.h"
#include "storage/files/files.h"

typedef struct view {
    const uint8_t *p;
    size_t n;
} view;

static bool has_at(view span, size_t at, const void *bytes, size_t len)
{
    return span.n >= at && span.n - at >= len && memcmp(span.p + at, bytes, len) == 0;
}

static uint32_t u32le(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* ISO 32000-1 annex H: the header may stand anywhere in the first 1,024 bytes. */
static const char *is_pdf(view span)
{
    return memmem(span.p, span.n < 1024 ? span.n : 1024, "%PDF-", 5) ? "application/pdf" : NULL;
}

/* An OOXML file says what it is by the folder of its parts; their names stand in the local headers (APPNOTE 4.3.7). */
static const char *is_zip(view span)
{
    static const struct {
        const char *folder, *type;
    } office[] = {{"word/", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
                  {"xl/", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
                  {"ppt/", "application/vnd.openxmlformats-officedocument.presentationml.presentation"}};
    static const char local[4] = "PK\3\4";
    if (!has_at(span, 0, local, sizeof local)) return NULL;
    for (size_t at = 0; span.n - at > 30;) {
        for (size_t i = 0; i < sizeof office / sizeof *office; i++)
            if (has_at(span, at + 30, office[i].folder, strlen(office[i].folder))) return office[i].type;
        const uint8_t *next = memmem(span.p + at + 4, span.n - at - 4, local, sizeof local);
        if (!next) break;
        at = (size_t)(next - span.p);
    }
    return "application/zip";
}

/* [MS-CFB] 2.6: the streams' names in the directory are UTF-16. */
static const char *is_ole2(view span)
{
    static const struct {
        char name[44];
        size_t n;
        const char *type;
    } streams[] = {
        {"W\0o\0r\0d\0D\0o\0c\0u\0m\0e\0n\0t\0\0", 26, "application/msword"},
        {"W\0o\0r\0k\0b\0o\0o\0k\0\0", 18, "application/vnd.ms-excel"},
        {"B\0o\0o\0k\0\0", 10, "application/vnd.ms-excel"},
        {"P\0o\0w\0e\0r\0P\0o\0i\0n\0t\0 \0D\0o\0c\0u\0m\0e\0n\0t\0\0", 40, "application/vnd.ms-powerpoint"}};
    if (!has_at(span, 0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8)) return NULL;
    for (size_t i = 0; i < sizeof streams / sizeof *streams; i++)
        if (memmem(span.p, span.n, streams[i].name, streams[i].n)) return streams[i].type;
    return "application/x-ole-storage";
}

static const char *is_bmp(view span)
{
    static const uint32_t header_sizes[] = {12, 40, 52, 56, 64, 108, 124};
    if (span.n < 18 || !has_at(span, 0, "BM", 2)) return NULL;
    for (size_t i = 0; i < sizeof header_sizes / sizeof *header_sizes; i++)
        if (u32le(span.p + 14) == header_sizes[i]) return "image/bmp";
    return NULL;
}

static const char *is_webp(view span)
{
    return has_at(span, 0, "RIFF", 4) && has_at(span, 8, "WEBP", 4) ? "image/webp" : NULL;
}

/* ISO 14496-12 4.3; brands that are still pictures are not accepted as video. */
static const char *is_mp4(view span)
{
    static const char brands[][5] = {"isom", "iso2", "iso4", "iso5", "iso6", "mp41",
                                     "mp42", "avc1", "M4V ", "MSNV", "dash", "qt  "};
    if (!has_at(span, 4, "ftyp", 4)) return NULL;
    for (size_t i = 0; i < sizeof brands / sizeof *brands; i++)
        if (has_at(span, 8, brands[i], 4)) return strcmp(brands[i], "qt  ") == 0 ? "video/quicktime" : "video/mp4";
    return NULL;
}

/* Bytes of an unfinished UTF-8 sequence at the end: the view may have been cut inside a character. */
static size_t cut_tail(view span)
{
    for (size_t k = 1; k <= 3 && k <= span.n; k++) {
        uint8_t c = span.p[span.n - k];
        if ((c & 0xc0) == 0x80) continue;
        size_t need = c > 0xf4 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc2 ? 2 : 1;
        return need > k ? k : 0;
    }
    return 0;
}

static const char *is_text(view span)
{
    for (size_t i = 0; i < span.n; i++)
        if ((span.p[i] < 0x20 && !memchr("\t\n\f\r", span.p[i], 4)) || span.p[i] == 0x7f) return NULL;
    size_t whole = span.n - cut_tail(span);
    return whole && cn_utf8_valid(span.p, whole) ? "text/plain" : NULL;
}

typedef struct magic {
    size_t at;
    size_t n;
    char bytes[9];
    const char *type;
} magic;

/* Slides in TIFF clothes (SVS, NDPI, SCN…) are TIFF here: the viewer tells them apart. */
static const magic magics[] = {
    {0, 8, "\x89PNG\r\n\x1a\n", "image/png"},
    {0, 3, "\xff\xd8\xff", "image/jpeg"},
    {0, 6, "GIF87a", "image/gif"},
    {0, 6, "GIF89a", "image/gif"},
    {0, 4, "II*\0", "image/tiff"},
    {0, 4, "MM\0*", "image/tiff"},
    {0, 4, "II+\0", "image/tiff"},
    {0, 4, "MM\0+", "image/tiff"},
    {128, 4, "DICM", "application/dicom"},
};

/* A DICOM file may carry a TIFF header in its preamble (dual personality, PS3.10 7.1): DICM is asked first. Text is the
 * last resort. */
const char *cn_files_sniff(const void *head, size_t len)
{
    static const char *(*const tests[])(view) = {is_zip, is_ole2, is_bmp, is_webp, is_mp4, is_pdf, is_text};
    view span = {head, len};
    for (size_t i = sizeof magics / sizeof *magics; i-- > 0;)
        if (has_at(span, magics[i].at, magics[i].bytes, magics[i].n)) return magics[i].type;
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        const char *type = tests[i](span);
        if (type) return type;
    }
    return NULL;
}
