/* An answer of parts that grows in a file: a study may be larger than memory. */
#ifndef CN_SIGNALING_PARCEL_H
#define CN_SIGNALING_PARCEL_H

#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "signaling/http/http.h"

/* with what stands before and behind it, no data have it */
#define CN_DICOM_BOUNDARY "consilium-dicom-part-7f3a9c51d2e84b06"

typedef struct cn_parcel {
    char path[1200];
    FILE *file;
} cn_parcel;

cn_err cn_parcel_open(cn_http *http, cn_parcel *out);
/** The file goes, too; an answer that is under way keeps what it has opened. */
void cn_parcel_close(cn_parcel *own);
/** Bytes of a file into the part that is open. */
cn_err cn_parcel_copy(cn_parcel *own, int fd, off_t offset, uint64_t length);
/** Begins a part. */
void cn_parcel_part(cn_parcel *own, const char *type, const char *syntax);
/** Ends the last part and answers with them all. */
cn_err cn_parcel_send(cn_http *http, cn_parcel *own, const char *type);

#endif
