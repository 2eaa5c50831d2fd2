/* Documents through the real LibreOffice and poppler, in their limits. */
#include "cn_test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/child.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "viewer/document/documents.h"
#include "viewer/document/pictures.h"
#include "viewer/scratch.h"

static char folder[] = "/tmp/consilium-test-documents-XXXXXX";

static int setup(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    cn_scratch_remove(folder);
    return access(folder, F_OK) == 0 ? -1 : 0;
}

static void a_text_becomes_a_pdf_with_a_thumbnail(void **state)
{
    (void)state;
    char in[128], out[128];
    const char *text = "会诊资料\nConsultation notes\n";
    int pages = 0;
    cn_fmt(in, sizeof(in), "%s/in", folder);
    cn_fmt(out, sizeof(out), "%s/out.pdf", folder);
    assert_ok(cn_file_write_durable(in, text, strlen(text), 0600));
    assert_ok(cn_document_to_pdf(in, "txt", folder, 0, out));
    assert_ok(cn_pdf_pages(out, folder, &pages));
    assert_int_equal(pages, 1);
    cn_pictures *pictures = NULL;
    cn_tile *tile = NULL;
    assert_ok(cn_pictures_new(&pictures, folder, 1 << 20));
    assert_ok(cn_picture_thumbnail(pictures, "x", out, "application/pdf", 128, &tile));
    assert_memory_equal(tile->bytes, "\xff\xd8\xff", 3);
    cn_unref(tile);
    assert_int_equal(cn_picture_thumbnail(pictures, "y", in, "application/pdf", 128, &tile), CN_ERR_CORRUPT);
    assert_int_equal(cn_picture_thumbnail(pictures, "z", in, "text/plain", 128, &tile), CN_ERR_UNSUPPORTED);
    cn_pictures_free(pictures);
}

static void what_is_no_document_is_refused(void **state)
{
    (void)state;
    char in[128], out[128];
    int pages = 0;
    cn_fmt(in, sizeof(in), "%s/bad", folder);
    cn_fmt(out, sizeof(out), "%s/bad.pdf", folder);
    assert_ok(cn_file_write_durable(in, "PK\3\4broken", 10, 0600));
    assert_true(cn_document_to_pdf(in, "docx", folder, 0, out) != CN_OK);
    assert_true(access(out, F_OK) != 0);
    assert_int_equal(cn_pdf_pages(in, folder, &pages), CN_ERR_CORRUPT);
}

/* Runs a shell line with "$0" and "$1". */
static void shell(const char *line, const char *first, const char *second)
{
    const char *const argv[] = {"sh", "-c", line, first, second, NULL};
    const cn_child_limits limits = {.wall_seconds = 60};
    int status = -1;
    assert_ok(cn_child_run(argv, &limits, &status));
    assert_int_equal(status, 0);
}

/* Converts the bytes and gives the PDF's text, the caller's to free, and its pages. */
static char *converted(const char *extension, const char *bytes, size_t len, int *pages)
{
    char in[128], out[128], list[128];
    char *text = NULL;
    cn_fmt(in, sizeof(in), "%s/in", folder);
    cn_fmt(out, sizeof(out), "%s/out.pdf", folder);
    cn_fmt(list, sizeof(list), "%s/text", folder);
    assert_ok(cn_file_write_durable(in, bytes, len, 0600));
    assert_ok(cn_document_to_pdf(in, extension, folder, 0, out));
    assert_ok(cn_pdf_pages(out, folder, pages));
    shell("exec pdftotext -layout \"$0\" \"$1\"", out, list);
    assert_ok(cn_file_read(list, 1 << 20, &text, NULL));
    return text;
}

static void a_text_says_what_its_author_wrote(void **state)
{
    (void)state;
    static const char gb[] = "\xbb\xbc\xd5\xdf\xcd\xf5\xd0\xa1\xc3\xf7\xa3\xac\x36\x36\xcb\xea\r\n";
    static const char wide[] = "\xff\xfe\xa3\x60\x05\x80\x8b\x73\x0f\x5c\x0e\x66\x0c\xff\x36\0\x36\0\x81\x5c\r\0\n";
    int pages = 0;
    CN_AUTO_FREE char *from_gb = converted("txt", gb, sizeof gb - 1, &pages);
    assert_non_null(strstr(from_gb, "患者王小明，66"));
    CN_AUTO_FREE char *from_wide = converted("txt", wide, sizeof wide, &pages);
    assert_non_null(strstr(from_wide, "患者王小明，66"));
}

