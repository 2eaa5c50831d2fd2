#include "signaling/metrics/promtext.h"

#include <math.h>

#define PREFIX "consilium_"

static void escaped(cn_buf *buf, const char *text)
{
    for (; *text; text++) {
        if (*text == '\\')
            cn_buf_str(buf, "\\\\");
        else if (*text == '"')
            cn_buf_str(buf, "\\\"");
        else if (*text == '\n')
            cn_buf_str(buf, "\\n");
        else
            cn_buf_add(buf, text, 1);
    }
}

void cn_prom_family(cn_buf *buf, const char *name, const char *type, const char *help)
{
    cn_buf_fmt(buf, "# HELP " PREFIX "%s %s\n# TYPE " PREFIX "%s %s\n", name, help, name, type);
}

static void head(cn_buf *buf, const char *name, const char *suffix, const cn_prom_label *labels, size_t count)
{
    cn_buf_str(buf, PREFIX);
    cn_buf_str(buf, name);
    cn_buf_str(buf, suffix);
    for (size_t i = 0; i < count; i++) {
        cn_buf_str(buf, i ? "," : "{");
        cn_buf_str(buf, labels[i].name);
        cn_buf_str(buf, "=\"");
        escaped(buf, labels[i].value);
        cn_buf_str(buf, "\"");
    }
    cn_buf_str(buf, count ? "} " : " ");
}

static void number(cn_buf *buf, double value)
{
    if (isnan(value))
        cn_buf_str(buf, "NaN\n");
    else if (isinf(value))
        cn_buf_str(buf, value > 0 ? "+Inf\n" : "-Inf\n");
    else
        cn_buf_fmt(buf, "%.9g\n", value);
}

void cn_prom_sample(cn_buf *buf, const char *name, const cn_prom_label *labels, size_t count, double value)
{
    head(buf, name, "", labels, count);
    number(buf, value);
}

void cn_prom_count(cn_buf *buf, const char *name, const cn_prom_label *labels, size_t count, uint64_t value)
{
    head(buf, name, "", labels, count);
    cn_buf_fmt(buf, "%llu\n", (unsigned long long)value);
}

void cn_prom_single(cn_buf *buf, const char *name, const char *type, const char *help, uint64_t value)
{
    cn_prom_family(buf, name, type, help);
    cn_prom_count(buf, name, NULL, 0, value);
}

void cn_prom_histogram(cn_buf *buf, const char *name, const cn_prom_label *labels, size_t count, const uint32_t *bound,
                       size_t bounds, double unit, const uint64_t *counts, double sum)
{
    cn_prom_label all[CN_PROM_LABELS];
    uint64_t total = 0;
    for (size_t i = 0; i < count; i++) all[i] = labels[i];
    for (size_t i = 0; i <= bounds; i++) {
        char le[32] = "+Inf";
        if (i < bounds) (void)cn_fmt(le, sizeof le, "%.9g", bound[i] * unit);
        all[count] = (cn_prom_label){"le", le};
        total += counts[i];
        head(buf, name, "_bucket", all, count + 1);
        cn_buf_fmt(buf, "%llu\n", (unsigned long long)total);
    }
    head(buf, name, "_sum", labels, count);
    number(buf, sum);
    head(buf, name, "_count", labels, count);
    cn_buf_fmt(buf, "%llu\n", (unsigned long long)total);
}
