/* Demo data for a first look: two hospitals, four departments, an administrator, a referrer, three experts, a slide and
 * sample documents. */
#ifndef CN_CONSULT_DEMO_H
#define CN_CONSULT_DEMO_H

#include <stdio.h>

#include "consult/consult.h"

/** What is drawn elsewhere. */
typedef struct cn_demo_sources {
    const char *slide; /* path */
    const char *ecg;   /* path of an SCP-ECG file; NULL: none */
    /** Adds the images of a CT to a request in the name of who made it; NULL: none. */
    cn_err (*images)(void *ctx, const cn_actor *actor, const char *number);
    void *ctx;
} cn_demo_sources;

/** Makes it once (CN_ERR_CONFLICT when there are users already); random passwords are printed to `to`, once. */
cn_err cn_demo_init(cn_consult *consult, const cn_demo_sources *sources, FILE *to);

#endif
