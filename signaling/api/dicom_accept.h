/* What a client of DICOMweb takes (PS3.18 §8.7), and what it is told where that is not here. */
#ifndef CN_SIGNALING_DICOM_ACCEPT_H
#define CN_SIGNALING_DICOM_ACCEPT_H

#include "signaling/http/http.h"

#define CN_EXPLICIT_LE "1.2.840.10008.1.2.1"

typedef struct cn_dicom_taken {
    bool parts, single; /* multipart/related, or one body alone */
    bool stored;        /* in the transfer syntax that it has */
    bool plain;         /* as Explicit VR Little Endian */
    const char *type;   /* "application/dicom" or "application/octet-stream" */
} cn_dicom_taken;

/** `syntax`: that of the file. False: nothing that the client takes is here. */
bool cn_dicom_take(cn_http *http, const char *type, const char *syntax, cn_dicom_taken *out);
/** Answers 406. */
cn_err cn_dicom_unacceptable(cn_http *http, const char *why);
/** The error, with a reader's sentence where there is one. */
cn_err cn_dicom_say_why(cn_http *http, cn_err err, const char *why);

#endif
