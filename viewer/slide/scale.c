#include "viewer/slide/scale.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define FINEST 0.01      /* µm per pixel; 100 times finer than light resolves */
#define COARSEST 100.0   /* stated by a scanner: an overview of the whole glass */
#define COARSEST_TAG 10. /* from TIFF's resolution: an objective of 1×; above, it is a flatbed's or a printer's */
#define GLASS 300000.0   /* µm; the largest glass slides are half of that */
#define SQUARE 1.01      /* scanners' own calibration differs by less */
#define LONGEST 16.0     /* no pixel is longer than so many times its width */

static double number(const char *text)
{
    double value = text ? strtod(text, NULL) : 0;
    return isfinite(value) && value > 0 ? value : 0;
}

static double from_tag(const char *per_unit, const char *unit)
{
    double count = number(per_unit);
    if (count <= 0 || !unit) return 0;
    if (strcmp(unit, "centimeter") == 0) return 10000 / count;
    return strcmp(unit, "inch") == 0 ? 25400 / count : 0;
}

static bool plausible(double mpp, double coarsest, int64_t pixels)
{
    return mpp >= FINEST && mpp <= coarsest && mpp * (double)pixels <= GLASS;
}

/* Both or none: a file of whose two numbers one is nonsense knows nothing. One that is not there is the other. */
static bool take(double x, double y, double coarsest, cn_scale *scale)
{
    if (x <= 0) x = y;
    if (y <= 0) y = x;
    if (!plausible(x, coarsest, scale->width) || !plausible(y, coarsest, scale->height)) return false;
    if (x > y * LONGEST || y > x * LONGEST) return false;
    scale->mpp_x = x;
    scale->mpp_y = y;
    return true;
}

void cn_scale_of(const cn_scale_texts *texts, int64_t width, int64_t height, cn_scale *out)
{
    *out = (cn_scale){.stretch_x = 1, .stretch_y = 1, .width = width, .height = height};
    if (!take(number(texts->mpp_x), number(texts->mpp_y), COARSEST, out) &&
        !take(from_tag(texts->per_unit_x, texts->unit), from_tag(texts->per_unit_y, texts->unit), COARSEST_TAG, out))
        return;
    double fine = fmin(out->mpp_x, out->mpp_y);
    if (fmax(out->mpp_x, out->mpp_y) <= fine * SQUARE) return;
    out->stretch_x = out->mpp_x / fine;
    out->stretch_y = out->mpp_y / fine;
    out->width = llround((double)width * out->stretch_x);
    out->height = llround((double)height * out->stretch_y);
    out->mpp_x = out->mpp_y = fine;
}
