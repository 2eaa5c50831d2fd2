/* Messages of a WebSocket in fragments, frames in pieces, control frames between them, and frames that nobody may send: what arrives
 * is what was sent, whole and in order, and what is too long or no text ends the connection. */
// covers: signaling/door/ws.c
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "door.h"
#include "base/json.h"
#include "base/mem.h"
#include "signaling/door/ws.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { EXPECTED = 64, LARGEST = 300 * 1024 };

static struct {
    cn_door *door;
    cn_ws *ws;
    bool known;                /* what was sent is known to be well formed */
    size_t whole[EXPECTED], n; /* lengths of whole messages under way, each of one letter: its number's */
    size_t came;
    size_t unfinished; /* of the message that is being sent */
    bool between;      /* fragments of a message */
    bool too_long;
} s;

static unsigned judge(void *ctx, const char *token, const char *address)
{
    (void)ctx;
    (void)address;
    return strcmp(token, "good") == 0 ? 0 : 401;
}

static void opened(void *ctx, cn_ws *ws, const char *token, const char *address)
{
    (void)ctx;
    (void)address;
    must(strcmp(token, "good") == 0);
    cn_ws_own(ws, &s);
    s.ws = ws;
}

static void answer(cn_ws *ws, const char *key)
{
    CN_AUTO_JSON json_t *value = json_pack("{s:i}", "answer", 1);
    CN_AUTO_UNREF cn_ws_text *text = cn_ws_text_new(value);
    cn_ws_send_text(ws, text, key);
}

static void message(void *ctx, cn_ws *ws, const char *text, size_t len)
{
    (void)ctx;
    must(cn_ws_owned(ws) == &s && text[len] == '\0' && len <= CN_WS_MESSAGE_MAX);
    if (s.known) {
        must(s.came < s.n && len == s.whole[s.came]);
        for (size_t i = 0; i < len; i++) must(text[i] == (char)('a' + s.came % 26));
    }
    s.came++;
    if (len % 3 == 0) answer(ws, len % 2 ? "key" : NULL);
}

static void closed(void *ctx, cn_ws *ws)
{
    (void)ctx;
    must(ws == s.ws);
    s.ws = NULL;
}

static bool frame(int fd, unsigned first, const void *bytes, size_t len)
{
    static uint8_t out[LARGEST + 14];
    size_t n = 0;
    out[n++] = (uint8_t)first;
    if (len < 126) {
        out[n++] = (uint8_t)(0x80 | len);
    } else if (len < 65536) {
        out[n++] = 0x80 | 126;
        out[n++] = (uint8_t)(len >> 8);
        out[n++] = (uint8_t)len;
    } else {
        out[n++] = 0x80 | 127;
        for (int shift = 56; shift >= 0; shift -= 8) out[n++] = (uint8_t)((uint64_t)len >> shift);
    }
    memset(out + n, 0, 4); /* a mask that changes nothing */
    n += 4;
    if (len) memcpy(out + n, bytes, len);
    return door_write(s.door, fd, out, n + len);
}

/* A part of a message, its last one when `fin`. */
static bool part(int fd, size_t len, bool fin)
{
    static char text[LARGEST];
    if (s.n == EXPECTED || s.too_long) return false;
    memset(text, 'a' + (int)(s.n % 26), len);
    s.unfinished += len;
    s.too_long = s.unfinished > CN_WS_MESSAGE_MAX;
    unsigned opcode = s.between ? 0 : 1;
    s.between = !fin;
    if (fin && !s.too_long) s.whole[s.n++] = s.unfinished;
    if (fin) s.unfinished = 0;
    return frame(fd, (fin ? 0x80u : 0) | opcode, text, len);
}

static bool act(int fd, input *from)
{
    unsigned what = input_byte(from);
    size_t len = input_byte(from);
    if ((what & 0x38) == 0x38) len = len * 1200 % LARGEST; /* seldom: it takes its time */
    switch (what % 5) {
    case 0: return part(fd, len, true);
    case 1:
    case 2: return part(fd, len, false);
    case 3: {
        const uint8_t *bytes = input_bytes(from, &len);
        if (len > 125) len = 125;
        return frame(fd, 0x89, bytes, len); /* a ping between fragments */
    }
    default: {
        const uint8_t *bytes = input_bytes(from, &len);
        s.known = false;
        return door_write(s.door, fd, bytes, len);
    }
    }
}

static int handshake(bool good)
{
    static const char head[] = "GET /ws HTTP/1.1\r\nHost: h\r\nOrigin: http://h\r\nUpgrade: websocket\r\nConnection: "
                               "Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: "
                               "13\r\nCookie: sid=";
    int fd = door_connect(s.door);
    must(fd >= 0);
    (void)(door_write(s.door, fd, head, sizeof head - 1) &&
           door_write(s.door, fd, good ? "good\r\n\r\n" : "bad\r\n\r\n", good ? 8 : 7));
    must((s.ws != NULL) == good);
    return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const cn_ws_hooks hooks = {judge, opened, message, closed};
    static const cn_route *const none[] = {NULL};
    cn_door *door = s.door;
    memset(&s, 0, sizeof s);
    s.door = door ? door : door_open((cn_door_config){.routes = none, .ws = &hooks});
    s.known = true;
    input from = {data, size};
    int fd = handshake(input_byte(&from) != 0xff);
    bool open = s.ws != NULL;
    while (open && from.n) open = act(fd, &from);
    if (open && s.known && !s.too_long) must(s.came == s.n);
    door_close(s.door, fd);
    must(!s.ws && s.door->unfinished == 0);
    return 0;
}
