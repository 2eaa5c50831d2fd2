/* What the doors of DICOMweb share. */
#ifndef CN_SIGNALING_DICOM_H
#define CN_SIGNALING_DICOM_H

#include <jansson.h>

#include "signaling/http/http.h"

/** "https://host/dicom-web" as the client sees it. */
void cn_dicom_base(const cn_http *http, char *out, size_t size);
/** Answers with DICOM JSON; `body` stays the caller's. */
cn_err cn_dicom_json(cn_http *http, int status, const json_t *body);

#endif
