#include "signaling/metrics/promtext.h"

#include <math.h>

#define PREFIX "consilium_"

static void escaped(cn_buf *b, const char *text)
{
    for (; *text; text++) {
        if (*text == '\\')
            cn_buf_str(b, "\\\\");
        else if (*text == '"')
            cn_buf_str(b, "\\\"");
        else if (*text == '\n')
            cn_buf_str(b, "\\n");
        else
            cn_buf_add(b, text, 1);
    }
}

void cn_prom_family(cn_buf *b, const char *name, const char *type, const char *help)
{
    cn_buf_fmt(b, "# HELP " PREFIX "%s %s\n# TYPE " PREFIX "%s %s\n", name, help, name, type);
}

static void head(cn_buf *b, const char *name, const char *suffix, const cn_prom_label *labels, size_t n)
{
    cn_buf_str(b, PREFIX);
    cn_buf_str(b, name);
    cn_buf_str(b, suffix);
    for (size_t i = 0; i < n; i++) {
        cn_buf_str(b, i ? "," : "{");
        cn_buf_str(b, labels[i].name);
        cn_buf_str(b, "=\"");
        escaped(b, labels[i].value);
        cn_buf_str(b, "\"");
    }
    cn_buf_str(b, n ? "} " : " ");
}

static void number(cn_buf *b, double value)
{
    if (isnan(value))
        cn_buf_str(b, "NaN\n");
    else if (isinf(value))
        cn_buf_str(b, value > 0 ? "+Inf\n" : "-Inf\n");
    else
        cn_buf_fmt(b, "%.9g\n", value);
}

void cn_prom_sample(cn_buf *b, const char *name, const cn_prom_label *labels, size_t n, double value)
{
    head(b, name, "", labels, n);
    number(b, value);
}

void cn_prom_count(cn_buf *b, const char *name, const cn_prom_label *labels, size_t n, uint64_t value)
{
    head(b, name, "", labels, n);
    cn_buf_fmt(b, "%llu\n", (unsigned long long)value);
}

void cn_prom_single(cn_buf *b, const char *name, const char *type, const char *help, uint64_t value)
{
    cn_prom_family(b, name, type, help);
    cn_prom_count(b, name, NULL, 0, value);
}

void cn_prom_histogram(cn_buf *b, const char *name, const cn_prom_label *labels, size_t n, const uint32_t *bound,
                       size_t bounds, double unit, const uint64_t *counts, double sum)
{
    cn_prom_label all[CN_PROM_LABELS];
    uint64_t total = 0;
    for (size_t i = 0; i < n; i++) all[i] = labels[i];
    for (size_t i = 0; i <= bounds; i++) {
        char le[32] = "+Inf";
        if (i < bounds) (void)cn_fmt(le, sizeof le, "%.9g", bound[i] * unit);
        all[n] = (cn_prom_label){"le", le};
        total += counts[i];
        head(b, name, "_bucket", all, n + 1);
        cn_buf_fmt(b, "%llu\n", (unsigned long long)total);
    }
    head(b, name, "_sum", labels, n);
    number(b, sum);
    head(b, name, "_count", labels, n);
    cn_buf_fmt(b, "%llu\n", (unsigned long long)total);
}
