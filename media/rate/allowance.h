/*
 * How often one viewer may ask a publisher for key frames. They cost everybody who watches: who was given one and asks
 * on gets the next later and later. Plain struct, all zero to begin with; injected clock.
 */
#ifndef CN_MEDIA_ALLOWANCE_H
#define CN_MEDIA_ALLOWANCE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct cn_allowance {
    uint64_t used_ns;    /* until when it is used up */
    uint64_t every_ns;   /* what a request takes of it; 0: the least */
    uint64_t granted_ns; /* the last one; 0: none */
    bool insists;        /* asked on when that one must have been answered */
} cn_allowance;

/** A request came: may it go on? */
bool cn_allowance_take(cn_allowance *allowance, uint64_t now_ns);

#endif
