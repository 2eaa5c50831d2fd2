/*
 * Streamed bodies: begin → chunk… → end, or cut when the client goes away. One job at a time; what arrives meanwhile
 * waits in `fill`, and above one chunk the socket is not read, so that memory per upload stays under 256 KiB + one read
 * on each side.
 */
#include <string.h>

#include "base/mem.h"
#include "signaling/door/exchange.h"

#define RETRY_US (50 * LWS_US_PER_MS)

static void back(void *exchange);

static cn_err run_chunks(cn_http *h)
{
    for (size_t at = 0; at < h->chunk_n; at += CN_CHUNK) {
        size_t left = h->chunk_n - at;
        CN_TRY(h->route->stream->chunk(h, h->chunk + at, left < CN_CHUNK ? left : CN_CHUNK));
    }
    return CN_OK;
}

static cn_err run_begin(cn_http *h)
{
    return cn_exchange_enter(h);
}

static cn_err run_end(cn_http *h)
{
    return h->route->stream->end(h);
}

static cn_err run_cut(cn_http *h)
{
    h->route->stream->cut(h);
    return CN_OK;
}

/* Job thread. */
static void run(void *exchange)
{
    static cn_err (*const steps[])(cn_http * h) = {[CN_STREAM_BEGIN] = run_begin,
                                                   [CN_STREAM_CHUNK] = run_chunks,
                                                   [CN_STREAM_END] = run_end,
                                                   [CN_STREAM_CUT] = run_cut};
    cn_http *h = exchange;
    h->stream_err = steps[h->step](h);
    if (h->stream_err != CN_OK && h->step != CN_STREAM_BEGIN) h->route->stream->cut(h);
    if (h->step == CN_STREAM_END || h->stream_err != CN_OK || h->status != 0) {
        /* a client that hears early sends its next request in one piece with the rest of this body */
        if (h->step < CN_STREAM_END && h->content_length > 0) h->close_after = true;
        if (h->step != CN_STREAM_CUT) cn_exchange_compose(h, h->stream_err);
    }
    cn_door_give_back(h, back);
}

static void set_reading(cn_http *h, bool on)
{
    if (!h->wsi || h->paused == !on) return;
    h->paused = !on;
    lws_rx_flow_control(h->wsi, on ? 1 : 0);
    /* waiting for our own disk is not the client's fault */
    if (!on) lws_set_timeout(h->wsi, NO_PENDING_TIMEOUT, 0);
}

static void retry(lws_sorted_usec_list_t *sul)
{
    cn_http *h = lws_container_of(sul, cn_http, retry);
    h->retry_waits = false;
    cn_stream_next(h);
    cn_unref(h);
}

static void start(cn_http *h, cn_stream_step step)
{
    h->step = step;
    if (step == CN_STREAM_CHUNK) {
        h->chunk_n = h->fill.n;
        h->chunk = cn_buf_take(&h->fill);
    }
    if (cn_door_dead(h->door)) { /* the job threads have ended */
        cn_ref(h);
        h->working = true;
        run(h);
        return;
    }
    if (cn_door_lend(h, run) == CN_OK) return;
    if (step == CN_STREAM_BEGIN) {
        h->ended = h->lingering = h->close_after = true;
        cn_door_refuse(h, CN_ERR_FULL, 0);
        set_reading(h, true);
        return;
    }
    if (step == CN_STREAM_CHUNK) { /* back to where it was */
        h->fill = (cn_buf){.p = h->chunk, .n = h->chunk_n, .cap = h->chunk_n + 1};
        h->chunk = NULL;
    }
    h->retry_waits = true;
    cn_ref(h);
    lws_sul_schedule(cn_door_lws(h->door), 0, &h->retry, retry, RETRY_US);
}

void cn_stream_next(cn_http *h)
{
    if (h->working || h->retry_waits || h->ended) return;
    bool gone = !h->wsi;
    if (!h->begun) {
        if (gone) return;
        set_reading(h, false);
        start(h, CN_STREAM_BEGIN);
    } else if (h->fill.n >= CN_CHUNK || (h->fill.n && (h->body_done || gone))) {
        start(h, CN_STREAM_CHUNK);
    } else if (h->body_done || gone) {
        start(h, h->body_done ? CN_STREAM_END : CN_STREAM_CUT);
    }
    if (h->fill.n < CN_CHUNK && h->begun) set_reading(h, true);
}

static void back(void *exchange)
{
    cn_http *h = exchange;
    cn_door_returned(h);
    free(h->chunk);
    h->chunk = NULL;
    h->begun = true;
    if (h->answered || h->step == CN_STREAM_CUT) {
        h->ended = true;
        cn_buf_free(&h->fill);
        h->lingering = !h->body_done;
        set_reading(h, true);
        if (h->wsi) lws_callback_on_writable(h->wsi);
    }
    cn_stream_next(h);
    cn_unref(h);
}

void cn_stream_start(cn_http *h)
{
    h->body_done = h->content_length <= 0;
    h->dispatched = true;
    cn_stream_next(h);
}

void cn_stream_body(cn_http *h, const void *p, size_t n)
{
    if (h->ended) return;
    cn_buf_add(&h->fill, p, n);
    if (h->fill.err != CN_OK) { /* memory is out: what was handed on stays */
        h->ended = true;
        h->lingering = true;
        return;
    }
    if (h->fill.n >= CN_CHUNK && (h->working || h->retry_waits)) set_reading(h, false);
    cn_stream_next(h);
}
