/* Any bytes as a file of heads: every line is a head that can be written as it was read, or is counted as none. */
// covers: storage/chain/head.c
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "input.h"
#include "storage/chain/chain_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t lines_of(const uint8_t *data, size_t size)
{
    size_t lines = 0, from = 0;
    for (size_t i = 0; i < size; i++) {
        if (data[i] != '\n') continue;
        lines += i > from;
        from = i + 1;
    }
    return lines;
}

static void again(const cn_head *head)
{
    char text[CN_HEAD_TEXT];
    cn_head back;
    must(head->counter >= 1 && *head->log && *head->node && *head->boot);
    if (!cn_head_format(head, text)) return; /* too long for a line of ours */
    must(cn_head_parse(text, strlen(text), &back) && memcmp(head, &back, sizeof back) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cn_head *heads = NULL;
    size_t count = 0, bad = 0;
    char *text = malloc(size + 1); /* its bounds are the sanitizer's */
    if (!text) return 0;
    if (size) memcpy(text, data, size);
    if (cn_heads_parse(text, size, &heads, &count, &bad) == CN_OK) {
        must(count + bad == lines_of(data, size));
        for (size_t i = 0; i < count; i++) {
            again(&heads[i]);
            if (i == 0) continue;
            int order = cn_head_by_chain(&heads[i - 1], &heads[i]);
            must(order < 0 || (order == 0 && heads[i - 1].counter <= heads[i].counter));
        }
    }
    free(heads);
    free(text);
    return 0;
}
