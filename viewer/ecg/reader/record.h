/* An ECG as the reader has it, whatever device wrote it: samples in whole steps of some microvolts. */
#ifndef CN_VIEWER_ECG_RECORD_H
#define CN_VIEWER_ECG_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define CN_ECG_LEADS 32
#define CN_ECG_WORDS 64 /* of a statement, at most so many statements */
#define CN_ECG_TEXT 256
#define CN_ECG_SAMPLES ((size_t)600 << 20) /* of all leads together: 24 h of 12 leads at 500 Hz are 519 million */
#define CN_ECG_ABSENT INT16_MIN            /* the device has no value there */

typedef struct cn_ecg_lead {
    char name[32];    /* "I", "aVR", "V1" …; what the device calls one that is none of the twelve */
    size_t first;     /* samples by which it begins later than the others */
    size_t count;     /* of `samples` */
    int16_t *samples; /* owned */
    double step;      /* microvolts */
} cn_ecg_lead;

typedef struct cn_ecg_leads {
    double rate; /* samples a second */
    size_t n;
    cn_ecg_lead lead[CN_ECG_LEADS];
} cn_ecg_leads;

/** What the device says that it measured; NAN: nothing. Beats a minute, milliseconds, degrees. */
typedef struct cn_ecg_measured {
    double rate, pr, qrs, qt, qtc, axis;
} cn_ecg_measured;

typedef struct cn_ecg {
    cn_ecg_leads rhythm, median; /* median beats, apart; n 0: none */
    bool calibrated;             /* false: the file does not say what a step is */
    char acquired[32];           /* "2026-11-30T08:15:00", the device's own time; "": not said */
    char device[CN_ECG_TEXT];    /* UTF-8, as all text here */
    char filter[4][CN_ECG_TEXT]; /* "" after the last */
    size_t statements;
    char statement[CN_ECG_WORDS][CN_ECG_TEXT];
    cn_ecg_measured measured;
    size_t samples; /* of all leads so far, against CN_ECG_SAMPLES */
} cn_ecg;

void cn_ecg_init(cn_ecg *ecg);
void cn_ecg_clear(cn_ecg *ecg);

/**
 * One more lead of `n` values of `step` microvolts each, of which `ecg` makes steps that fit into 16 bits; `absent`: a value that is none, INT32_MAX for
 * no such. CN_ERR_TOOBIG: more leads or samples than are taken; CN_ERR_CORRUPT: a step or a rate that is none.
 */
cn_err cn_ecg_add(cn_ecg *ecg, cn_ecg_leads *leads, const char *name, const int32_t *values, size_t n, double step,
                  int32_t absent);
/** The same of a lead whose samples are 16 bits already; takes them over, also where it fails. */
cn_err cn_ecg_take(cn_ecg *ecg, cn_ecg_leads *leads, const char *name, int16_t *samples, size_t n, double step);
/** Where I and II are there and III, aVR, aVL, aVF are not, makes those that lack. */
cn_err cn_ecg_derive(cn_ecg *ecg, cn_ecg_leads *leads);

/** Text of a device: ISO 8859-1 where it is no UTF-8, without controls, ends trimmed, cut to `size`. */
void cn_ecg_text(char *out, size_t size, const void *bytes, size_t len);
/** One more statement or filter; beyond what is kept they are left out. */
void cn_ecg_state(cn_ecg *ecg, const char *text);
void cn_ecg_filter(cn_ecg *ecg, const char *text);

/** "I" for "MDC_ECG_LEAD_I", "Lead I (Einthoven)", "LEAD I", "i"; the word itself where it is none of those known. */
void cn_ecg_lead_name(char *out, size_t size, const char *said);
/** A lead by its number in SCP-ECG (EN 1064, table 9), which is that of MDC's part 2 too; NULL: not known. */
const char *cn_ecg_lead_numbered(unsigned number);

#endif
