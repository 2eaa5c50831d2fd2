/* Which attributes are searched for, and whether what a row keeps is what was asked (PS3.4 C.2.2.2), on DICOM JSON. Pure. */
#ifndef CN_CONSULT_IMAGING_MATCH_H
#define CN_CONSULT_IMAGING_MATCH_H

#include <jansson.h>
#include <stdbool.h>

typedef enum cn_imaging_level { CN_IMAGING_STUDIES, CN_IMAGING_SERIES, CN_IMAGING_INSTANCES } cn_imaging_level;

/** The tag, "00100010", of an attribute that can be searched for at this level, by its keyword or its tag; NULL: none. */
const char *cn_dicom_key(const char *name, cn_imaging_level level);
/** Whether `asked` can be matched with at all: dates and times and their ranges, UIDs, numbers; any text. */
bool cn_dicom_askable(const char *tag, const char *asked);
/**
 * Single value, list of UIDs, range of dates or times, wildcards * and ? of text; nothing asked, or * alone, is matched by everything. Of several values one
 * is enough, of a person's name one way of writing it, in capitals or not.
 */
bool cn_dicom_matches(const json_t *item, const char *tag, const char *asked);
/** Whether it has wildcards. */
bool cn_dicom_is_wild(const char *asked);

#endif
