#include "viewer/slide/iiif.h"

#include <math.h>
#include <string.h>

#include "base/str.h"

#define MOST 1e12 /* no number of a request is larger */

/* ---- words of a path ---- */

/* Digits, and with `part` a point and more digits; moves on. No sign, no exponent, at most 15 of them. */
static bool number(const char **at, bool part, double *out)
{
    double value = 0, place = 1;
    size_t digits = 0;
    bool point = false;
    for (; digits <= 15; (*at)++) {
        if (**at == '.' && part && !point && digits) {
            point = true;
            continue;
        }
        if (**at < '0' || **at > '9') break;
        digits++;
        if (point)
            value += (**at - '0') * (place /= 10);
        else
            value = value * 10 + (**at - '0');
    }
    *out = value;
    return digits >= 1 && digits <= 15 && value <= MOST && (*at)[-1] != '.';
}

static bool numbers(const char *text, bool part, double *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!number(&text, part, &out[i])) return false;
        if (*text != (i + 1 < n ? ',' : 0)) return false;
        text++;
    }
    return true;
}

/* ---- 4.1 region ---- */

static void square(int64_t width, int64_t height, cn_iiif_ask *out)
{
    int64_t side = width < height ? width : height;
    out->x = (width - side) / 2;
    out->y = (height - side) / 2;
    out->width = out->height = side;
}

static bool parse_region(const char *text, int64_t width, int64_t height, cn_iiif_ask *out)
{
    double box[4];
    bool percent = strncmp(text, "pct:", 4) == 0;
    *out = (cn_iiif_ask){.width = width, .height = height};
    if (strcmp(text, "full") == 0) return true;
    if (strcmp(text, "square") == 0) {
        square(width, height, out);
        return true;
    }
    if (!numbers(percent ? text + 4 : text, percent, box, 4)) return false;
    for (int i = 0; i < 4 && percent; i++) box[i] = round(box[i] / 100 * (double)(i % 2 ? height : width));
    if (box[2] < 1 || box[3] < 1 || box[0] >= (double)width || box[1] >= (double)height) return false;
    out->x = (int64_t)box[0];
    out->y = (int64_t)box[1];
    if (box[2] < (double)(width - out->x))
        out->width = (int64_t)box[2];
    else
        out->width = width - out->x;
    if (box[3] < (double)(height - out->y))
        out->height = (int64_t)box[3];
    else
        out->height = height - out->y;
    return true;
}

/* ---- 4.2 size ---- */

static uint32_t side(double pixels)
{
    return pixels < 1 ? 1 : (uint32_t)(pixels + 0.5);
}

/* As large as `scale` of the region, and no larger than the bounds. */
static void shrink(const cn_iiif_ask *ask, double scale, uint32_t *width, uint32_t *height)
{
    double w = (double)ask->width * scale, h = (double)ask->height * scale;
    double fit = fmin(1, fmin(CN_IIIF_SIDE / w, CN_IIIF_SIDE / h));
    if (w * fit * h * fit > (double)CN_IIIF_AREA) fit *= sqrt((double)CN_IIIF_AREA / (w * fit * h * fit));
    *width = side(fit < 1 ? floor(w * fit) : w);
    *height = side(fit < 1 ? floor(h * fit) : h);
}

void cn_iiif_most(int64_t width, int64_t height, uint32_t *out_width, uint32_t *out_height)
{
    shrink(&(cn_iiif_ask){.width = width, .height = height}, 1, out_width, out_height);
}

/* "w,", ",h" and "w,h": exactly so, or refused. */
static bool parse_sides(const char *text, cn_iiif_ask *out)
{
    double w = 0, h = 0;
    bool has_w = *text != ',', has_h;
    if (has_w && !number(&text, false, &w)) return false;
    if (*text++ != ',') return false;
    has_h = *text != 0;
    if (has_h && (!number(&text, false, &h) || *text)) return false;
    if ((!has_w && !has_h) || (has_w && w < 1) || (has_h && h < 1)) return false;
    if (w > (double)out->width || h > (double)out->height) return false;
    if (!has_h) h = side(w * (double)out->height / (double)out->width);
    if (!has_w) w = side(h * (double)out->width / (double)out->height);
    if (w > CN_IIIF_SIDE || h > CN_IIIF_SIDE || w * h > (double)CN_IIIF_AREA) return false;
    out->out_width = (uint32_t)w;
    out->out_height = (uint32_t)h;
    return true;
}

