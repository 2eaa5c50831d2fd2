/* The form of a request: what the page sends, read and checked; and as half-written as it is, for a draft. Pure. */
#ifndef CN_CONSULT_FORM_H
#define CN_CONSULT_FORM_H

#include "consult/request/patient.h"

typedef struct cn_form {
    cn_patient patient;
    const char *diagnosis, *question, *urgency; /* borrowed from the body */
} cn_form;

/** `now_ms`: wall clock, for dates of birth. CN_ERR_INVALID or CN_ERR_UNSUPPORTED (kind) with the field's name; the urgency is
 * "ordinary" or "urgent", and an urgent form has a date of birth. */
cn_err cn_form_read(const json_t *body, int64_t now_ms, cn_form *out, cn_problem *problem);

/** Only the form's fields, as text, into `to`: whatever else is sent is not kept. */
cn_err cn_form_copy(const json_t *from, json_t *to, cn_problem *problem);

#endif