static void a_wide_sheet_is_one_page_wide(void **state)
{
    (void)state;
    cn_buf table = {0};
    int pages = 0;
    cn_buf_str(&table, "<html><meta charset=utf-8><table>");
    for (int row = 0; row < 20; row++) {
        cn_buf_str(&table, "<tr>");
        for (int column = 0; column < 40; column++) cn_buf_fmt(&table, "<td>第%d项</td>", column);
        cn_buf_str(&table, "</tr>");
    }
    cn_buf_str(&table, "</table></html>");
    CN_AUTO_FREE char *text = converted("xls", table.p, table.n, &pages);
    assert_int_equal(pages, 1);
    assert_non_null(strstr(text, "第39项"));
    cn_buf_free(&table);
}

static void what_hospital_systems_call_a_doc(void **state)
{
    (void)state;
    static const char rtf[] = "{\\rtf1\\ansi\\ansicpg936 \\'b3\\'f6\\'d4\\'ba}";
    static const char page[] = "<html><meta charset=utf-8><body>出院小结</body></html>";
    int pages = 0;
    CN_AUTO_FREE char *from_rtf = converted("rtf", rtf, sizeof rtf - 1, &pages);
    assert_non_null(strstr(from_rtf, "出院"));
    static const char raw[] = "{\\rtf1\\ansi 出院小结}", unsaid[] = "<table><tr><td>\xb3\xf6\xd4\xba</td></tr></table>";
    CN_AUTO_FREE char *from_raw = converted("rtf", raw, sizeof raw - 1, &pages);
    assert_non_null(strstr(from_raw, "出院小结"));
    CN_AUTO_FREE char *from_unsaid = converted("xls", unsaid, sizeof unsaid - 1, &pages);
    assert_non_null(strstr(from_unsaid, "出院"));
    CN_AUTO_FREE char *from_page = converted("html", page, sizeof page - 1, &pages);
    assert_non_null(strstr(from_page, "出院小结"));
}

static void a_password_is_told_from_damage(void **state)
{
    (void)state;
    char locked[128], plain[128];
    int pages = 0;
    cn_fmt(locked, sizeof(locked), "%s/locked.pdf", folder);
    cn_fmt(plain, sizeof(plain), "%s/plain.pdf", folder);
    shell("gs -q -sDEVICE=pdfwrite -sOwnerPassword=o -sUserPassword=u -o \"$0\" -c showpage && "
          "gs -q -sDEVICE=pdfwrite -sOwnerPassword=o -o \"$1\" -c showpage",
          locked, plain);
    assert_int_equal(cn_pdf_pages(locked, folder, &pages), CN_ERR_FORBIDDEN);
    assert_int_equal(cn_pdf_check(locked, folder), CN_ERR_FORBIDDEN);
    assert_ok(cn_pdf_check(plain, folder));
    assert_ok(cn_pdf_pages(plain, folder, &pages)); /* everybody may open it, its owner alone may change it */
    assert_int_equal(pages, 1);
    assert_ok(cn_file_write_durable(plain, "%PDF-1.4\n", 9, 0600));
    assert_int_equal(cn_pdf_pages(plain, folder, &pages), CN_ERR_CORRUPT);
}

static void field(cn_buf *tiff, unsigned tag, unsigned type, uint32_t value)
{
    const uint16_t head[] = {(uint16_t)tag, (uint16_t)type};
    const uint32_t rest[] = {1, value};
    cn_buf_add(tiff, head, sizeof head);
    cn_buf_add(tiff, rest, sizeof rest);
}

/* A page of 64 × 32 pixels in one strip, as scanners write it (TIFF 6.0); 1 or 24 bits a pixel. */
static void tiff_page(cn_buf *tiff, bool colour, bool last)
{
    static const uint8_t zeros[64 * 32 * 3];
    const uint32_t n = colour ? sizeof zeros : 64 * 32 / 8, at = (uint32_t)tiff->n;
    const uint16_t fields = 9;
    const uint32_t next = last ? 0 : at + 2 + fields * 12 + 4 + n;
    cn_buf_add(tiff, &fields, sizeof fields);
    field(tiff, 256, 3, 64);
    field(tiff, 257, 3, 32);
    field(tiff, 258, 3, colour ? 8 : 1);
    field(tiff, 259, 3, 1);
    field(tiff, 262, 3, colour ? 2 : 0);
    field(tiff, 273, 4, at + 2 + fields * 12 + 4);
    field(tiff, 277, 3, colour ? 3 : 1);
    field(tiff, 278, 3, 32);
    field(tiff, 279, 4, n);
    cn_buf_add(tiff, &next, sizeof next);
    cn_buf_add(tiff, zeros, n);
}

