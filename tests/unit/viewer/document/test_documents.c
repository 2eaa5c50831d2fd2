/* Documents through the real LibreOffice and poppler, in their limits. */
#include "cn_test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_text_becomes_a_pdf_with_a_thumbnail),
                                       cmocka_unit_test(what_is_no_document_is_refused)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
