/* Private to the door: what libwebsockets' callbacks (door.c) hand to stream.c, send.c and ws.c. All on its thread. */
#ifndef CN_SIGNALING_PARTS_H
#define CN_SIGNALING_PARTS_H

#include "signaling/door/calls.h"
#include "signaling/http/exchange_state.h"

/** Per connection, kept by libwebsockets. */
typedef struct cn_conn_state {
    cn_http *http;
    cn_ws *ws;
} cn_conn_state;

/* stream.c */
void cn_stream_start(cn_http *http);
void cn_stream_body(cn_http *http, const void *bytes, size_t len);
void cn_stream_next(cn_http *http);

/* send.c */
/** Sends the next piece; 0 more to come or nothing to do, 1 all sent, -1 the connection must end. */
int cn_send_next(cn_http *http);

/* ws.c: libwebsockets' callbacks of a WebSocket, results as there. */
int cn_ws_on_filter(cn_door *door, struct lws *wsi, cn_conn_state *state);
int cn_ws_on_open(cn_door *door, struct lws *wsi, cn_conn_state *state);
int cn_ws_on_receive(cn_door *door, struct lws *wsi, cn_conn_state *state, const void *bytes, size_t len);
int cn_ws_on_writable(cn_door *door, struct lws *wsi, cn_conn_state *state);
void cn_ws_on_closed(cn_door *door, cn_conn_state *state);

#endif