static void a_scanned_tiff_becomes_pages(void **state)
{
    (void)state;
    char in[128], out[128];
    int pages = 0;
    cn_buf tiff = {0};
    cn_fmt(in, sizeof(in), "%s/scan", folder);
    cn_fmt(out, sizeof(out), "%s/scan.pdf", folder);
    cn_buf_add(&tiff, "II*\0\10\0\0\0", 8);
    tiff_page(&tiff, false, false);
    tiff_page(&tiff, false, false);
    tiff_page(&tiff, true, true);
    assert_ok(cn_file_write_durable(in, tiff.p, tiff.n, 0600));
    assert_ok(cn_scan_to_pdf(in, folder, 0, out));
    assert_ok(cn_pdf_pages(out, folder, &pages));
    assert_int_equal(pages, 3);
    assert_ok(cn_file_write_durable(in, tiff.p, 20, 0600));
    assert_int_equal(cn_scan_to_pdf(in, folder, 0, out), CN_ERR_UNSUPPORTED);
    cn_buf_free(&tiff);
}

static void a_webp_has_a_thumbnail(void **state)
{
    (void)state;
    static const char webp[] = "RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0\x2f\0\0\0\x10\x07\x10\x11\x11\x88\x88\xfe\x07\0";
    char in[128];
    cn_pictures *pictures = NULL;
    cn_tile *tile = NULL;
    cn_fmt(in, sizeof(in), "%s/webp", folder);
    assert_ok(cn_file_write_durable(in, webp, sizeof webp - 1, 0600));
    assert_ok(cn_pictures_new(&pictures, folder, 1 << 20));
    assert_ok(cn_picture_thumbnail(pictures, "w", in, "image/webp", 64, &tile));
    assert_memory_equal(tile->bytes, "\x89PNG", 4);
    cn_unref(tile);
    assert_ok(cn_file_write_durable(in, webp, 20, 0600));
    assert_int_equal(cn_picture_thumbnail(pictures, "v", in, "image/webp", 64, &tile), CN_ERR_CORRUPT);
    /* in no size is it tried again, as the good picture that stands there now shows */
    assert_ok(cn_file_write_durable(in, webp, sizeof webp - 1, 0600));
    assert_int_equal(cn_picture_thumbnail(pictures, "v", in, "image/webp", 65, &tile), CN_ERR_CORRUPT);
    cn_pictures_free(pictures);
}

/* A taken-over helper leaves a link in place of what it was to make. */
static void what_a_helper_left_is_a_file_of_its_own(void **state)
{
    (void)state;
    char key[128], made[128];
    cn_fmt(key, sizeof(key), "%s/key", folder);
    cn_fmt(made, sizeof(made), "%s/made.pdf", folder);
    assert_ok(cn_file_write_durable(key, "secret", 6, 0600));
    assert_err(cn_scratch_check(made, 100), CN_ERR_NOTFOUND);
    assert_int_equal(symlink(key, made), 0);
    assert_err(cn_scratch_check(made, 100), CN_ERR_CORRUPT);
    assert_int_equal(unlink(made), 0);
    assert_int_equal(link(key, made), 0);
    assert_err(cn_scratch_check(made, 100), CN_ERR_CORRUPT);
    assert_int_equal(unlink(key), 0);
    assert_ok(cn_scratch_check(made, 6));
    assert_err(cn_scratch_check(made, 5), CN_ERR_TOOBIG);
}

/* ---- links to the file next door ---- */

#define PICTURE "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

static uint32_t crc32_of(const uint8_t *bytes, size_t len)
{
    uint32_t crc = ~0u;
    for (size_t i = 0; i < 8 * len; i++) {
        if (i % 8 == 0) crc ^= bytes[i / 8];
        crc = crc & 1 ? crc >> 1 ^ 0xedb88320u : crc >> 1;
    }
    return ~crc;
}

typedef struct zip {
    cn_buf bytes, directory;
    unsigned files;
} zip;

