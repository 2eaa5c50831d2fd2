/* What a lecture sends instead of made-up payloads: files of encoded video, the smallest layer first. */
#ifndef CN_LOAD_MEDIA_H
#define CN_LOAD_MEDIA_H

#include <stdbool.h>

#include "crowd/footage.h"
#include "play.h"
#include "scene.h"

#define MEDIA_TIERS 16

typedef struct media {
    char *list, *tiers; /* as given, cut up */
    footage layer[RTC_LAYERS];
    const char *tier[MEDIA_TIERS];
} media;

/** Opens up to three files "a,b,c" and says so in play->shape and wanted; `tiers`: "4k,2k…", what the listeners want in
 * turn, NULL: 4k. False with a message on standard error. media_close afterwards, when nothing plays any more. */
bool media_open(media *plane, const char *files, const char *tiers, unsigned fps, play_options *play,
                scene_options *wanted);
void media_close(media *plane);

#endif
