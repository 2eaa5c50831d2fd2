#include "viewer/decoder/worker.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/child.h"
#include "base/log.h"
#include "base/str.h"
#include "viewer/decode_proto.h"
#include "viewer/decoder/cut.h"
#include "viewer/lock.h"

static int reply(int sock, cn_err err, size_t len)
{
    cn_decode_answer answer = {.err = cn_decode_err((int32_t)err), .n = (uint32_t)len};
    ssize_t sent;
    do sent = send(sock, &answer, sizeof(answer), MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent == sizeof(answer) ? 0 : -1;
}

cn_err cn_decoder_open(cn_dslide **slide, const char *path, size_t file_bytes)
{
    char folder[CN_DECODE_PATH];
    const char *slash = strrchr(path, '/');
    if (!slash || !cn_strcpy(folder, sizeof(folder), path)) return CN_ERR_INVALID;
    folder[slash - path] = 0;
    cn_err locked = cn_decoder_lock(folder, file_bytes);
    if (locked == CN_ERR_UNSUPPORTED && cn_child_permitted())
        cn_warn("viewer.decoder", "this kernel has no Landlock: the decoder is not confined to its folder");
    else if (locked != CN_OK)
        return locked == CN_ERR_UNSUPPORTED ? CN_ERR_FORBIDDEN : locked;
    return cn_dslide_open(slide, path);
}

static cn_err answer(cn_dslide *slide, const cn_decode_ask *ask, void *shared, size_t *len)
{
    return ask->op == CN_DECODE_CUT ? cn_cut_answer(slide, ask, shared, CN_DECODE_SHARED, len)
                                    : cn_dslide_answer(slide, ask, shared, CN_DECODE_SHARED, len);
}

int cn_decoder_worker(int sock, void *shared, const char *path)
{
    cn_dslide *slide = NULL;
    cn_err err = cn_decoder_open(&slide, path, 0);
    if (reply(sock, err, 0) != 0 || err != CN_OK) return 1;
    for (;;) {
        char bytes[sizeof(cn_decode_ask) + 1];
        ssize_t got = recv(sock, bytes, sizeof(bytes), 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        size_t n = 0;
        cn_decode_ask ask;
        err = cn_decode_ask_read(bytes, (size_t)got, &ask) ? answer(slide, &ask, shared, &n) : CN_ERR_INVALID;
        /* OpenSlide's errors stick to the handle: a damaged slide is opened anew by the next worker */
        if (reply(sock, err, n) != 0 || err == CN_ERR_CORRUPT) break;
    }
    cn_dslide_close(slide);
    return 0;
}
