#include "viewer/ecg/reader/trend.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

#define QRS_S 0.12   /* over which steepness is summed */
#define APART_S 0.25 /* no two beats are nearer */
#define FEW_S 10.0
#define SHARE 0.25 /* of what the highest of a piece usually reaches */
#define BLOCK_S 2.0

static const cn_ecg_lead *rhythm_lead(const cn_ecg *ecg)
{
    for (size_t i = 0; i < ecg->rhythm.n; i++)
        if (strcmp(ecg->rhythm.lead[i].name, "II") == 0) return &ecg->rhythm.lead[i];
    return &ecg->rhythm.lead[0];
}

/* Mains and muscle are shorter than the distance over which steepness is taken. */
static double steepness(const cn_ecg_lead *lead, size_t at, size_t by)
{
    if (at < by || at + by >= lead->count) return 0;
    int16_t before = lead->samples[at - by], after = lead->samples[at + by];
    if (before == CN_ECG_ABSENT || after == CN_ECG_ABSENT) return 0;
    double rise = (double)after - before;
    return rise * rise;
}

static int by_size(const void *left, const void *right)
{
    float a = *(const float *)left, b = *(const float *)right;
    return (a > b) - (a < b);
}

/* Of the highest of each two seconds of a piece the middle one: neither a spike nor a pause says how high a beat is. */
static double usual_top(const float *power, size_t n, size_t block)
{
    float tops[256];
    size_t count = 0;
    for (size_t from = 0; from < n && count < sizeof(tops) / sizeof(tops[0]); from += block, count++) {
        tops[count] = 0;
        for (size_t i = from; i < n && i < from + block; i++)
            if (power[i] > tops[count]) tops[count] = power[i];
    }
    qsort(tops, count, sizeof(tops[0]), by_size);
    return count ? tops[count / 2] : 0;
}

/* The first beat, the last, and how many, in samples of the piece. */
static size_t count_beats(const float *power, size_t n, double rate, size_t *first, size_t *last)
{
    double least = SHARE * usual_top(power, n, (size_t)(BLOCK_S * rate) + 1);
    size_t beats = 0, apart = (size_t)(APART_S * rate) + 1;
    for (size_t i = 0; least > 0 && i < n; i++) {
        if (power[i] < least) continue;
        size_t top = i;
        for (size_t k = i; k < n && k < i + apart; k++)
            if (power[k] > power[top]) top = k;
        if (beats++ == 0) *first = top;
        *last = top;
        i = top + apart - 1;
    }
    return beats;
}

static void fill(float *power, const cn_ecg_lead *lead, size_t from, size_t n, double rate)
{
    size_t wide = (size_t)(QRS_S * rate) + 1, by = (size_t)(0.01 * rate) + 1;
    double sum = 0;
    for (size_t i = 0; i < n + wide; i++) {
        sum += steepness(lead, from + i, by);
        if (i >= wide) {
            sum -= steepness(lead, from + i - wide, by);
            power[i - wide] = (float)(sum > 0 ? sum : 0);
        }
    }
}

cn_err cn_ecg_trend_make(const cn_ecg *ecg, cn_ecg_trend *out)
{
    const cn_ecg_lead *lead = rhythm_lead(ecg);
    double rate = ecg->rhythm.rate, seconds = (double)lead->count / rate;
    double each = fmax(FEW_S, seconds / CN_ECG_TREND + 1e-9);
    size_t piece = (size_t)(each * rate) + 1;
    out->n = 0;
    CN_AUTO_FREE float *power = cn_calloc(piece, sizeof(*power));
    if (!power) return CN_ERR_NOMEM;
    for (size_t from = 0; from < lead->count && out->n < CN_ECG_TREND; from += piece) {
        size_t n = lead->count - from < piece ? lead->count - from : piece, first = 0, last = 0;
        fill(power, lead, from, n, rate);
        size_t beats = count_beats(power, n, rate, &first, &last);
        if (beats < 3) continue;
        out->point[out->n].second = ((double)(from + lead->first) + (double)n / 2) / rate;
        out->point[out->n++].rate = 60.0 * (double)(beats - 1) / ((double)(last - first) / rate);
    }
    return CN_OK;
}
