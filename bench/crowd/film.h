/* What a camera sent of its files, frame by frame, and what a receiver got of that. Arithmetic only. */
#ifndef CN_CROWD_FILM_H
#define CN_CROWD_FILM_H

#include <stdbool.h>
#include <stdint.h>

#include "client/names.h"
#include "footage.h"

#define FILM_LOG 4096 /* frames of a layer that are remembered */

typedef struct film_log {
    uint64_t sent; /* frames */
    uint16_t frame[FILM_LOG];
    uint64_t wall_ns[FILM_LOG]; /* when its last packet left */
} film_log;

typedef struct film {
    const footage *layer[RTC_LAYERS]; /* NULL: this layer is not sent */
    uint16_t sender;
    film_log log[RTC_LAYERS];
    uint64_t seen_ns[RTC_LAYERS]; /* last whole frame of a layer at anybody */
} film;

/* One receiver's place in it. */
typedef struct film_view {
    bool running;
    uint8_t layer;
    uint64_t at; /* the last frame: its number in the layer's log */
    bool paused; /* the server said so: a key frame may follow anything */
    bool torn;   /* the last one came in part only */
    uint64_t seen[RTC_LAYERS], altered, missing, cut;
} film_view;

/** The layer's last packet of this frame leaves. */
void film_sent(film *reel, unsigned layer, unsigned frame, uint64_t wall_ns);
/** A frame arrived: compares it with what was sent, counts it and those left out before it. True when it is one that
 * was sent; view->layer and view->at then say which. A frame of another layer than the last one begins
 * anew and must be a key frame; otherwise it counts as altered. */
bool film_match(film *reel, film_view *view, const uint8_t *bytes, size_t len, uint64_t now_ns);
/** A frame arrived of which a part is missing: it is altered, unless a key frame of another layer follows, or any
 * after a pause; then it was cut off by that. */
void film_torn(film_view *view);
/** When frame view->at left its sender. */
uint64_t film_wall_ns(const film *reel, const film_view *view);

#endif
