/* What the files of this room share. */
#ifndef CN_CONSULT_REQUEST_PRIVATE_H
#define CN_CONSULT_REQUEST_PRIVATE_H

#include "consult/request/request.h"

/** `{name, sex, age}` of a row whose columns `name_col`, `sex_col`, `birth_col` hold the sealed name, sex and birth
 * date; new reference. */
cn_err cn_request_patient_brief(cn_consult *consult, const cn_rows *rows, const char *id, size_t name_col,
                                size_t sex_col, size_t birth_col, json_t **out);

#endif
