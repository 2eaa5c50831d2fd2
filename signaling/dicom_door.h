/* The C-STORE door: who may send, and what becomes of a file that arrived (viewer/dicom/net). */
#ifndef CN_SIGNALING_DICOM_DOOR_H
#define CN_SIGNALING_DICOM_DOOR_H

#include "signaling/app.h"

typedef struct cn_dicom_door cn_dicom_door;

/** Opens it as [dicom] says, also not at all. What is wrong there is written to the log in words. */
cn_err cn_dicom_door_open(cn_app *app);
/** Waits for what is being stored. Before the database closes. */
void cn_dicom_door_close(cn_app *app);

#endif
