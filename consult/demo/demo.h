/* Demo data for a first look: two hospitals, four departments, an administrator, a referrer, three experts, a slide and
 * sample documents. */
#ifndef CN_CONSULT_DEMO_H
#define CN_CONSULT_DEMO_H

#include <stdio.h>

#include "consult/consult.h"

/** Makes it once (CN_ERR_CONFLICT when there are users already); random passwords are printed to `to`, once. `slide`:
 * path of the generated slide. */
cn_err cn_demo_init(cn_consult *consult, const char *slide, FILE *to);

#endif
