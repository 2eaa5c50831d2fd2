#include "viewer/dicom/decoder/dictionary.h"

#include <stdlib.h>

#include "base/mem.h"

static cn_dictionary_row *rows;
static size_t count;

static int by_tag(const void *left, const void *right)
{
    uint32_t one = ((const cn_dictionary_row *)left)->tag, other = ((const cn_dictionary_row *)right)->tag;
    return one < other ? -1 : one > other;
}

bool cn_dictionary_load(void)
{
    if (rows) return true;
    size_t all = cn_dcmtk_dictionary(NULL, 0);
    rows = all ? cn_calloc(all, sizeof(*rows)) : NULL;
    if (!rows) return false;
    count = cn_dcmtk_dictionary(rows, all);
    qsort(rows, count, sizeof(*rows), by_tag);
    return true;
}

/* Curves and overlays repeat every second group (PS3.5 §7.6): the first one's stand for all. */
static uint32_t first_of(uint32_t tag)
{
    uint32_t group = tag >> 24;
    bool repeats = (group == 0x50 || group == 0x60) && !(tag & 0x10000);
    return repeats ? tag & 0xff00ffffu : tag;
}

static const cn_dictionary_row *find(uint32_t tag)
{
    const cn_dictionary_row key = {.tag = first_of(tag)};
    return count ? bsearch(&key, rows, count, sizeof(*rows), by_tag) : NULL;
}

const char *cn_dictionary_vr(uint32_t tag)
{
    const cn_dictionary_row *row = find(tag);
    if (row) return row->vr;
    if ((tag & 0xffff) == 0) return "UL";                                                 /* group length */
    if ((tag & 0x10000) && (tag & 0xffff) >= 0x10 && (tag & 0xffff) <= 0xff) return "LO"; /* private creator */
    return NULL;
}

const char *cn_dictionary_name(uint32_t tag)
{
    const cn_dictionary_row *row = find(tag);
    return row ? row->name : "";
}
