/*
 * consilium-painter: what the libraries of the thumbnails and LibreOffice do not read, in a process of its own.
 *   pages FROM TO       a scanned or faxed TIFF, every page of it, as a PDF
 *   picture FROM TO N   a WebP as a PNG inside N × N pixels
 *   pyramid FROM TO HOW a plain picture as a pyramid; HOW is how far it is, one byte, 0…100
 * Ends with 0, or with 1 when it cannot be read; pyramid with CN_LEVELS_STATUS + cn_err. Whoever starts it sets the limits.
 */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "viewer/decode_proto.h"
#include "viewer/painter/pages.h"
#include "viewer/painter/picture.h"
#include "viewer/painter/webp.h"

int main(int argc, char **argv)
{
    int64_t size = 0;
    cn_err err = CN_ERR_INVALID;
    if (argc == 4 && strcmp(argv[1], "pages") == 0) err = cn_painter_pages(argv[2], argv[3]);
    if (argc == 5 && strcmp(argv[1], "picture") == 0 && cn_parse_i64(argv[4], 1, 4096, &size))
        err = cn_painter_webp(argv[2], argv[3], (int)size);
    if (argc == 5 && strcmp(argv[1], "pyramid") == 0) {
        err = cn_painter_pyramid(argv[2], argv[3], argv[4]);
        return err == CN_OK ? 0 : CN_LEVELS_STATUS + (int)err;
    }
    if (err != CN_OK) fprintf(stderr, "consilium-painter: %s\n", cn_err_text(err));
    return err == CN_OK ? 0 : 1;
}
