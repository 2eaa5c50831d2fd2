/* What imaging.c and search.c share. */
#ifndef CN_CONSULT_IMAGING_PRIVATE_H
#define CN_CONSULT_IMAGING_PRIVATE_H

#include "consult/imaging/imaging.h"

/* keyed indexes */
#define CN_DOMAIN_PATIENT "dicom.patient_id"
#define CN_DOMAIN_ACCESSION "dicom.accession"

/* Attributes that a row keeps, ended by NULL: those that PS3.18 tables 10.6.1-3, -4 ask of an answer. */
extern const char *const cn_study_tags[];
extern const char *const cn_series_tags[];

/** Adds what a row keeps sealed to `item`; `rows` has the row's id in column `col`, what is sealed in the one behind it. */
cn_err cn_imaging_unseal(const cn_vault *vault, const char *table, const cn_rows *rows, size_t col, json_t *item);

#endif