static bool parse_size(const char *text, cn_iiif_ask *out)
{
    double box[2], percent;
    const char *at = text + 4;
    if (strcmp(text, "max") == 0) {
        shrink(out, 1, &out->out_width, &out->out_height);
        return true;
    }
    if (strncmp(text, "pct:", 4) == 0) {
        if (!number(&at, true, &percent) || *at || !(percent > 0) || percent > 100) return false;
        out->out_width = side((double)out->width * percent / 100);
        out->out_height = side((double)out->height * percent / 100);
        return out->out_width <= CN_IIIF_SIDE && out->out_height <= CN_IIIF_SIDE &&
               (int64_t)out->out_width * out->out_height <= CN_IIIF_AREA;
    }
    if (*text != '!') return parse_sides(text, out);
    if (!numbers(text + 1, false, box, 2) || box[0] < 1 || box[1] < 1) return false;
    shrink(out, fmin(1, fmin(box[0] / (double)out->width, box[1] / (double)out->height)), &out->out_width,
           &out->out_height);
    return true;
}

/* ---- 4.3 to 4.5 ---- */

static bool parse_rotation(const char *text, cn_iiif_ask *out)
{
    double degrees;
    out->mirror = *text == '!';
    text += out->mirror;
    if (!number(&text, true, &degrees) || *text || degrees > 360 || fmod(degrees, 90) > 0) return false;
    out->quarters = (unsigned)(degrees / 90) % 4;
    return true;
}

static bool word(const char *text, const char *const *words, size_t n, unsigned *out)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(text, words[i]) == 0) {
            *out = (unsigned)i;
            return true;
        }
    return false;
}

static const char *const qualities[] = {"default", "color", "gray", "bitonal"};
static const char *const formats[] = {"jpg", "png"};

static cn_err refuse(const char **wrong, const char *name, cn_err err)
{
    *wrong = name;
    return err;
}

cn_err cn_iiif_parse(const cn_iiif_texts *texts, int64_t width, int64_t height, cn_iiif_ask *out, const char **wrong)
{
    unsigned quality = 0, format = 0;
    if (width < 1 || height < 1) return refuse(wrong, "region", CN_ERR_PARSE);
    if (!parse_region(texts->region, width, height, out)) return refuse(wrong, "region", CN_ERR_PARSE);
    if (!parse_size(texts->size, out)) return refuse(wrong, "size", CN_ERR_PARSE);
    if (!parse_rotation(texts->rotation, out)) return refuse(wrong, "rotation", CN_ERR_PARSE);
    if (!word(texts->quality, qualities, 4, &quality)) return refuse(wrong, "quality", CN_ERR_PARSE);
    if (!word(texts->format, formats, 2, &format)) return refuse(wrong, "format", CN_ERR_UNSUPPORTED);
    out->quality = (cn_iiif_quality)quality;
    out->format = (cn_iiif_format)format;
    return CN_OK;
}

void cn_iiif_canonical(const cn_iiif_ask *ask, int64_t width, int64_t height, char out[CN_IIIF_CANONICAL])
{
    char region[64] = "full", size[32] = "max";
    uint32_t most_width = 0, most_height = 0;
    if (ask->width != width || ask->height != height)
        cn_fmt(region, sizeof(region), "%lld,%lld,%lld,%lld", (long long)ask->x, (long long)ask->y,
               (long long)ask->width, (long long)ask->height);
    shrink(ask, 1, &most_width, &most_height);
    if (ask->out_width != most_width || ask->out_height != most_height)
        cn_fmt(size, sizeof(size), "%u,%u", ask->out_width, ask->out_height);
    cn_fmt(out, CN_IIIF_CANONICAL, "%s/%s/%s%u/%s.%s", region, size, ask->mirror ? "!" : "", ask->quarters * 90,
           qualities[ask->quality == CN_IIIF_COLOR ? CN_IIIF_DEFAULT : ask->quality], formats[ask->format]);
}
