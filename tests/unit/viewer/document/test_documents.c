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
    cn_pictures_free(pictures);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_scanned_tiff_becomes_pages),          cmocka_unit_test(a_webp_has_a_thumbnail),

        cmocka_unit_test(a_text_says_what_its_author_wrote),     cmocka_unit_test(a_wide_sheet_is_one_page_wide),
        cmocka_unit_test(what_hospital_systems_call_a_doc),      cmocka_unit_test(a_password_is_told_from_damage),
        cmocka_unit_test(a_text_becomes_a_pdf_with_a_thumbnail), cmocka_unit_test(what_is_no_document_is_refused)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
