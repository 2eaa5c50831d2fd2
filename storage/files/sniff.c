/* What the content really is, from its first and last bytes. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "storage/files/files.h"

#define HEAD_BYTES ((size_t)64 << 10)
#define TAIL_BYTES ((size_t)1 << 20)

typedef struct view {
    const uint8_t *p;
    size_t n;
} view;

typedef struct content {
    view head, tail;
} content;

static bool has_at(view span, size_t at, const void *bytes, size_t len)
{
    return span.n >= at && span.n - at >= len && memcmp(span.p + at, bytes, len) == 0;
}

static uint32_t u32le(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static uint64_t u64le(const uint8_t *bytes)
{
    return (uint64_t)u32le(bytes) | (uint64_t)u32le(bytes + 4) << 32;
}

static size_t u16le(const uint8_t *bytes)
{
    return (size_t)bytes[0] | (size_t)bytes[1] << 8;
}

/* ISO 32000-1 annex H: the header may stand anywhere in the first 1,024 bytes. */
static const char *is_pdf(const content *file)
{
    view span = file->head;
    return memmem(span.p, span.n < 1024 ? span.n : 1024, "%PDF-", 5) ? "application/pdf" : NULL;
}

/* ---- ZIP: an OOXML file says what it is by the folder of its parts ---- */

