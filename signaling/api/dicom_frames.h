/* Frames of an instance (PS3.18 §10.4.1.1.4). */
#ifndef CN_SIGNALING_DICOM_FRAMES_H
#define CN_SIGNALING_DICOM_FRAMES_H

#include "signaling/http/http.h"

cn_err cn_dicom_frames(cn_http *http);
/** On the door's thread: true where it could be answered without waiting. */
bool cn_dicom_frames_quick(cn_http *http);

#endif
