/*
 * How a DICOM file becomes an instance of a request, whichever door it came through: first the objects are durable, then rows say so. Several wait for the
 * disk together. Blocking: job threads only.
 */
#ifndef CN_SIGNALING_DICOM_INTAKE_H
#define CN_SIGNALING_DICOM_INTAKE_H

#include "consult/imaging/imaging.h"
#include "signaling/app.h"

typedef struct cn_intake {
    cn_app *app;
    const cn_actor *actor;
    char request[CN_ID_TEXT];
    cn_instance_new waiting[CN_IMAGING_BATCH];
    cn_part part[CN_IMAGING_BATCH]; /* the files of those */
    size_t count;
    int64_t bytes;
} cn_intake;

/** CN_ERR_CORRUPT, with a sentence in `why`, when a UID is missing that an instance is known by. */
cn_err cn_intake_check(const cn_dicom_index *index, char *why, size_t why_size);
/** Takes the part over, which is removed when it has become an object or could not. The index stays the caller's. Only while cn_intake_full says no. */
cn_err cn_intake_add(cn_intake *intake, const char *part, const cn_dicom_index *index);
bool cn_intake_full(const cn_intake *intake);
/** All that wait become objects and rows, or with an error no rows. They are still named by `waiting` until cn_intake_forget. */
cn_err cn_intake_store(cn_intake *intake, cn_problem *problem);
/** Removes the parts and begins anew. */
void cn_intake_forget(cn_intake *intake);

#endif
