/* The background work on uploaded files: documents become PDFs, slides are opened once to see whether they can be. */
#ifndef CN_SIGNALING_CONVERT_H
#define CN_SIGNALING_CONVERT_H

#include "consult/file.h"
#include "viewer/slides.h"

/** Works on every file that waits, one after the other. `scratch`: a folder for temporary files. Blocks. */
void cn_convert_waiting(cn_consult *c, cn_slides *slides, const char *scratch);

#endif
