/* What a tus client says of a file that it is about to send: the header Upload-Metadata. Pure. */
#ifndef CN_SIGNALING_METADATA_H
#define CN_SIGNALING_METADATA_H

#include "base/crypto.h"
#include "base/err.h"
#include "consult/file/file.h"

typedef struct cn_tus_metadata {
    char request[CN_ID_TEXT], category[16], filename[CN_FILE_NAME], sha256[65]; /* "" where it was not said */
} cn_tus_metadata;

/** "key base64,key base64,…" (tus 1.0.0, Creation); other keys are the client's own. NULL or "": nothing was said.
 * CN_ERR_INVALID when a value of ours is not base64 of UTF-8, or longer than its field. */
cn_err cn_tus_metadata_read(const char *text, cn_tus_metadata *out, cn_problem *problem);

#endif
