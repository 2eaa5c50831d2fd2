/* Any bytes as dependency descriptors, the first one perhaps with a structure: what was read fits the arrays, and a
 * rewritten descriptor says the same. The first byte is the length of the first descriptor. */
// covers: media/wire/depdesc.c
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "media/wire/depdesc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const cn_depdesc *d, const cn_dd_structure *s)
{
    if (d->sid >= CN_DD_SPATIAL || d->tid >= CN_DD_TEMPORAL || d->fdiff_count > CN_DD_FDIFFS) abort();
    if (s->target_count > CN_DD_TARGETS || s->template_count > CN_DD_TEMPLATES) abort();
    cn_dd_layout l;
    cn_dd_layout_of(s, &l);
    for (unsigned i = 0; i < CN_DD_SPATIAL; i++)
        for (unsigned t = 0; t < CN_DD_TEMPORAL; t++)
            if (l.target_of[i][t] >= s->target_count) abort();
}

static void rewrite(const uint8_t *p, size_t n, const cn_depdesc *d, const cn_dd_structure *known)
{
    uint32_t all = (uint32_t)((1ull << d->target_count) - 1);
    uint32_t masks[] = {0, 1, all};
    uint8_t *out = malloc(CN_DD_MAX);
    for (unsigned i = 0; i < 3; i++) {
        size_t len =
            cn_depdesc_rewrite(out, CN_DD_MAX, p, n, 0x1234, d->active_at, d->has_active, d->target_count, masks[i]);
        if (!len) continue;
        cn_depdesc again;
        cn_dd_structure s;
        if (cn_depdesc_parse(&again, out, len, known, &s) != CN_OK) abort();
        if (again.frame_number != 0x1234 || again.dtis != d->dtis || again.sid != d->sid || again.tid != d->tid)
            abort();
        if (masks[i] && again.active != masks[i]) abort();
        if (memcmp(again.fdiff, d->fdiff, sizeof d->fdiff) != 0) abort();
    }
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size || size > 2 * CN_DD_MAX) return 0;
    size_t first = data[0] < size - 1 ? data[0] : size - 1, n = size - 1 - first;
    if (first > CN_DD_MAX || n > CN_DD_MAX) return 0;
    /* so that a read past the end is seen */
    uint8_t *a = malloc(first + 1);
    uint8_t *b = malloc(n + 1);
    memcpy(a, data + 1, first);
    memcpy(b, data + 1 + first, n);
    cn_dd_structure s, fresh;
    cn_depdesc d;
    bool known = cn_depdesc_parse(&d, a, first, NULL, &s) == CN_OK;
    if (known) {
        check(&d, &s);
        rewrite(a, first, &d, NULL);
    }
    if (cn_depdesc_parse(&d, b, n, known ? &s : NULL, &fresh) == CN_OK) {
        check(&d, d.has_structure ? &fresh : &s);
        rewrite(b, n, &d, known ? &s : NULL);
    }
    free(a);
    free(b);
    return 0;
}
