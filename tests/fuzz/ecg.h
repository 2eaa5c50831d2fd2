/* What the targets of ECG readers share. */
#ifndef CN_FUZZ_ECG_H
#define CN_FUZZ_ECG_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/str.h"
#include "input.h"
#include "viewer/ecg/reader/read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void check_leads(const cn_ecg_leads *leads)
{
    for (size_t i = 0; i < leads->n; i++) {
        const cn_ecg_lead *lead = &leads->lead[i];
        must(lead->count > 0 && lead->step > 0 && isfinite(lead->step) && leads->rate > 0 && isfinite(leads->rate));
        volatile int sum = lead->samples[0] + lead->samples[lead->count - 1];
        (void)sum;
        must(cn_utf8_valid(lead->name, strlen(lead->name)));
    }
}

static inline int one_ecg(const uint8_t *data, size_t size)
{
    static cn_ecg ecg;
    const char *why = "";
    cn_ecg_init(&ecg);
    cn_err err = cn_ecg_read(data, size, &ecg, &why);
    if (err == CN_OK) {
        check_leads(&ecg.rhythm);
        check_leads(&ecg.median);
        for (size_t i = 0; i < ecg.statements; i++) must(cn_utf8_valid(ecg.statement[i], strlen(ecg.statement[i])));
    } else
        must(*why);
    cn_ecg_clear(&ecg);
    return 0;
}

#endif
