#include "viewer/demo/dicom/phantom.h"

#include <math.h>
#include <string.h>

/* A radius of 0 in z: a cylinder along the whole body. */
typedef struct part {
    double x, y, z, rx, ry, rz;
    int hu;
    double suv;
} part;

static const part body[] = {
    {0, 0, 0, 160, 110, 0, 40, 1},     {75, -5, 0, 60, 80, 130, -800, 0.5}, {-75, -5, 0, 60, 80, 130, -800, 0.5},
    {25, -35, -30, 45, 45, 45, 50, 2}, {0, 75, 0, 18, 18, 0, 700, 1},       {28, 48, 0, 12, 12, 0, 180, 1.5},
    {-80, -20, 20, 8, 8, 8, 30, 5},    {75, -20, 60, 15, 15, 15, 0, 1},     {0, -90, 0, 10, 10, 0, 1000, 1},
};
#define PARTS (sizeof(body) / sizeof(body[0]))
#define NODULE 6
#define PRIOR_SCALE (5.0 / 8)

static bool inside(const part *one, double scale, double x, double y, double z)
{
    double dx = (x - one->x) / (one->rx * scale), dy = (y - one->y) / (one->ry * scale);
    double dz = one->rz > 0 ? (z - one->z) / (one->rz * scale) : 0;
    return dx * dx + dy * dy + dz * dz <= 1;
}

/* The part that a point is in; NULL: air. */
static const part *at(double x, double y, double z, bool prior)
{
    for (size_t i = PARTS; i-- > 0;)
        if (inside(&body[i], prior && i == NODULE ? PRIOR_SCALE : 1, x, y, z)) return &body[i];
    return NULL;
}

static double place(int index, int side, double spacing)
{
    return (index - (side - 1) / 2.0) * spacing;
}

double cn_phantom_z(unsigned slice, unsigned count)
{
    return ((double)slice + 0.5) * CN_PHANTOM_LENGTH / count - CN_PHANTOM_LENGTH / 2;
}

void cn_phantom_ct(double z, bool prior, uint16_t *out)
{
    for (int j = 0; j < CN_CT_SIDE; j++)
        for (int i = 0; i < CN_CT_SIDE; i++) {
            const part *one = at(place(i, CN_CT_SIDE, CN_CT_SPACING), place(j, CN_CT_SIDE, CN_CT_SPACING), z, prior);
            *out++ = (uint16_t)(1024 + (one ? one->hu : -1000));
        }
}

void cn_phantom_pt(double z, uint16_t *out)
{
    for (int j = 0; j < CN_PT_SIDE; j++)
        for (int i = 0; i < CN_PT_SIDE; i++) {
            const part *one = at(place(i, CN_PT_SIDE, CN_PT_SPACING), place(j, CN_PT_SIDE, CN_PT_SPACING), z, false);
            *out++ = (uint16_t)lround(one ? one->suv * 1000 : 0);
        }
}

/* What a ray from front to back meets, in mm of water. */
static double ray(double x, double z)
{
    const double step = 4;
    double sum = 0;
    for (double y = -110; y <= 110; y += step) {
        const part *one = at(x, y, z, false);
        if (one) sum += step * (1000 + one->hu) / 1000;
    }
    return sum;
}

void cn_phantom_cr(uint16_t *out)
{
    for (int j = 0; j < CN_CR_HEIGHT; j++)
        for (int i = 0; i < CN_CR_WIDTH; i++) {
            double x = place(i, CN_CR_WIDTH, CN_CR_SPACING), z = -place(j, CN_CR_HEIGHT, CN_CR_SPACING);
            /* the detector reads much where much passed, and MONOCHROME1 shows that dark */
            double passed = 4000 * exp(-ray(x, z) / 120);
            if (x > 150 && x < 170 && z > 110 && z < 130) passed = 0;
            *out++ = (uint16_t)lround(passed);
        }
}

static uint8_t speckle(uint32_t seed)
{
    seed ^= seed >> 16;
    seed *= 0x7feb352du;
    seed ^= seed >> 15;
    seed *= 0x846ca68bu;
    return (uint8_t)((seed ^ seed >> 16) % 60);
}

static void us_pixel(int frame, int i, int j, uint8_t *rgb)
{
    double dx = i - 320, dy = j - 40, depth = hypot(dx, dy);
    double vessel = hypot(i - 320, j - 240), wall = 60 + 15 * sin(frame * 2 * 3.14159265358979 / CN_US_FRAMES);
    memset(rgb, 0, 3);
    if (depth > 400 || fabs(dx) > dy * 0.8 || i < 80 || i > 559) return;
    memset(rgb, 60 + speckle((uint32_t)(i * 7919 + j * 104729)), 3);
    if (vessel < wall) { /* blood towards the probe */
        rgb[0] = (uint8_t)(200 * (1 - vessel / wall) + 20);
        rgb[1] = rgb[2] = 8;
    } else if (vessel < wall + 5)
        memset(rgb, 210, 3);
}

void cn_phantom_us(uint8_t *out)
{
    for (int frame = 0; frame < CN_US_FRAMES; frame++)
        for (int j = 0; j < CN_US_HEIGHT; j++)
            for (int i = 0; i < CN_US_WIDTH; i++, out += 3) {
                us_pixel(frame, i, j, out);
                if (j >= 399 && j <= 401 && ((i >= 219 && i <= 221) || (i >= 419 && i <= 421))) memset(out, 255, 3);
            }
}

void cn_phantom_mg(bool left, bool oblique, uint16_t *out)
{
    for (int j = 0; j < CN_MG_HEIGHT; j++)
        for (int i = 0; i < CN_MG_WIDTH; i++) {
            int from_wall = left ? i : CN_MG_WIDTH - 1 - i;
            double deep = from_wall * CN_MG_SPACING, across = place(j, CN_MG_HEIGHT, CN_MG_SPACING);
            double edge = deep * deep / 1e4 + across * across / 12100;
            double value = edge > 1 ? 0 : 900 + 900 * (1 - edge) + 4 * speckle((uint32_t)(from_wall / 3 * 31 + j / 3));
            if (hypot(deep - 60, across - 10) <= 6 && left) value = 3400;
            /* the muscle of the chest, seen from the side only */
            if (oblique && deep + (across + 128) * 0.5 < 50) value = 2600;
            *out++ = (uint16_t)lround(value);
        }
}
