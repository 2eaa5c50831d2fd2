#include "viewer/demo/tissue.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

#define NOISE 1024 /* side of the tileable noise texture */
#define COARSE 32  /* pixels per cell of the map of the section */
#define CELL 30    /* mean distance of nuclei in pixels: 7.5 µm */
#define NUCLEUS_MAX 16

enum { GLASS, STROMA, EPITHELIUM, LUMEN };

struct cn_tissue {
    int64_t width, height;
    uint64_t seed;
    int64_t map_width, map_height;
    uint8_t *cover; /* 0 glass … 255 tissue, per coarse cell */
    uint8_t *gland; /* 0 stroma … 255 inside a gland; above 190 its lumen */
    uint8_t *noise; /* NOISE × NOISE */
};

static uint64_t mix(uint64_t value)
{
    value ^= value >> 33;
    value *= 0xff51afd7ed558ccdu;
    value ^= value >> 33;
    value *= 0xc4ceb9fe1a85ec53u;
    return value ^ value >> 33;
}

static double unit(uint64_t hash)
{
    return (double)(hash >> 11) / 9007199254740992.0;
}

/* Smooth value noise, 0…1. */
static double value_noise(uint64_t seed, double x, double y)
{
    double fx = floor(x), fy = floor(y), tx = x - fx, ty = y - fy;
    double v[2][2];
    for (int j = 0; j < 2; j++)
        for (int i = 0; i < 2; i++)
            v[j][i] =
                unit(mix(seed ^ mix((uint64_t)((int64_t)fx + i) * 0x9e3779b97f4a7c15u + (uint64_t)((int64_t)fy + j))));
    tx = tx * tx * (3 - 2 * tx);
    ty = ty * ty * (3 - 2 * ty);
    double top = v[0][0] + (v[0][1] - v[0][0]) * tx, bottom = v[1][0] + (v[1][1] - v[1][0]) * tx;
    return top + (bottom - top) * ty;
}

static double fractal(uint64_t seed, double x, double y, int octaves)
{
    double sum = 0, weight = 0, amplitude = 1;
    for (int i = 0; i < octaves; i++) {
        sum += amplitude * value_noise(seed + (uint64_t)i, x, y);
        weight += amplitude;
        amplitude *= 0.5;
        x *= 2.03;
        y *= 2.03;
    }
    return sum / weight;
}

static uint8_t to_byte(double value)
{
    return (uint8_t)(value <= 0 ? 0 : value >= 255 ? 255 : value);
}

/* One gland per cell of a jittered grid of 700 pixels: distance to the nearest, as a share of its radius. */
static double gland_depth(const cn_tissue *tissue, double px, double py)
{
    const double grid = 700;
    double best = 0;
    int64_t gx = (int64_t)floor(px / grid), gy = (int64_t)floor(py / grid);
    for (int64_t j = gy - 1; j <= gy + 1; j++) {
        for (int64_t i = gx - 1; i <= gx + 1; i++) {
            uint64_t h = mix(tissue->seed ^ mix((uint64_t)i * 7919 + (uint64_t)j * 104729 + 17));
            double cx = ((double)i + 0.2 + 0.6 * unit(mix(h + 1))) * grid,
                   cy = ((double)j + 0.2 + 0.6 * unit(mix(h + 2))) * grid;
            double radius = 150 + 170 * unit(mix(h + 3));
            double wobble = 0.75 + 0.5 * value_noise(h, px / 130, py / 130);
            double depth = 1 - hypot(px - cx, (py - cy) * (0.8 + 0.5 * unit(mix(h + 4)))) / (radius * wobble);
            if (depth > best) best = depth;
        }
    }
    return best;
}

static void draw_map(cn_tissue *tissue)
{
    for (int64_t y = 0; y < tissue->map_height; y++) {
        for (int64_t x = 0; x < tissue->map_width; x++) {
            double u = (double)x / (double)tissue->map_width * 2 - 1,
                   v = (double)y / (double)tissue->map_height * 2 - 1;
            double shape =
                1.0 - hypot(u * 1.05, v * 1.1) + 0.75 * (fractal(tissue->seed + 91, u * 2.4 + 7, v * 2.4 + 3, 5) - 0.5);
            size_t at = (size_t)(y * tissue->map_width + x);
            tissue->cover[at] = to_byte(shape * 2600);
            tissue->gland[at] = to_byte(255 * 1.5 * gland_depth(tissue, (double)x * COARSE, (double)y * COARSE));
        }
    }
}