/* One stored file (APPNOTE 4.3.7, 4.3.12). */
static void zip_add(zip *out, const char *name, const char *text)
{
    const uint32_t at = (uint32_t)out->bytes.n, n = (uint32_t)strlen(text), crc = crc32_of((const uint8_t *)text, n);
    const uint16_t version = 20, zeros[4] = {0}, name_n = (uint16_t)strlen(name), extra = 0;
    const uint32_t sizes[3] = {crc, n, n}, attributes = 0;
    cn_buf *const to[] = {&out->bytes, &out->directory};
    cn_buf_str(&out->bytes, "PK\3\4");
    cn_buf_str(&out->directory, "PK\1\2");
    cn_buf_add(&out->directory, &version, 2);
    for (int i = 0; i < 2; i++) {
        cn_buf_add(to[i], &version, 2);
        cn_buf_add(to[i], zeros, 8);
        cn_buf_add(to[i], sizes, sizeof sizes);
        cn_buf_add(to[i], &name_n, 2);
        cn_buf_add(to[i], &extra, 2);
    }
    cn_buf_add(&out->directory, zeros, 6);
    cn_buf_add(&out->directory, &attributes, 4);
    cn_buf_add(&out->directory, &at, 4);
    for (int i = 0; i < 2; i++) cn_buf_str(to[i], name);
    cn_buf_str(&out->bytes, text);
    out->files++;
}

static void zip_end(zip *out)
{
    const uint16_t zero = 0, files = (uint16_t)out->files;
    const uint32_t places[2] = {(uint32_t)out->directory.n, (uint32_t)out->bytes.n};
    cn_buf_add(&out->bytes, out->directory.p, out->directory.n);
    cn_buf_str(&out->bytes, "PK\5\6");
    for (int i = 0; i < 2; i++) cn_buf_add(&out->bytes, &zero, 2);
    for (int i = 0; i < 2; i++) cn_buf_add(&out->bytes, &files, 2);
    cn_buf_add(&out->bytes, places, sizeof places);
    cn_buf_add(&out->bytes, &zero, 2);
    cn_buf_free(&out->directory);
}

static void linked_docx(const char *url, cn_buf *out)
{
    zip file = {.files = 0};
    cn_buf rels = {0};
    zip_add(&file, "[Content_Types].xml",
            "<?xml version=\"1.0\"?><Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">"
            "<Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>"
            "<Override PartName=\"/word/document.xml\" ContentType=\"application/vnd.openxmlformats-officedocument."
            "wordprocessingml.document.main+xml\"/></Types>");
#define RELS                                                                                                        \
    "<?xml version=\"1.0\"?><Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">" \
    "<Relationship Id=\"r1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
    zip_add(&file, "_rels/.rels", RELS "officeDocument\" Target=\"word/document.xml\"/></Relationships>");
    cn_buf_fmt(&rels, RELS "image\" Target=\"%s\" TargetMode=\"External\"/></Relationships>", url);
    zip_add(&file, "word/_rels/document.xml.rels", rels.p);
    zip_add(
        &file, "word/document.xml",
        "<?xml version=\"1.0\"?><w:document xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\" "
        "xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\" "
        "xmlns:a=\"http://schemas.openxmlformats.org/drawingml/2006/main\" "
        "xmlns:wp=\"http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing\" "
        "xmlns:pic=\"http://schemas.openxmlformats.org/drawingml/2006/picture\"><w:body><w:p><w:r><w:t>page</w:t>"
        "</w:r><w:r><w:drawing><wp:inline><wp:extent cx=\"914400\" cy=\"914400\"/><wp:docPr id=\"1\" name=\"p\"/>"
        "<a:graphic><a:graphicData uri=\"http://schemas.openxmlformats.org/drawingml/2006/picture\"><pic:pic>"
        "<pic:nvPicPr><pic:cNvPr id=\"1\" name=\"p\"/><pic:cNvPicPr/></pic:nvPicPr><pic:blipFill><a:blip "
        "r:link=\"r1\"/><a:stretch><a:fillRect/></a:stretch></pic:blipFill><pic:spPr><a:xfrm><a:off x=\"0\" "
        "y=\"0\"/><a:ext cx=\"914400\" cy=\"914400\"/></a:xfrm><a:prstGeom prst=\"rect\"><a:avLst/></a:prstGeom>"
        "</pic:spPr></pic:pic></a:graphicData></a:graphic></wp:inline></w:drawing></w:r></w:p></w:body></w:document>");
    zip_end(&file);
    cn_buf_add(out, file.bytes.p, file.bytes.n);
    cn_buf_free(&file.bytes);
    cn_buf_free(&rels);
}

