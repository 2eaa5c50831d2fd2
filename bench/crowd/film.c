#include "film.h"

#include <string.h>

void film_sent(film *f, unsigned layer, unsigned frame, uint64_t wall_ns)
{
    film_log *log = &f->log[layer];
    log->frame[log->sent % FILM_LOG] = (uint16_t)frame;
    log->wall_ns[log->sent % FILM_LOG] = wall_ns;
    log->sent++;
}

uint64_t film_wall_ns(const film *f, const film_view *view)
{
    return f->log[view->layer].wall_ns[view->at % FILM_LOG];
}

static const footage_frame *sent(const film *f, unsigned layer, uint64_t at)
{
    return &f->layer[layer]->frame[f->log[layer].frame[at % FILM_LOG]];
}

static bool same(const film *f, unsigned layer, uint64_t at, const uint8_t *bytes, size_t n)
{
    const footage_frame *e = sent(f, layer, at);
    return e->n == n && memcmp(e->bytes, bytes, n) == 0;
}

static uint64_t oldest(const film_log *log)
{
    return log->sent > FILM_LOG ? log->sent - FILM_LOG : 0;
}

/* The next such frame behind the last one. */
static bool find_onward(const film *f, const film_view *view, const uint8_t *bytes, size_t n, uint64_t *at)
{
    const film_log *log = &f->log[view->layer];
    uint64_t from = view->at + 1 > oldest(log) ? view->at + 1 : oldest(log);
    for (*at = from; *at < log->sent; ++*at)
        if (same(f, view->layer, *at, bytes, n)) return true;
    return false;
}

/* The newest such frame of a layer. */
static bool find_newest(const film *f, unsigned layer, const uint8_t *bytes, size_t n, uint64_t *at)
{
    const film_log *log = &f->log[layer];
    for (uint64_t i = log->sent; i > oldest(log); i--) {
        *at = i - 1;
        if (same(f, layer, *at, bytes, n)) return true;
    }
    return false;
}

static bool begin(const film *f, film_view *view, const uint8_t *bytes, size_t n)
{
    uint64_t at;
    for (unsigned i = CROWD_LAYERS; i-- > 0;) {
        if (!f->layer[i] || !find_newest(f, i, bytes, n, &at)) continue;
        bool went_on = view->running && view->layer == i && !view->paused;
        if (!went_on && !sent(f, i, at)->key) return false;
        view->running = true;
        view->layer = (uint8_t)i;
        view->at = at;
        return true;
    }
    return false;
}

/* After a pause the newest key frame comes, wherever the last one was. */
static bool matches(const film *f, film_view *view, const uint8_t *bytes, size_t n)
{
    uint64_t at;
    if (view->running && !view->paused && find_onward(f, view, bytes, n, &at)) {
        view->missing += at - view->at - 1;
        view->at = at;
        return true;
    }
    uint64_t next = view->at + 1;
    if (view->running && view->paused && next < f->log[view->layer].sent && same(f, view->layer, next, bytes, n) &&
        !sent(f, view->layer, next)->key) {
        view->at = next; /* was on its way before */
        return true;
    }
    return begin(f, view, bytes, n);
}

void film_torn(film_view *view)
{
    view->altered += view->torn;
    view->torn = true;
}

bool film_match(film *f, film_view *view, const uint8_t *bytes, size_t n, uint64_t now_ns)
{
    const uint8_t layer = view->layer;
    if (!matches(f, view, bytes, n)) {
        view->altered++;
        return false;
    }
    bool key = sent(f, view->layer, view->at)->key;
    if (view->torn) *(key && (view->paused || layer != view->layer) ? &view->cut : &view->altered) += 1;
    view->torn = false;
    view->paused = view->paused && !key;
    view->seen[view->layer]++;
    f->seen_ns[view->layer] = now_ns;
    return true;
}