static void draw_noise(cn_tissue *tissue)
{
    for (int y = 0; y < NOISE; y++)
        for (int x = 0; x < NOISE; x++) {
            /* fibres: the noise is stretched along a slowly turning direction; mirrored so that the texture tiles */
            int mx = x < NOISE / 2 ? x : NOISE - 1 - x, my = y < NOISE / 2 ? y : NOISE - 1 - y;
            double v = 0.55 * fractal(tissue->seed + 5, mx / 34.0, my / 7.0, 3) +
                       0.45 * fractal(tissue->seed + 6, mx / 5.0, my / 5.0, 2);
            tissue->noise[y * NOISE + x] = to_byte(v * 255);
        }
}

cn_err cn_tissue_new(cn_tissue **out, int64_t width, int64_t height, uint64_t seed)
{
    cn_tissue *tissue = CN_NEW(cn_tissue);
    if (!tissue) return CN_ERR_NOMEM;
    tissue->width = width;
    tissue->height = height;
    tissue->seed = seed;
    tissue->map_width = width / COARSE + 2;
    tissue->map_height = height / COARSE + 2;
    tissue->cover = cn_calloc((size_t)tissue->map_width, (size_t)tissue->map_height);
    tissue->gland = cn_calloc((size_t)tissue->map_width, (size_t)tissue->map_height);
    tissue->noise = cn_calloc(NOISE, NOISE);
    if (!tissue->cover || !tissue->gland || !tissue->noise) {
        cn_tissue_free(tissue);
        return CN_ERR_NOMEM;
    }
    draw_map(tissue);
    draw_noise(tissue);
    *out = tissue;
    return CN_OK;
}

void cn_tissue_free(cn_tissue *tissue)
{
    if (!tissue) return;
    free(tissue->cover);
    free(tissue->gland);
    free(tissue->noise);
    free(tissue);
}

/* Bilinear sample of a coarse map, 0…255. */
static int sample(const cn_tissue *tissue, const uint8_t *map, int64_t x, int64_t y)
{
    int64_t cx = x / COARSE, cy = y / COARSE;
    int fx = (int)(x % COARSE), fy = (int)(y % COARSE);
    if (cx > tissue->map_width - 2) cx = tissue->map_width - 2;
    if (cy > tissue->map_height - 2) cy = tissue->map_height - 2;
    const uint8_t *p = map + cy * tissue->map_width + cx;
    int top = p[0] * (COARSE - fx) + p[1] * fx,
        bottom = p[tissue->map_width] * (COARSE - fx) + p[tissue->map_width + 1] * fx;
    return (top * (COARSE - fy) + bottom * fy) / (COARSE * COARSE);
}

static int part_at(const cn_tissue *tissue, int64_t x, int64_t y)
{
    if (x < 0 || y < 0 || x >= tissue->width || y >= tissue->height) return GLASS;
    if (sample(tissue, tissue->cover, x, y) < 128) return GLASS;
    int depth = sample(tissue, tissue->gland, x, y);
    return depth > 165 ? LUMEN : depth > 20 ? EPITHELIUM : STROMA;
}

