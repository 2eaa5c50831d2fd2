/*
 * consilium-decoder: the zygote. It loads the libraries once, then forks one locked worker per open slide.
 * Started by the server with its socket as descriptor 3; not meant to be run by hand.
 * consilium-decoder levels SLIDE OUT HOW: makes the levels that a slide lacks; HOW is how far it is, one byte, 0…100.
 */
#include <gdk-pixbuf/gdk-pixbuf.h>
#include <openslide.h>
#include <string.h>
#include <unistd.h>

#include "base/child.h"
#include "viewer/decode_proto.h"
#include "viewer/decoder/levels.h"
#include "viewer/decoder/worker.h"
#include "viewer/nursery.h"

/* gdk-pixbuf opens the library that reads BMP, in which some MRXS have their pixels, when the first is read: a locked
 * worker may not. */
static void load_late_libraries(void)
{
    GdkPixbufLoader *loader = gdk_pixbuf_loader_new_with_type("bmp", NULL);
    if (!loader) return; /* those slides are refused */
    gdk_pixbuf_loader_close(loader, NULL);
    g_object_unref(loader);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[argc - 1], CN_DECODE_UNCONFINED) == 0) cn_child_unconfined(true);
    load_late_libraries();
    if (argc >= 5 && strcmp(argv[1], "levels") == 0)
        _exit(cn_levels_main(argv[2], argv[3], argv[4])); /* locked in: what else runs at an exit may not do its work */
    openslide_get_version(); /* resolves and initialises the libraries before the first fork */
    return cn_nursery_serve(
        &(cn_nursery){.memory = "consilium-tiles", .shared = CN_DECODE_SHARED, .work = cn_decoder_worker});
}
