#include "film.h"

#include <string.h>

void film_sent(film *reel, unsigned layer, unsigned frame, uint64_t wall_ns)
{
    film_log *log = &reel->log[layer];
    log->frame[log->sent % FILM_LOG] = (uint16_t)frame;
    log->wall_ns[log->sent % FILM_LOG] = wall_ns;
    log->sent++;
}

uint64_t film_wall_ns(const film *reel, const film_view *view)
{
    return reel->log[view->layer].wall_ns[view->at % FILM_LOG];
}

static const footage_frame *sent(const film *reel, unsigned layer, uint64_t at)
{
    return &reel->layer[layer]->frame[reel->log[layer].frame[at % FILM_LOG]];
}

static bool same(const film *reel, unsigned layer, uint64_t at, const uint8_t *bytes, size_t len)
{
    const footage_frame *picture = sent(reel, layer, at);
    return picture->n == len && memcmp(picture->bytes, bytes, len) == 0;
}

static uint64_t oldest(const film_log *log)
{
    return log->sent > FILM_LOG ? log->sent - FILM_LOG : 0;
}

/* The next such frame behind the last one. */
static bool find_onward(const film *reel, const film_view *view, const uint8_t *bytes, size_t len, uint64_t *at)
{
    const film_log *log = &reel->log[view->layer];
    uint64_t from = view->at + 1 > oldest(log) ? view->at + 1 : oldest(log);
    for (*at = from; *at < log->sent; ++*at)
        if (same(reel, view->layer, *at, bytes, len)) return true;
    return false;
}

/* The newest such frame of a layer. */
static bool find_newest(const film *reel, unsigned layer, const uint8_t *bytes, size_t len, uint64_t *at)
{
    const film_log *log = &reel->log[layer];
    for (uint64_t i = log->sent; i > oldest(log); i--) {
        *at = i - 1;
        if (same(reel, layer, *at, bytes, len)) return true;
    }
    return false;
}

static bool begin(const film *reel, film_view *view, const uint8_t *bytes, size_t len)
{
    uint64_t at;
    for (unsigned i = RTC_LAYERS; i-- > 0;) {
        if (!reel->layer[i] || !find_newest(reel, i, bytes, len, &at)) continue;
        bool went_on = view->running && view->layer == i && !view->paused;
        if (!went_on && !sent(reel, i, at)->key) return false;
        view->running = true;
        view->layer = (uint8_t)i;
        view->at = at;
        return true;
    }
    return false;
}

/* After a pause the newest key frame comes, wherever the last one was. */
static bool matches(const film *reel, film_view *view, const uint8_t *bytes, size_t len)
{
    uint64_t at;
    if (view->running && !view->paused && find_onward(reel, view, bytes, len, &at)) {
        view->missing += at - view->at - 1;
        view->at = at;
        return true;
    }
    uint64_t next = view->at + 1;
    if (view->running && view->paused && next < reel->log[view->layer].sent &&
        same(reel, view->layer, next, bytes, len) && !sent(reel, view->layer, next)->key) {
        view->at = next; /* was on its way before */
        return true;
    }
    return begin(reel, view, bytes, len);
}

void film_torn(film_view *view)
{
    view->altered += view->torn;
    view->torn = true;
}

bool film_match(film *reel, film_view *view, const uint8_t *bytes, size_t len, uint64_t now_ns)
{
    const uint8_t layer = view->layer;
    if (!matches(reel, view, bytes, len)) {
        view->altered++;
        return false;
    }
    bool key = sent(reel, view->layer, view->at)->key;
    if (view->torn) *(key && (view->paused || layer != view->layer) ? &view->cut : &view->altered) += 1;
    view->torn = false;
    view->paused = view->paused && !key;
    view->seen[view->layer]++;
    reel->seen_ns[view->layer] = now_ns;
    return true;
}
