/* The client's end of a WebSocket (RFC 6455, text frames) and of a plain HTTP call, on loopback. Sending blocks,
 * reading does not. One thread. */
#ifndef CN_BENCH_WS_H
#define CN_BENCH_WS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ws ws;

/** One HTTP/1.1 call to 127.0.0.1; `headers`: whole lines with their ends, "" for none. Puts head and body, zero-
 * terminated and cut to `size`, into `answer`. Returns the status, 0 when nothing came. */
int ws_http(uint16_t port, const char *method, const char *path, const char *headers, const char *body, char *answer,
            size_t size);

/** Connects and upgrades; `headers` as above. NULL when the server does not want to. */
ws *ws_open(uint16_t port, const char *path, const char *headers);
int ws_fd(const ws *socket);
bool ws_send(ws *socket, const char *text);
/** The next whole text message that has come, zero-terminated and good until the next call; NULL: none now. */
const char *ws_next(ws *socket);
/** The other side is gone. */
bool ws_closed(const ws *socket);
void ws_free(ws *socket);

#endif
