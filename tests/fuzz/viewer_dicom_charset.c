// Texts in any character set: the first byte says how many bytes of (0008,0005) follow, the next how the text is used; then the text. Whatever it is becomes UTF-8.
// covers: viewer/dicom/decoder/charset.c
#include <stdint.h>
#include <string.h>

#include "viewer/dicom/decoder/charset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cn_charset charset;
    cn_buf out = {.p = NULL};
    if (size < 2 || (size_t)data[0] + 2 > size) return 0;
    cn_charset_load();
    cn_charset_read(&charset, (const char *)data + 2, data[0]);
    cn_charset_text(&charset, (cn_charset_use)(data[1] % 3), (const char *)data + 2 + data[0], size - 2 - data[0],
                    &out);
    if (out.n && (!cn_utf8_valid(out.p, out.n) || memchr(out.p, 0, out.n))) __builtin_trap();
    cn_buf_free(&out);
    return 0;
}