static void linked_html(const char *url, cn_buf *out)
{
    cn_buf_fmt(out, "<html><meta charset=utf-8><body><p>page</p><img src=\"%s\" width=90 height=90></body></html>",
               url);
}

static void linked_rtf(const char *url, cn_buf *out)
{
    cn_buf_fmt(out, "{\\rtf1 page {\\field{\\*\\fldinst INCLUDEPICTURE \"%s\" \\\\d}{\\fldrslt x}}}", url);
}

static void linked_flat(const char *url, cn_buf *out)
{
    cn_buf_fmt(
        out,
        "<?xml version=\"1.0\"?><office:document xmlns:office=\"urn:oasis:names:tc:opendocument:xmlns:office:1.0\" "
        "xmlns:text=\"urn:oasis:names:tc:opendocument:xmlns:text:1.0\" xmlns:draw=\"urn:oasis:names:tc:"
        "opendocument:xmlns:drawing:1.0\" xmlns:svg=\"urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0\" "
        "xmlns:xlink=\"http://www.w3.org/1999/xlink\" office:version=\"1.3\" office:mimetype=\"application/vnd."
        "oasis.opendocument.text\"><office:body><office:text><text:p>page<draw:frame text:anchor-type=\"as-char\" "
        "svg:width=\"2cm\" svg:height=\"2cm\"><draw:image xlink:href=\"%s\" xlink:type=\"simple\"/></draw:frame>"
        "</text:p></office:text></office:body></office:document>",
        url);
}

static int pictures_in(const char *extension, const cn_buf *bytes)
{
    char out[128], list[128], *text = NULL;
    int pages = 0, n = -2; /* two lines of head */
    CN_AUTO_FREE char *words = converted(extension, bytes->p, bytes->n, &pages);
    assert_non_null(strstr(words, "page"));
    cn_fmt(out, sizeof(out), "%s/out.pdf", folder);
    cn_fmt(list, sizeof(list), "%s/pictures", folder);
    shell("exec pdfimages -list \"$0\" > \"$1\"", out, list);
    assert_ok(cn_file_read(list, 1 << 20, &text, NULL));
    for (const char *at = text; (at = strchr(at, '\n')); at++) n++;
    free(text);
    return n;
}

/* A picture that the document itself holds is in the PDF; one that lies beside it, readable for the server, is not. */
static void a_linked_file_does_not_get_in(void **state)
{
    (void)state;
    static const struct {
        const char *extension;
        void (*make)(const char *url, cn_buf *out);
    } kinds[] = {{"html", linked_html}, {"docx", linked_docx}, {"rtf", linked_rtf}, {"odt", linked_flat}};
    char beside[128], url[160];
    uint8_t picture[128];
    size_t n = 0;
    cn_buf own = {0};
    cn_fmt(beside, sizeof(beside), "%s/beside.png", folder);
    cn_fmt(url, sizeof(url), "file://%s", beside);
    assert_true(cn_unb64(PICTURE, strlen(PICTURE), picture, sizeof picture, &n));
    assert_ok(cn_file_write_durable(beside, picture, n, 0644));
    linked_html("data:image/png;base64," PICTURE, &own);
    assert_true(pictures_in("html", &own) > 0);
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        cn_buf linked = {0};
        print_message("%s\n", kinds[i].extension);
        kinds[i].make(url, &linked);
        assert_int_equal(pictures_in(kinds[i].extension, &linked), 0);
        cn_buf_free(&linked);
    }
    cn_buf_free(&own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_linked_file_does_not_get_in),
                                       cmocka_unit_test(what_a_helper_left_is_a_file_of_its_own),
                                       cmocka_unit_test(a_scanned_tiff_becomes_pages),
                                       cmocka_unit_test(a_webp_has_a_thumbnail),

                                       cmocka_unit_test(a_text_says_what_its_author_wrote),
                                       cmocka_unit_test(a_wide_sheet_is_one_page_wide),
                                       cmocka_unit_test(what_hospital_systems_call_a_doc),
                                       cmocka_unit_test(a_password_is_told_from_damage),
                                       cmocka_unit_test(a_text_becomes_a_pdf_with_a_thumbnail),
                                       cmocka_unit_test(what_is_no_document_is_refused)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