static const char *office_part(view span, size_t name)
{
    static const struct {
        const char *folder, *type;
    } office[] = {{"word/", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
                  {"xl/", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
                  {"ppt/", "application/vnd.openxmlformats-officedocument.presentationml.presentation"}};
    for (size_t i = 0; i < sizeof office / sizeof *office; i++)
        if (has_at(span, name, office[i].folder, strlen(office[i].folder))) return office[i].type;
    return NULL;
}

/* APPNOTE 4.3.16: the last record whose comment ends the file. */
static bool zip_end(view tail, size_t *at)
{
    if (tail.n < 22) return false;
    for (size_t back = 22; back <= tail.n && back <= 22 + UINT16_MAX; back++) {
        *at = tail.n - back;
        if (has_at(tail, *at, "PK\5\6", 4) && u16le(tail.p + *at + 20) == back - 22) return true;
    }
    return false;
}

/* The directory ends where its end record begins, or the long form of that (4.3.14), which is 56 bytes before its
 * locator of 20. */
static bool zip_directory(view tail, size_t *from, size_t *to)
{
    if (!zip_end(tail, to)) return false;
    uint64_t n = u32le(tail.p + *to + 12);
    if (*to >= 76 && has_at(tail, *to - 20, "PK\6\7", 4) && has_at(tail, *to - 76, "PK\6\6", 4)) {
        *to -= 76;
        n = u64le(tail.p + *to + 40);
    }
    if (n > *to) return false;
    *from = *to - (size_t)n;
    return true;
}

/* APPNOTE 4.3.12. The parts' own bytes are not searched: they may hold other ZIP files. */
static const char *zip_listed(view tail)
{
    size_t at = 0, end = 0;
    if (!zip_directory(tail, &at, &end)) return NULL;
    while (end - at > 46 && has_at(tail, at, "PK\1\2", 4)) {
        const char *type = office_part(tail, at + 46);
        size_t n = 46 + u16le(tail.p + at + 28) + u16le(tail.p + at + 30) + u16le(tail.p + at + 32);
        if (type || n > end - at) return type;
        at += n;
    }
    return NULL;
}

/* Where the directory is missing or larger than the tail: the local headers (4.3.7). */
static const char *zip_local(view head)
{
    static const char local[4] = "PK\3\4";
    for (size_t at = 0; head.n - at > 30;) {
        const char *type = office_part(head, at + 30);
        if (type) return type;
        const uint8_t *next = memmem(head.p + at + 4, head.n - at - 4, local, sizeof local);
        if (!next) break;
        at = (size_t)(next - head.p);
    }
    return NULL;
}

static const char *is_zip(const content *file)
{
    size_t from, to;
    if (!has_at(file->head, 0, "PK\3\4", 4)) return NULL;
    const char *type = zip_directory(file->tail, &from, &to) ? zip_listed(file->tail) : zip_local(file->head);
    return type ? type : "application/zip";
}

/* [MS-CFB] 2.6: the streams' names in the directory are UTF-16. WPS writes the same streams. [MS-OFFCRYPTO] 2.3.4: an
 * OOXML file with a password is such a storage, too. */
static const char *is_ole2(const content *file)
{
    static const struct {
        char name[44];
        size_t n;
        const char *type;
    } streams[] = {
        {"E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0\0", 34, "application/x-ole-encrypted"},
        {"W\0o\0r\0d\0D\0o\0c\0u\0m\0e\0n\0t\0\0", 26, "application/msword"},
        {"W\0o\0r\0k\0b\0o\0o\0k\0\0", 18, "application/vnd.ms-excel"},
        {"B\0o\0o\0k\0\0", 10, "application/vnd.ms-excel"},
        {"P\0o\0w\0e\0r\0P\0o\0i\0n\0t\0 \0D\0o\0c\0u\0m\0e\0n\0t\0\0", 40, "application/vnd.ms-powerpoint"}};
    if (!has_at(file->head, 0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8)) return NULL;
    const view spans[] = {file->head, file->tail};
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < sizeof streams / sizeof *streams; i++)
            if (spans[k].n && memmem(spans[k].p, spans[k].n, streams[i].name, streams[i].n)) return streams[i].type;
    return "application/x-ole-storage";
}

static const char *is_bmp(const content *file)
{
    static const uint32_t header_sizes[] = {12, 40, 52, 56, 64, 108, 124};
    view span = file->head;
    if (span.n < 18 || !has_at(span, 0, "BM", 2)) return NULL;
    for (size_t i = 0; i < sizeof header_sizes / sizeof *header_sizes; i++)
        if (u32le(span.p + 14) == header_sizes[i]) return "image/bmp";
    return NULL;
}

static const char *is_webp(const content *file)
{
    return has_at(file->head, 0, "RIFF", 4) && has_at(file->head, 8, "WEBP", 4) ? "image/webp" : NULL;
}

/* ISO 14496-12 4.3; brands that are still pictures are not accepted as video. */
static const char *is_mp4(const content *file)
{
    static const char brands[][5] = {"isom", "iso2", "iso4", "iso5", "iso6", "mp41",
                                     "mp42", "avc1", "M4V ", "MSNV", "dash", "qt  "};
    view span = file->head;
    if (!has_at(span, 4, "ftyp", 4)) return NULL;
    for (size_t i = 0; i < sizeof brands / sizeof *brands; i++)
        if (has_at(span, 8, brands[i], 4)) return strcmp(brands[i], "qt  ") == 0 ? "video/quicktime" : "video/mp4";
    return NULL;
}

/* ISO 23008-12 10.2: a phone's picture. */
static const char *is_heic(const content *file)
{
    static const char brands[][5] = {"heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1"};
    if (!has_at(file->head, 4, "ftyp", 4)) return NULL;
    for (size_t i = 0; i < sizeof brands / sizeof *brands; i++)
        if (has_at(file->head, 8, brands[i], 4)) return "image/heic";
    return NULL;
}

/* ---- texts ---- */

static const char *is_rtf(const content *file)
{
    return has_at(file->head, 0, "{\\rtf", 5) ? "application/rtf" : NULL;
}

/* The next tag, after blanks, comments and what stands in <? ?>. */
static bool first_tag(view span, size_t *at)
{
    static const char *const skipped[][2] = {{"<!--", "-->"}, {"<?", "?>"}};
    if (has_at(span, *at, "\xef\xbb\xbf", 3)) *at += 3;
    for (size_t i = 0; i < 2;) {
        while (*at < span.n && memchr(" \t\r\n", span.p[*at], 4)) ++*at;
        if (!has_at(span, *at, skipped[i][0], strlen(skipped[i][0]))) {
            i++;
            continue;
        }
        const uint8_t *end = memmem(span.p + *at, span.n - *at, skipped[i][1], strlen(skipped[i][1]));
        if (!end) return false;
        *at = (size_t)(end - span.p) + strlen(skipped[i][1]);
        i = 0;
    }
    return *at < span.n;
}

/* What hospital systems write as ".doc" and ".xls" is often a page or only its table. */
static const char *is_html(const content *file)
{
    static const char *const tags[] = {"<!doctype html", "<html", "<head", "<meta", "<body", "<style", "<table"};
    view span = file->head;
    size_t at = 0;
    if (!first_tag(span, &at)) return NULL;
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
        size_t n = strlen(tags[i]);
        if (span.n - at > n && strncasecmp((const char *)span.p + at, tags[i], n) == 0 &&
            memchr(" \t\r\n>/", span.p[at + n], 6))
            return "text/html";
    }
    return NULL;
}

