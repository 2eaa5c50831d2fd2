#include "viewer/ecg/reader/record.h"

#include <ctype.h>
#include <math.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/str.h"

#define MAX_RATE 50000.0
#define MAX_STEP 1e6

void cn_ecg_init(cn_ecg *ecg)
{
    memset(ecg, 0, sizeof(*ecg));
    ecg->calibrated = true;
    ecg->measured = (cn_ecg_measured){NAN, NAN, NAN, NAN, NAN, NAN};
}

void cn_ecg_clear(cn_ecg *ecg)
{
    for (size_t i = 0; i < CN_ECG_LEADS; i++) {
        free(ecg->rhythm.lead[i].samples);
        free(ecg->median.lead[i].samples);
    }
    cn_ecg_init(ecg);
}

cn_err cn_ecg_take(cn_ecg *ecg, cn_ecg_leads *leads, const char *name, int16_t *samples, size_t n, double step)
{
    cn_err err = CN_OK;
    if (!samples || n == 0 || !(step > 0) || step > MAX_STEP || !(leads->rate > 0) || leads->rate > MAX_RATE)
        err = CN_ERR_CORRUPT;
    else if (leads->n == CN_ECG_LEADS || n > CN_ECG_SAMPLES - ecg->samples)
        err = CN_ERR_TOOBIG;
    if (err != CN_OK) {
        free(samples);
        return err;
    }
    cn_ecg_lead *lead = &leads->lead[leads->n++];
    *lead = (cn_ecg_lead){.count = n, .samples = samples, .step = step};
    cn_strcpy(lead->name, sizeof(lead->name), name);
    ecg->samples += n;
    return CN_OK;
}

/* So many values to one step that the highest fits. */
static int32_t divisor_of(const int32_t *values, size_t n, int32_t absent)
{
    int64_t highest = 0;
    for (size_t i = 0; i < n; i++) {
        int64_t value = values[i] == absent ? 0 : values[i] < 0 ? -(int64_t)values[i] : values[i];
        if (value > highest) highest = value;
    }
    return (int32_t)((highest + INT16_MAX - 1) / INT16_MAX);
}

cn_err cn_ecg_add(cn_ecg *ecg, cn_ecg_leads *leads, const char *name, const int32_t *values, size_t n, double step,
                  int32_t absent)
{
    if (n > CN_ECG_SAMPLES - ecg->samples) return CN_ERR_TOOBIG;
    int16_t *samples = cn_calloc(n ? n : 1, sizeof(*samples));
    if (!samples) return CN_ERR_NOMEM;
    int32_t by = divisor_of(values, n, absent);
    for (size_t i = 0; i < n; i++)
        samples[i] =
            values[i] == absent ? CN_ECG_ABSENT : (int16_t)(by > 1 ? lround((double)values[i] / by) : values[i]);
    return cn_ecg_take(ecg, leads, name, samples, n, by > 1 ? step * by : step);
}

/* ---- leads that follow from others (Einthoven, Goldberger) ---- */

static const cn_ecg_lead *named(const cn_ecg_leads *leads, const char *name)
{
    for (size_t i = 0; i < leads->n; i++)
        if (strcmp(leads->lead[i].name, name) == 0) return &leads->lead[i];
    return NULL;
}

static cn_err derive(cn_ecg *ecg, cn_ecg_leads *leads, const char *name, double of_one, double of_two)
{
    const cn_ecg_lead *one = named(leads, "I"), *two = named(leads, "II");
    if (!one || !two || named(leads, name) || one->first != two->first) return CN_OK;
    size_t n = one->count < two->count ? one->count : two->count;
    double step = one->step < two->step ? one->step : two->step;
    CN_AUTO_FREE int32_t *values = cn_calloc(n ? n : 1, sizeof(*values));
    if (!values) return CN_ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        bool absent = one->samples[i] == CN_ECG_ABSENT || two->samples[i] == CN_ECG_ABSENT;
        double value = (of_one * one->samples[i] * one->step + of_two * two->samples[i] * two->step) / step;
        values[i] = absent || fabs(value) > 1e9 ? INT32_MAX : (int32_t)lround(value);
    }
    size_t first = one->first;
    CN_TRY(cn_ecg_add(ecg, leads, name, values, n, step, INT32_MAX));
    leads->lead[leads->n - 1].first = first;
    return CN_OK;
}

