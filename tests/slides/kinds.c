#include "slides/inside.h"

const slides_kind slides_kinds[] = {
    {"generic", "slide.tif", "generic-tiff", true, 0, 0, 1280, 960, 2, {1, 2}, slides_make_generic},
    {"generic-small", "slide.tif", NULL, true, 0, 0, 1280, 960, 3, {1, 4, 16}, slides_make_generic},
    {"svs-ycbcr", "slide.svs", "aperio", false, 0, 0, 1280, 960, 2, {1, 4}, slides_make_svs},
    {"svs-rgb", "slide.svs", "aperio", false, 0, 0, 1280, 960, 2, {1, 4}, slides_make_svs},
    {"scn", "slide.scn", "leica", false, 128, 64, 1024, 768, 2, {1, 4}, slides_make_scn},
    {"philips", "slide.tiff", "philips", false, 0, 0, 2048, 1024, 2, {1, 2}, slides_make_philips},
    {"trestle", "slide.tif", "trestle", false, 0, 0, 1216, 988, 2, {1, 4}, slides_make_trestle},
    {"bif", "slide.bif", "ventana", false, 0, 0, 1248, 1012, 2, {1, 4}, slides_make_bif},
    {"mrxs", "slide.mrxs", "mirax", false, 0, 0, 1472, 992, 3, {1, 2, 4}, slides_make_mirax},
    {"mrxs-bmp", "slide.mrxs", "mirax", true, 0, 0, 1472, 992, 3, {1, 2, 4}, slides_make_mirax},
    {"vms", "slide.vms", "hamamatsu", false, 0, 0, 2048, 1024, 8, {1, 0, 0, 0, 16}, slides_make_vms},
    {"ome", "slide.ome.tif", NULL, true, 0, 0, 640, 480, 3, {1, 2, 4}, slides_make_ome},
    {"ome-rgb", "slide.ome.tif", NULL, false, 0, 0, 640, 480, 3, {1, 2, 4}, slides_make_ome},
    {.name = NULL},
};

cn_err slides_make(const slides_kind *kind, const char *dir)
{
    return kind->make(kind, dir);
}