static void draw_ground(const cn_tissue *tissue, int64_t x0, int64_t y0, int side, uint8_t *rgb)
{
    static const int colours[4][3] = {{243, 241, 244}, {226, 158, 190}, {203, 140, 190}, {240, 226, 236}};
    for (int y = 0; y < side; y++) {
        const uint8_t *fine = tissue->noise + ((y0 + y) & (NOISE - 1)) * NOISE;
        const uint8_t *wide = tissue->noise + (((y0 + y) >> 2) & (NOISE - 1)) * NOISE;
        for (int x = 0; x < side; x++) {
            int64_t px = x0 + x < tissue->width ? x0 + x : tissue->width - 1,
                    py = y0 + y < tissue->height ? y0 + y : tissue->height - 1;
            int part = part_at(tissue, px, py);
            int n = fine[px & (NOISE - 1)] + wide[(px >> 2) & (NOISE - 1)] - 256;
            int swing = part == GLASS || part == LUMEN ? n / 24 : n / 3;
            uint8_t *p = rgb + 3 * (y * side + x);
            for (int c = 0; c < 3; c++) {
                int v = colours[part][c] + (c == 1 ? swing : swing * 2 / 3);
                p[c] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
            }
        }
    }
}

typedef struct nucleus {
    double cx, cy, a, b, cosine, sine;
    int tone;
} nucleus;

static void draw_nucleus(const cn_tissue *tissue, const nucleus *kernel, int64_t x0, int64_t y0, int side, uint8_t *rgb)
{
    int64_t left = (int64_t)(kernel->cx - kernel->a) - 1, top = (int64_t)(kernel->cy - kernel->a) - 1;
    for (int64_t y = top < y0 ? y0 : top; y < y0 + side && (double)y < kernel->cy + kernel->a + 1; y++)
        for (int64_t x = left < x0 ? x0 : left; x < x0 + side && (double)x < kernel->cx + kernel->a + 1; x++) {
            double dx = (double)x - kernel->cx, dy = (double)y - kernel->cy;
            double u = (dx * kernel->cosine + dy * kernel->sine) / kernel->a,
                   v = (dy * kernel->cosine - dx * kernel->sine) / kernel->b, r = u * u + v * v;
            if (r > 1) continue;
            int chromatin = tissue->noise[((y * 5) & (NOISE - 1)) * NOISE + ((x * 5) & (NOISE - 1))] / 5;
            int rim = r > 0.7 ? -18 : 0;
            uint8_t *p = rgb + 3 * ((y - y0) * side + (x - x0));
            p[0] = (uint8_t)(62 + kernel->tone + chromatin + rim);
            p[1] = (uint8_t)(32 + kernel->tone / 2 + chromatin + rim / 2);
            p[2] = (uint8_t)(112 + kernel->tone + chromatin / 2 + rim);
        }
}

static void draw_nuclei(const cn_tissue *tissue, int64_t x0, int64_t y0, int side, uint8_t *rgb)
{
    for (int64_t j = (y0 - NUCLEUS_MAX) / CELL - 1; j <= (y0 + side + NUCLEUS_MAX) / CELL; j++)
        for (int64_t i = (x0 - NUCLEUS_MAX) / CELL - 1; i <= (x0 + side + NUCLEUS_MAX) / CELL; i++) {
            uint64_t h = mix(tissue->seed + 0xabcdu + mix((uint64_t)i * 1000003u + (uint64_t)j));
            nucleus kernel = {.cx = ((double)i + unit(mix(h + 1))) * CELL, .cy = ((double)j + unit(mix(h + 2))) * CELL};
            int part = part_at(tissue, (int64_t)kernel.cx, (int64_t)kernel.cy);
            if (part == GLASS || part == LUMEN || (part == STROMA && (h & 3) != 0)) continue;
            double angle = unit(mix(h + 3)) * 6.283;
            kernel.a = part == EPITHELIUM ? 9 + 5 * unit(mix(h + 4)) : 11 + 4 * unit(mix(h + 4));
            kernel.b = part == EPITHELIUM ? kernel.a * (0.65 + 0.3 * unit(mix(h + 5))) : kernel.a * 0.32;
            kernel.cosine = cos(angle);
            kernel.sine = sin(angle);
            kernel.tone = (int)(40 * unit(mix(h + 6)));
            draw_nucleus(tissue, &kernel, x0, y0, side, rgb);
        }
}

void cn_tissue_draw(const cn_tissue *tissue, int64_t x, int64_t y, int side, uint8_t *rgb)
{
    draw_ground(tissue, x, y, side, rgb);
    draw_nuclei(tissue, x, y, side, rgb);
}
