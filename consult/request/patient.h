/*
 * Who a request is for: reads the form's patient and refuses what cannot be. Pure.
 *
 * What two fields say of each other is looked at too: an 18-digit identity number (GB 11643) holds the date of birth
 * and the sex. Sex "unknown" agrees with every number: somebody chose it.
 */
#ifndef CN_CONSULT_PATIENT_H
#define CN_CONSULT_PATIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

typedef struct cn_patient {
    const char *name, *sex, *birth, *identity, *phone; /* borrowed from the JSON; "" where nothing was said */
} cn_patient;

/** Reads `{name, sex, birth_date, identity_number, phone}`; CN_ERR_INVALID with the field and a word (base/err.h). A
 * day is in the future when it has begun nowhere on Earth: pages know their own day better than the server does. */
cn_err cn_patient_read(const json_t *patient, int64_t now_ms, cn_patient *out, cn_problem *problem);

/** A Chinese mobile, landline (with area code, extension, or as dialled in town), 400 or 800 number, or an
 * international one that begins with + or 00. Blanks, hyphens and brackets are left aside. */
bool cn_phone_valid(const char *text);

#endif