/* ---- ECGs ---- */

/* An XML's first element, without the prefix of its name; a type definition that stands elsewhere is passed over. */
static const char *is_ecg_xml(const content *file)
{
    static const char *const roots[][2] = {{"AnnotatedECG", CN_TYPE_ECG "aecg"}, {"RestingECG", CN_TYPE_ECG "muse"}};
    view span = file->head;
    size_t at = 0;
    if (!first_tag(span, &at)) return NULL;
    if (has_at(span, at, "<!DOCTYPE", 9)) {
        const uint8_t *end = memchr(span.p + at, '>', span.n - at);
        if (!end) return NULL;
        at = (size_t)(end - span.p) + 1;
        if (!first_tag(span, &at)) return NULL;
    }
    if (span.p[at] != '<') return NULL;
    const uint8_t *name = span.p + at + 1, *end = name;
    for (; end < span.p + span.n && !memchr(" \t\r\n>/", *end, 6); end++)
        if (*end == ':') name = end + 1;
    for (size_t i = 0; i < sizeof roots / sizeof *roots; i++)
        if ((size_t)(end - name) == strlen(roots[i][0]) && memcmp(name, roots[i][0], (size_t)(end - name)) == 0)
            return roots[i][1];
    return NULL;
}

/* A DICOM file whose class, which stands in its meta information, is an ECG's: 12-lead, general, ambulatory (PS3.4 B.5). */
static const char *is_ecg_dicom(const content *file)
{
    static const char class_of_ecg[] = "1.2.840.10008.5.1.4.1.1.9.1.";
    view span = file->head;
    if (!has_at(span, 128, "DICM", 4)) return NULL;
    const uint8_t *at = memmem(span.p, span.n < 1024 ? span.n : 1024, class_of_ecg, sizeof class_of_ecg - 1);
    size_t next = at ? (size_t)(at - span.p) + sizeof class_of_ecg - 1 : 0;
    return at && next < span.n && span.p[next] >= '1' && span.p[next] <= '3' ? CN_TYPE_ECG "dicom" : NULL;
}

static bool plain(unsigned c)
{
    return c >= 0x20 ? c != 0x7f : c == '\t' || c == '\n' || c == '\f' || c == '\r';
}

