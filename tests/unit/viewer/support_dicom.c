#include "cn_test.h"

#include "support_dicom.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"

cn_dicom_readers *readers;
cn_dicom_reader *reader;

int dicom_setup(void **state)
{
    (void)state;
    assert_int_equal(cn_dicom_readers_new(&readers, CN_BUILD_DIR "/consilium-dicom", 2), CN_OK);
    assert_int_equal(cn_dicom_reader_open(readers, &reader), CN_OK);
    return 0;
}

int dicom_teardown(void **state)
{
    (void)state;
    cn_dicom_reader_close(reader);
    cn_dicom_readers_free(readers);
    return 0;
}

bool have_shared(void)
{
    if (access(DICOM_SHARED "dicom", R_OK) == 0) return true;
    print_message("skipped: no ../shared/data\n");
    return false;
}

static void number(cn_buf *file, uint32_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) cn_buf_add(file, &(char){(char)(value >> (8 * i))}, 1);
}

void dicom_head(cn_buf *file, uint32_t tag, const char *vr, uint32_t length)
{
    number(file, tag >> 16, 2);
    number(file, tag & 0xffff, 2);
    cn_buf_add(file, vr, 2);
    if (strstr("OB OD OF OL OV OW SQ SV UC UN UR UT UV", vr)) {
        number(file, 0, 2);
        number(file, length, 4);
    } else
        number(file, length, 2);
}

void dicom_bytes(cn_buf *file, uint32_t tag, const char *vr, const void *bytes, size_t n)
{
    dicom_head(file, tag, vr, (uint32_t)(n + (n & 1)));
    cn_buf_add(file, bytes, n);
    if (n & 1) cn_buf_add(file, strcmp(vr, "UI") == 0 || vr[0] == 'O' ? "\0" : " ", 1);
}

void dicom_text(cn_buf *file, uint32_t tag, const char *vr, const char *text)
{
    dicom_bytes(file, tag, vr, text, strlen(text));
}

void dicom_us(cn_buf *file, uint32_t tag, unsigned value)
{
    dicom_head(file, tag, "US", 2);
    number(file, value, 2);
}

void dicom_item(cn_buf *file, uint32_t tag, uint32_t length)
{
    number(file, tag >> 16, 2);
    number(file, tag & 0xffff, 2);
    number(file, length, 4);
}

void dicom_begin(cn_buf *file, const char *syntax)
{
    const char preamble[128] = {0};
    cn_buf_add(file, preamble, sizeof(preamble));
    cn_buf_str(file, "DICM");
    dicom_text(file, 0x00020002, "UI", "1.2.840.10008.5.1.4.1.1.7");
    dicom_text(file, 0x00020003, "UI", "1.2.3.4");
    dicom_text(file, 0x00020010, "UI", syntax);
}

void dicom_image(cn_buf *file, const char *charset, const char *name, unsigned rows, unsigned columns, unsigned frames)
{
    char text[16];
    if (charset) dicom_text(file, 0x00080005, "CS", charset);
    dicom_text(file, 0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.7");
    dicom_text(file, 0x00080018, "UI", "1.2.3.4");
    dicom_text(file, 0x00100010, "PN", name);
    dicom_text(file, 0x00100020, "LO", "ID-4711");
    dicom_text(file, 0x0020000d, "UI", "1.2.3");
    dicom_text(file, 0x0020000e, "UI", "1.2.3.1");
    if (!rows) return;
    snprintf(text, sizeof(text), "%u", frames);
    dicom_us(file, 0x00280002, 1);
    dicom_text(file, 0x00280004, "CS", "MONOCHROME2");
    dicom_text(file, 0x00280008, "IS", text);
    dicom_us(file, 0x00280010, rows);
    dicom_us(file, 0x00280011, columns);
    dicom_us(file, 0x00280100, 8);
    dicom_us(file, 0x00280101, 8);
    dicom_us(file, 0x00280102, 7);
    dicom_us(file, 0x00280103, 0);
}

int dicom_open(cn_buf *file)
{
    int fd = memfd_create("dicom", MFD_CLOEXEC);
    assert_true(fd >= 0 && file->err == CN_OK);
    assert_int_equal(cn_write_all(fd, file->p, file->n), CN_OK);
    cn_buf_free(file);
    return fd;
}
