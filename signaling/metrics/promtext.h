/* Prometheus' text exposition format 0.0.4, written into a buffer. Pure; any thread. */
#ifndef CN_SIGNALING_PROMTEXT_H
#define CN_SIGNALING_PROMTEXT_H

#include "base/str.h"

#define CN_PROM_LABELS 4 /* of one sample at most */

typedef struct cn_prom_label {
    const char *name, *value;
} cn_prom_label;

/** Begins a family: `name` without the common prefix "consilium_", `type` "counter", "gauge" or "histogram". All of
 * its samples have to follow before the next family. A counter's name ends in "_total". */
void cn_prom_family(cn_buf *buf, const char *name, const char *type, const char *help);

/** One sample; `labels` may be NULL when `count` is 0. Values are escaped. */
void cn_prom_sample(cn_buf *buf, const char *name, const cn_prom_label *labels, size_t count, double value);
void cn_prom_count(cn_buf *buf, const char *name, const cn_prom_label *labels, size_t count, uint64_t value);

/** A whole family of one sample without labels. */
void cn_prom_single(cn_buf *buf, const char *name, const char *type, const char *help, uint64_t value);

/** The samples of one histogram: `counts` has `bounds` + 1 members, not cumulative; `unit` is what a bound is in the
 * base unit (1e-6: bounds in microseconds, reported in seconds). `count` < CN_PROM_LABELS. */
void cn_prom_histogram(cn_buf *buf, const char *name, const cn_prom_label *labels, size_t count, const uint32_t *bound,
                       size_t bounds, double unit, const uint64_t *counts, double sum);

#endif
