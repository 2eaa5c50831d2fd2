/* Any bytes as dependency descriptors, the first one perhaps with a structure: what was read fits the arrays, and a
 * rewritten descriptor says the same. The first byte is the length of the first descriptor. */
// covers: media/wire/depdesc.c
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "media/wire/depdesc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const cn_depdesc *depdesc, const cn_dd_structure *structure)
{
    if (depdesc->sid >= CN_DD_SPATIAL || depdesc->tid >= CN_DD_TEMPORAL || depdesc->fdiff_count > CN_DD_FDIFFS) abort();
    if (structure->target_count > CN_DD_TARGETS || structure->template_count > CN_DD_TEMPLATES) abort();
    cn_dd_layout layout;
    cn_dd_layout_of(structure, &layout);
    for (unsigned i = 0; i < CN_DD_SPATIAL; i++)
        for (unsigned t = 0; t < CN_DD_TEMPORAL; t++)
            if (layout.target_of[i][t] >= structure->target_count) abort();
}

static void rewrite(const uint8_t *bytes, size_t length, const cn_depdesc *depdesc, const cn_dd_structure *known)
{
    uint32_t all = (uint32_t)((1ull << depdesc->target_count) - 1);
    uint32_t masks[] = {0, 1, all};
    uint8_t *out = malloc(CN_DD_MAX);
    for (unsigned i = 0; i < 3; i++) {
        size_t len = cn_depdesc_rewrite(out, CN_DD_MAX, bytes, length, 0x1234, depdesc->active_at, depdesc->has_active,
                                        depdesc->target_count, masks[i]);
        if (!len) continue;
        cn_depdesc again;
        cn_dd_structure structure;
        if (cn_depdesc_parse(&again, out, len, known, &structure) != CN_OK) abort();
        if (again.frame_number != 0x1234 || again.dtis != depdesc->dtis || again.sid != depdesc->sid ||
            again.tid != depdesc->tid)
            abort();
        if (masks[i] && again.active != masks[i]) abort();
        if (memcmp(again.fdiff, depdesc->fdiff, sizeof depdesc->fdiff) != 0) abort();
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
    cn_dd_structure structure, fresh;
    cn_depdesc depdesc;
    bool known = cn_depdesc_parse(&depdesc, a, first, NULL, &structure) == CN_OK;
    if (known) {
        check(&depdesc, &structure);
        rewrite(a, first, &depdesc, NULL);
    }
    if (cn_depdesc_parse(&depdesc, b, n, known ? &structure : NULL, &fresh) == CN_OK) {
        check(&depdesc, depdesc.has_structure ? &fresh : &structure);
        rewrite(b, n, &depdesc, known ? &structure : NULL);
    }
    free(a);
    free(b);
    return 0;
}
