/* PS3.6: what a tag's value representation and name are, from DCMTK's dictionary. */
#ifndef CN_VIEWER_DICOM_DECODER_DICTIONARY_H
#define CN_VIEWER_DICOM_DECODER_DICTIONARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Loads it; once, before a worker is locked in. False: it is not installed. */
bool cn_dictionary_load(void);

/** Two letters; "xs" (US or SS) and "ox" (OB or OW) where the data set decides. NULL: not in the dictionary (private tags are not). */
const char *cn_dictionary_vr(uint32_t tag);
/** The keyword, "" when it has none. */
const char *cn_dictionary_name(uint32_t tag);

/* dcmtk.cc */
typedef struct cn_dictionary_row {
    uint32_t tag;
    char vr[3];
    char name[61];
} cn_dictionary_row;
/** Fills `rows`, returns how many there are in all. */
size_t cn_dcmtk_dictionary(cn_dictionary_row *rows, size_t size);

#endif
