/*
 * A synthetic heart whose intervals and amplitudes are known: straight and cosine pieces, each beat like the other, 75 a minute. PR 160 ms, QRS 90 ms, QT 360 ms,
 * RR 800 ms; the first QRS begins at 0.36 s. A recording longer than a minute has a rate that goes slowly up and down by a fifth.
 */
#ifndef CN_VIEWER_DEMO_ECG_HEART_H
#define CN_VIEWER_DEMO_ECG_HEART_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define CN_HEART_RATE 500 /* samples a second */
#define CN_HEART_STEP 2.5 /* microvolts */
#define CN_HEART_LEADS 8  /* I, II, V1 … V6: the other four follow */
#define CN_HEART_ALL 12
#define CN_HEART_MEDIAN 400 /* samples of a median beat, its R at 200 */

extern const char *const cn_heart_lead[CN_HEART_ALL];

/** Microvolts of a lead (of cn_heart_lead) at a second of a recording so long. */
double cn_heart_at(unsigned lead, double second, double seconds);
/** `n` samples of a lead in steps. */
void cn_heart_samples(unsigned lead, double seconds, size_t n, int16_t *out);
/** The median beat of a lead: its second one. */
void cn_heart_median(unsigned lead, int16_t out[CN_HEART_MEDIAN]);

/* Writers, each one format; `seconds` of it. CN_ERR_IO, CN_ERR_NOMEM. */
cn_err cn_heart_dicom(const char *path, double seconds);
cn_err cn_heart_aecg(const char *path, double seconds);
cn_err cn_heart_muse(const char *path, double seconds);
/** How samples stand in an SCP-ECG file. */
typedef enum cn_heart_scp_way {
    CN_HEART_SCP_PLAIN,    /* as they are */
    CN_HEART_SCP_HUFFMAN,  /* second differences in the standard's own codes */
    CN_HEART_SCP_TABLES,   /* first differences in two tables of its own, between which it changes */
    CN_HEART_SCP_RESIDUES, /* what is left after the median beat was taken away, Huffman */
} cn_heart_scp_way;
cn_err cn_heart_scp(const char *path, double seconds, cn_heart_scp_way way);

#endif