static bool no_controls(view span)
{
    for (size_t i = 0; i < span.n; i++)
        if (!plain(span.p[i])) return false;
    return true;
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

static bool is_utf8(view span)
{
    size_t whole = span.n - cut_tail(span);
    return whole && cn_utf8_valid(span.p, whole);
}

/* GB 18030, whose one, two or four bytes hold GBK and GB 2312; 0x80 alone is Windows' euro sign. */
static bool is_gb18030(view span)
{
    size_t i = 0, whole = 0;
    while (i < span.n) {
        size_t n = 1;
        uint8_t c = span.p[i];
        if (c == 0xff) return false;
        if (c > 0x80) {
            n = i + 1 < span.n && span.p[i + 1] >= '0' && span.p[i + 1] <= '9' ? 4 : 2;
            if (n == 2 && i + 1 < span.n && (span.p[i + 1] < 0x40 || span.p[i + 1] == 0xff)) return false;
            if (n == 4 && i + 2 < span.n && (span.p[i + 2] < 0x81 || span.p[i + 2] == 0xff)) return false;
            if (n == 4 && i + 3 < span.n && (span.p[i + 3] < '0' || span.p[i + 3] > '9')) return false;
        }
        i += n;
        if (i <= span.n) whole++;
    }
    return whole > 0;
}

/* Only with its mark: without one nothing tells it from binary data. */
static bool is_utf16(view span)
{
    bool little = has_at(span, 0, "\xff\xfe", 2);
    bool low_awaited = false;
    if (!little && !has_at(span, 0, "\xfe\xff", 2)) return false;
    for (size_t i = 2; i + 1 < span.n; i += 2) {
        unsigned c = little ? span.p[i] | (unsigned)span.p[i + 1] << 8 : (unsigned)span.p[i] << 8 | span.p[i + 1];
        if (low_awaited != (c >= 0xdc00 && c < 0xe000) || !plain(c)) return false;
        low_awaited = c >= 0xd800 && c < 0xdc00;
    }
    return span.n > 3;
}

static const char *is_text(const content *file)
{
    view span = file->head;
    if (is_utf16(span)) return "text/plain";
    return no_controls(span) && (is_utf8(span) || is_gb18030(span)) ? "text/plain" : NULL;
}

/* Slides of KFBio and Sqray, known by two or three letters: text may have them in these places, so it is asked first. */
static const char *is_unread_slide(const content *file)
{
    if (has_at(file->head, 4, "KFB", 3)) return "application/x-kfb";
    return has_at(file->head, 0, "SQ", 2) ? "application/x-sdpc" : NULL;
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
    {4, 8, "jP  \r\n\x87\n", "image/jp2"},
    {0, 4, "\xff\x4f\xff\x51", "image/jp2"}, /* without the file format around it */
    {16, 6, "SCPECG", CN_TYPE_ECG "scp"},    /* EN 1064: in the head of section 0 */
    {128, 4, "DICM", "application/dicom"},
};

/* A DICOM file may carry a TIFF header in its preamble (dual personality, PS3.10 7.1): DICM is asked first. Text is the
 * last resort. */
const char *cn_files_sniff(const void *head, size_t len, const void *tail, size_t tail_len)
{
    static const char *(*const tests[])(const content *) = {is_zip,  is_ole2,    is_bmp,  is_webp,
                                                            is_mp4,  is_heic,    is_pdf,  is_rtf,
                                                            is_html, is_ecg_xml, is_text, is_unread_slide};
    const content file = {{head, len}, {tail, tail_len}};
    const char *ecg = is_ecg_dicom(&file);
    if (ecg) return ecg;
    for (size_t i = sizeof magics / sizeof *magics; i-- > 0;)
        if (has_at(file.head, magics[i].at, magics[i].bytes, magics[i].n)) return magics[i].type;
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        const char *type = tests[i](&file);
        if (type) return type;
    }
    return NULL;
}

cn_err cn_files_sniff_path(const char *path, const char **type)
{
    struct stat st;
    CN_AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0) return cn_err_from_errno(errno);
    CN_AUTO_FREE char *head = cn_calloc(1, HEAD_BYTES);
    CN_AUTO_FREE char *tail = cn_calloc(1, TAIL_BYTES);
    if (!head || !tail) return CN_ERR_NOMEM;
    off_t from = st.st_size > (off_t)TAIL_BYTES ? st.st_size - (off_t)TAIL_BYTES : 0;
    ssize_t n = pread(fd, head, HEAD_BYTES, 0), tail_n = pread(fd, tail, TAIL_BYTES, from);
    if (n < 0 || tail_n < 0) return CN_ERR_IO;
    *type = cn_files_sniff(head, (size_t)n, tail, (size_t)tail_n);
    return CN_OK;
}
