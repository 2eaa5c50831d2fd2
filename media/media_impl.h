/* The SFU as a whole, and how public calls reach the worker that owns a participant. Private to media.c and command.c.
 */
#ifndef CN_MEDIA_MEDIA_IMPL_H
#define CN_MEDIA_MEDIA_IMPL_H

#include "media/media.h"
#include "media/secure/identity.h"
#include "media/worker/directory.h"
#include "media/worker/worker.h"

struct cn_media {
    cn_directory *directory;
    cn_identity *identity;
    cn_media_events events;
    void *events_ctx;
    unsigned count;
    cn_worker *workers;
};

#endif
