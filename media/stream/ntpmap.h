/*
 * From publishers' sender reports to the server's clock and back, so that receivers can lip-sync one publisher's audio
 * and video.
 *
 * A publisher has one cn_ntpclock (his wall clock against the server's) and one cn_ntpmap per SSRC (his RTP timestamps
 * against his wall clock). Plain structs; copies may be sent to other workers.
 */
#ifndef CN_MEDIA_NTPMAP_H
#define CN_MEDIA_NTPMAP_H

#include <stdbool.h>
#include <stdint.h>

/** Zeroed is ready. */
typedef struct cn_ntpclock {
    bool known;
    int64_t offset_ns; /* server monotonic − publisher's NTP in ns, from the least delayed reports */
    int64_t window[8]; /* least offset of each of the last 8 slices of 5 s */
    uint64_t slice;    /* number of the newest slice */
} cn_ntpclock;

/** A sender report came. A step of the publisher's clock (over 2 s) starts anew. */
void cn_ntpclock_report(cn_ntpclock *clock, uint64_t ntp, uint64_t arrival_ns);

/** Initialise with cn_ntpmap_init. */
typedef struct cn_ntpmap {
    uint32_t clock;
    bool known;
    uint64_t ntp;
    uint32_t rtp;
} cn_ntpmap;

void cn_ntpmap_init(cn_ntpmap *map, uint32_t clock);
/** The pair of a sender report. */
void cn_ntpmap_report(cn_ntpmap *map, uint64_t ntp, uint32_t rtp);

/** When a timestamp was captured, on the server's monotonic clock in ns. False while either is not known. */
bool cn_ntpmap_capture(const cn_ntpmap *map, const cn_ntpclock *clock, uint32_t rtp, int64_t *server_ns);

#endif
