/* Where a slide's file lies under its own name, alone in a folder or with its parts, as the decoders want it. */
#ifndef CN_SIGNALING_SLIDE_FILE_H
#define CN_SIGNALING_SLIDE_FILE_H

#include "consult/file/file.h"
#include "viewer/slide/owners.h"

/** Makes the folder with the hard link when it is not there. Of a slide that came as a ZIP the main one of its unpacked
 * parts: CN_ERR_NOTFOUND while they are not there. */
/** What is opened as the slide: the pyramid of a plain picture (viewer/document/plain.h) where there is one, otherwise the file. Makes the
 * folder with the hard link when it is not there. */
cn_err cn_slide_file_path(cn_consult *consult, const cn_file_info *info, char *out, size_t size);
/** The file itself. */
cn_err cn_slide_file_own(cn_consult *consult, const cn_file_info *info, char *out, size_t size);

/** For cn_slides_whose, `consult` a cn_consult: the hospital of the request that the file belongs to. */
void cn_slide_file_share(void *consult, const char *id, char share[CN_DECODERS_SHARE]);

#endif