cn_err cn_ecg_derive(cn_ecg *ecg, cn_ecg_leads *leads)
{
    CN_TRY(derive(ecg, leads, "III", -1, 1));
    CN_TRY(derive(ecg, leads, "aVR", -0.5, -0.5));
    CN_TRY(derive(ecg, leads, "aVL", 1, -0.5));
    return derive(ecg, leads, "aVF", -0.5, 1);
}

/* ---- text ---- */

void cn_ecg_text(char *out, size_t size, const void *bytes, size_t len)
{
    const uint8_t *p = bytes;
    size_t used = 0;
    while (len && (p[len - 1] <= ' ')) len--;
    while (len && *p <= ' ') p++, len--;
    bool utf8 = cn_utf8_valid(p, len);
    for (size_t i = 0; i < len && used + 2 < size; i++) {
        if (p[i] < 0x20 || p[i] == 0x7f)
            out[used++] = ' ';
        else if (p[i] < 0x80 || utf8)
            out[used++] = (char)p[i];
        else {
            out[used++] = (char)(0xc0 | p[i] >> 6);
            out[used++] = (char)(0x80 | (p[i] & 0x3f));
        }
    }
    /* a character that was cut goes */
    while (used && !cn_utf8_valid(out, used)) used--;
    out[used] = 0;
}

void cn_ecg_state(cn_ecg *ecg, const char *text)
{
    if (*text && ecg->statements < CN_ECG_WORDS)
        cn_ecg_text(ecg->statement[ecg->statements++], CN_ECG_TEXT, text, strlen(text));
}

void cn_ecg_filter(cn_ecg *ecg, const char *text)
{
    for (size_t i = 0; i < sizeof(ecg->filter) / sizeof(ecg->filter[0]); i++)
        if (!ecg->filter[i][0]) {
            cn_ecg_text(ecg->filter[i], CN_ECG_TEXT, text, strlen(text));
            return;
        }
}

/* ---- leads ---- */

static const struct {
    unsigned number;
    const char *name;
} leads_known[] = {
    {1, "I"},   {2, "II"},   {61, "III"}, {62, "aVR"}, {63, "aVL"}, {64, "aVF"},  {3, "V1"},
    {4, "V2"},  {5, "V3"},   {6, "V4"},   {7, "V5"},   {8, "V6"},   {9, "V7"},    {66, "V8"},
    {67, "V9"}, {10, "V2R"}, {11, "V3R"}, {12, "V4R"}, {13, "V5R"}, {14, "V6R"},  {15, "V7R"},
    {16, "X"},  {17, "Y"},   {18, "Z"},   {19, "CC5"}, {20, "CM5"}, {86, "MCL1"},
};
#define LEADS_KNOWN (sizeof(leads_known) / sizeof(leads_known[0]))

const char *cn_ecg_lead_numbered(unsigned number)
{
    for (size_t i = 0; i < LEADS_KNOWN; i++)
        if (leads_known[i].number == number) return leads_known[i].name;
    return NULL;
}

static const char *after(const char *text, const char *front)
{
    size_t n = strlen(front);
    return strncasecmp(text, front, n) == 0 ? text + n : text;
}

void cn_ecg_lead_name(char *out, size_t size, const char *said)
{
    char word[32] = "";
    const char *from = after(after(said, "MDC_ECG_LEAD_"), "lead");
    from += strspn(from, " _-");
    size_t n = strcspn(from, " (_");
    if (n < sizeof(word)) {
        memcpy(word, from, n);
        word[n] = 0;
    }
    for (size_t i = 0; i < LEADS_KNOWN; i++)
        if (strcasecmp(word, leads_known[i].name) == 0) {
            cn_strcpy(out, size, leads_known[i].name);
            return;
        }
    cn_ecg_text(out, size, said, strlen(said));
    if (!*out) cn_strcpy(out, size, "?");
}
