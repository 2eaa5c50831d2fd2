/* Any bytes as a body of several parts: whole and cut in two it is the same, and no part has a byte that did not arrive. */
// covers: signaling/api/multipart.c
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "input.h"
#include "signaling/api/multipart.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct seen {
    size_t parts, ends, bytes;
    uint32_t sum;
} seen;

static cn_err begin(void *ctx, const char *type)
{
    seen *own = ctx;
    must(strlen(type) < 256 && own->parts == own->ends);
    own->parts++;
    return CN_OK;
}

static cn_err bytes(void *ctx, const void *at, size_t len)
{
    seen *own = ctx;
    must(own->parts == own->ends + 1 && len > 0);
    for (size_t i = 0; i < len; i++) own->sum = own->sum * 31 + ((const uint8_t *)at)[i];
    own->bytes += len;
    return CN_OK;
}

static cn_err end(void *ctx)
{
    seen *own = ctx;
    own->ends++;
    must(own->parts == own->ends);
    return CN_OK;
}

static const cn_multipart_ops ops = {begin, bytes, end};

static cn_err read_all(const char *boundary, const uint8_t *data, size_t size, size_t cut, seen *out)
{
    cn_multipart multipart;
    cn_err err = cn_multipart_start(&multipart, boundary, &ops, out);
    if (err == CN_OK) err = cn_multipart_feed(&multipart, data, cut);
    if (err == CN_OK) err = cn_multipart_feed(&multipart, data + cut, size - cut);
    return err == CN_OK ? cn_multipart_finish(&multipart) : err;
}

/* The first line is the Content-Type, the rest the body. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char header[256], boundary[128] = "b";
    const uint8_t *line = size ? memchr(data, '\n', size) : NULL;
    size_t n = line ? (size_t)(line - data) : 0;
    if (n >= sizeof header) return 0;
    if (n) memcpy(header, data, n);
    header[n] = '\0';
    (void)cn_multipart_param(header, "boundary", boundary, sizeof boundary);
    must(memchr(boundary, 0, sizeof boundary) != NULL);
    if (line) n++;
    seen whole = {0}, cut = {0};
    cn_err err = read_all(boundary, data + n, size - n, size - n, &whole);
    must(read_all(boundary, data + n, size - n, (size - n) / 2, &cut) == err);
    must(whole.bytes == cut.bytes && whole.sum == cut.sum && whole.parts == cut.parts && whole.bytes <= size);
    return 0;
}
