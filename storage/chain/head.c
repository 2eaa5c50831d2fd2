/* A head as a line of the file of heads, and such a file's text. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "storage/chain/chain_private.h"

bool cn_head_format(const cn_head *head, char out[CN_HEAD_TEXT])
{
    char link[2 * CN_CHAIN_LINK + 1], at[CN_TIME_TEXT];
    cn_hex(head->link, CN_CHAIN_LINK, link);
    cn_time_format(cn_wall_ms(), at);
    return cn_fmt(out, CN_HEAD_TEXT, "%s %s %s %" PRId64 " %s %s", head->log, head->node, head->boot, head->counter,
                  link, at);
}

/* Next word of a line, at most size - 1 bytes; false when there is none or it is longer. */
static bool word(const char **at, const char *end, char *out, size_t size)
{
    const char *from = *at;
    const char *space = memchr(from, ' ', (size_t)(end - from));
    const char *to = space ? space : end;
    size_t n = (size_t)(to - from);
    if (n == 0 || n >= size || memchr(from, 0, n)) return false;
    memcpy(out, from, n);
    out[n] = 0;
    *at = space ? to + 1 : to;
    return true;
}

bool cn_head_parse(const char *line, size_t len, cn_head *out)
{
    char counter[24], link[2 * CN_CHAIN_LINK + 1];
    const char *p = line, *end = line + len;
    memset(out, 0, sizeof *out);
    return word(&p, end, out->log, sizeof out->log) && word(&p, end, out->node, sizeof out->node) &&
           word(&p, end, out->boot, sizeof out->boot) && word(&p, end, counter, sizeof counter) &&
           word(&p, end, link, sizeof link) && cn_parse_i64(counter, 1, INT64_MAX, &out->counter) &&
           cn_unhex(link, out->link, CN_CHAIN_LINK);
}

int cn_head_by_chain(const cn_head *left, const cn_head *right)
{
    int c = strcmp(left->log, right->log);
    if (c == 0) c = strcmp(left->node, right->node);
    return c ? c : strcmp(left->boot, right->boot);
}

static int by_place(const void *left, const void *right)
{
    const cn_head *head = left, *header = right;
    int c = cn_head_by_chain(head, header);
    return c ? c : (head->counter > header->counter) - (head->counter < header->counter);
}

void cn_heads_sort(cn_head *heads, size_t count)
{
    if (count) qsort(heads, count, sizeof *heads, by_place);
}

/* A last line without its end is what a power cut left of a head that was never answered for. */
cn_err cn_heads_parse(const char *text, size_t size, cn_head **out, size_t *count, size_t *bad)
{
    size_t lines = 0;
    for (const char *p = text; (p = memchr(p, '\n', size - (size_t)(p - text))); p++) lines++;
    cn_head *heads = cn_calloc(lines + 1, sizeof *heads);
    if (!heads) return CN_ERR_NOMEM;
    const char *p = text;
    *count = *bad = 0;
    for (size_t i = 0; i < lines; i++) {
        const char *end = memchr(p, '\n', size - (size_t)(p - text));
        if (cn_head_parse(p, (size_t)(end - p), &heads[*count]))
            ++*count;
        else if (end > p)
            ++*bad;
        p = end + 1;
    }
    cn_heads_sort(heads, *count);
    *out = heads;
    return CN_OK;
}
