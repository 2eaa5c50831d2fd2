// Sniffing and the lines of the file of heads on arbitrary bytes.
// covers: storage/files/sniff.c
#include <stddef.h>
#include <stdint.h>

#include "storage/chain/chain_private.h"
#include "storage/files/files.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cn_head head;
    char line[CN_HEAD_TEXT];
    (void)cn_files_sniff(data, size, data, size);
    size_t middle = size / 2; /* a large file: its beginning and its end are apart */
    (void)cn_files_sniff(data, middle, data + middle, size - middle);
    if (cn_head_parse((const char *)data, size, &head) && !cn_head_format(&head, line)) __builtin_trap();
    return 0;
}
