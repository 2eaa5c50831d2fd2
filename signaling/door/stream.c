/*
 * Streamed bodies: begin → chunk… → end, or cut when the client goes away. One job at a time; what arrives meanwhile
 * waits in `fill`, and above one chunk the socket is not read, so that memory per upload stays under 256 KiB + one read
 * on each side.
 */
#include <string.h>

#include "base/mem.h"
#include "signaling/door/exchange.h"
#include "signaling/door/parts.h"

#define RETRY_US (50 * LWS_US_PER_MS)

static void back(void *exchange);

static cn_err run_chunks(cn_http *http)
{
    for (size_t at = 0; at < http->chunk_n; at += CN_CHUNK) {
        size_t left = http->chunk_n - at;
        CN_TRY(http->route->stream->chunk(http, http->chunk + at, left < CN_CHUNK ? left : CN_CHUNK));
    }
    return CN_OK;
}

static cn_err run_begin(cn_http *http)
{
    return cn_exchange_enter(http);
}

static cn_err run_end(cn_http *http)
{
    return http->route->stream->end(http);
}

static cn_err run_cut(cn_http *http)
{
    http->route->stream->cut(http);
    return CN_OK;
}

/* Job thread. */
static void run(void *exchange)
{
    static cn_err (*const steps[])(cn_http * http) = {[CN_STREAM_BEGIN] = run_begin,
                                                      [CN_STREAM_CHUNK] = run_chunks,
                                                      [CN_STREAM_END] = run_end,
                                                      [CN_STREAM_CUT] = run_cut};
    cn_http *http = exchange;
    http->stream_err = steps[http->step](http);
    if (http->stream_err != CN_OK && http->step != CN_STREAM_BEGIN) http->route->stream->cut(http);
    if (http->step == CN_STREAM_END || http->stream_err != CN_OK || http->status != 0) {
        /* a client that hears early sends its next request in one piece with the rest of this body */
        if (http->step < CN_STREAM_END && http->content_length > 0) http->close_after = true;
        if (http->step != CN_STREAM_CUT) cn_exchange_compose(http, http->stream_err);
    }
    cn_door_give_back(http, back);
}

static void set_reading(cn_http *http, bool on)
{
    if (!http->wsi || http->paused == !on) return;
    http->paused = !on;
    lws_rx_flow_control(http->wsi, on ? 1 : 0);
    /* waiting for our own disk is not the client's fault */
    if (!on) lws_set_timeout(http->wsi, NO_PENDING_TIMEOUT, 0);
}

static void retry(lws_sorted_usec_list_t *sul)
{
    cn_http *http = lws_container_of(sul, cn_http, retry);
    http->retry_waits = false;
    cn_stream_next(http);
    cn_unref(http);
}

static void start(cn_http *http, cn_stream_step step)
{
    http->step = step;
    if (step == CN_STREAM_CHUNK) {
        http->chunk_n = http->fill.n;
        http->chunk = cn_buf_take(&http->fill);
    }
    if (cn_door_dead(http->door)) { /* the job threads have ended */
        cn_ref(http);
        http->working = true;
        run(http);
        return;
    }
    if (cn_door_lend(http, run) == CN_OK) return;
    if (step == CN_STREAM_BEGIN) {
        http->ended = http->lingering = http->close_after = true;
        cn_door_refuse(http, CN_ERR_FULL, 0);
        set_reading(http, true);
        return;
    }
    if (step == CN_STREAM_CHUNK) { /* back to where it was */
        http->fill = (cn_buf){.p = http->chunk, .n = http->chunk_n, .cap = http->chunk_n + 1};
        http->chunk = NULL;
    }
    http->retry_waits = true;
    cn_ref(http);
    lws_sul_schedule(cn_door_lws(http->door), 0, &http->retry, retry, RETRY_US);
}

void cn_stream_next(cn_http *http)
{
    if (http->working || http->retry_waits || http->ended) return;
    bool gone = !http->wsi;
    if (!http->begun) {
        if (gone) return;
        set_reading(http, false);
        start(http, CN_STREAM_BEGIN);
    } else if (http->fill.n >= CN_CHUNK || (http->fill.n && (http->body_done || gone))) {
        start(http, CN_STREAM_CHUNK);
    } else if (http->body_done || gone) {
        start(http, http->body_done ? CN_STREAM_END : CN_STREAM_CUT);
    }
    if (http->fill.n < CN_CHUNK && http->begun) set_reading(http, true);
}

static void back(void *exchange)
{
    cn_http *http = exchange;
    cn_door_returned(http);
    free(http->chunk);
    http->chunk = NULL;
    http->begun = true;
    if (http->answered || http->step == CN_STREAM_CUT) {
        http->ended = true;
        cn_buf_free(&http->fill);
        http->lingering = !http->body_done;
        set_reading(http, true);
        if (http->wsi) lws_callback_on_writable(http->wsi);
    }
    cn_stream_next(http);
    cn_unref(http);
}

void cn_stream_start(cn_http *http)
{
    http->body_done = http->content_length <= 0;
    http->dispatched = true;
    cn_stream_next(http);
}

void cn_stream_body(cn_http *http, const void *bytes, size_t len)
{
    if (http->ended) return;
    cn_buf_add(&http->fill, bytes, len);
    if (http->fill.err != CN_OK) { /* memory is out: what was handed on stays */
        http->ended = true;
        http->lingering = true;
        return;
    }
    if (http->fill.n >= CN_CHUNK && (http->working || http->retry_waits)) set_reading(http, false);
    cn_stream_next(http);
}
