/*
 * What is wrong with a participant's connection, as far as the server can tell, and what his app adds: reasons that the
 * app puts into words. Pure; a reason is given only when two measurements in a row (2 s apart) show it, and is taken
 * back only when three in a row do not, so that nothing flickers. LOST is told by media at once (cn_quality_lost).
 */
#ifndef CN_SIGNALING_WHY_H
#define CN_SIGNALING_WHY_H

#include <jansson.h>
#include <stdint.h>

#include "media/media.h"

/* name in room.quality, what it means */
#define CN_WHY_TABLE(X)                                                                         \
    X(UP_LOSS, "up_loss", "3 % and more of what the participant sends is lost on the way")      \
    X(DOWN_LOSS, "down_loss", "3 % and more of what is sent to the participant is lost")        \
    X(DELAY, "delay", "a round trip of 400 ms and more")                                        \
    X(JITTER, "jitter", "packets of the participant come at times that vary by 60 ms and more") \
    X(DOWN_SLOW, "down_slow", "less than what is wanted fits towards the participant")          \
    X(MIC_SILENT, "mic_silent", "the microphone is on, and nothing of it has come for 3 s")     \
    X(CAMERA_SILENT, "camera_silent", "the camera is on, and nothing of it has come for 3 s")   \
    X(TCP, "tcp", "packets travel over TCP")                                                    \
    X(RELAY, "relay", "packets travel through a relay")                                         \
    X(LOST, "lost", "nothing comes from a participant who should be heard")                     \
    X(UP_SLOW, "up_slow", "told by the app: the upload is too slow for the picture")            \
    X(CPU, "cpu", "told by the app: the computer is too busy for the picture")                  \
    X(SENDS_LESS, "sends_less", "told by the app: a smaller picture is sent, and it cannot say why")

typedef enum cn_why_reason {
#define X(id, name, what) CN_WHY_##id,
    CN_WHY_TABLE(X)
#undef X
        CN_WHY_COUNT
} cn_why_reason;

/** Zeroed is ready. */
typedef struct cn_why {
    uint32_t given; /* bit per reason */
    uint8_t seen[CN_WHY_COUNT], unseen[CN_WHY_COUNT];
} cn_why;

/** "up_loss" … */
const char *cn_why_name(cn_why_reason reason);

/** The bit of a reason that an app may tell of itself; 0 for another or an unknown name. */
uint32_t cn_why_told(const char *name);

/** Takes one measurement; returns the reasons given from now on. */
uint32_t cn_why_update(cn_why *why, const cn_media_stats *stats);

/** 4 very good … 1 bad: by loss either way and round trip; at most 2 with a reason that is seen or heard. */
int cn_why_mark(const cn_media_stats *stats, uint32_t given);

/** The names of the reasons as an array. */
json_t *cn_quality_why(uint32_t why);
/** "udp", "tcp", "relay", "" when not known. */
const char *cn_quality_path(cn_media_path path);

#endif
