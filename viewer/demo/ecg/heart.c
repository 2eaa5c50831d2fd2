#include "viewer/demo/ecg/heart.h"

#include <math.h>

#define PI 3.14159265358979323846
#define RR 0.8
#define R_AT 0.4

const char *const cn_heart_lead[CN_HEART_ALL] = {"I",  "II", "V1",  "V2",  "V3",  "V4",
                                                 "V5", "V6", "III", "aVR", "aVL", "aVF"};

/* Microvolts of P, Q, R, S and T in a lead. */
static const double heights[CN_HEART_LEADS][5] = {
    {80, -50, 600, -100, 200}, {140, -80, 1000, -150, 300}, {60, 0, 200, -900, -100},   {70, 0, 400, -1100, 350},
    {80, 0, 800, -700, 450},   {90, -40, 1300, -400, 400},  {80, -60, 1200, -150, 300}, {70, -60, 900, -50, 200},
};

/* A hill of one cosine, from 0 up and back to 0 within `width`. */
static double hill(double t, double from, double width)
{
    return t <= from || t >= from + width ? 0 : 0.5 - 0.5 * cos(2 * PI * (t - from) / width);
}
/* A tent of two straight lines. */
static double tent(double t, double from, double top, double to)
{
    if (t <= from || t >= to) return 0;
    return t < top ? (t - from) / (top - from) : (to - t) / (to - top);
}

/* Seconds from the R of a beat. */
static double beat(const double height[5], double t)
{
    return height[0] * hill(t, -0.20, 0.10) + height[1] * tent(t, -0.04, -0.03, -0.02) +
           height[2] * tent(t, -0.02, 0, 0.02) + height[3] * tent(t, 0.02, 0.03, 0.05) +
           height[4] * hill(t, 0.14, 0.18);
}

/* How many beats have begun at a second; its fraction says how far the beat is. */
static double phase(double second, double seconds)
{
    if (seconds <= 60) return second / RR;
    double period = 600;
    return second / RR + 0.2 / RR * period / (2 * PI) * (1 - cos(2 * PI * second / period));
}

double cn_heart_at(unsigned lead, double second, double seconds)
{
    if (lead >= CN_HEART_LEADS) {
        static const double of_one[] = {-1, -0.5, 1, -0.5}, of_two[] = {1, -0.5, -0.5, 1};
        return of_one[lead - CN_HEART_LEADS] * cn_heart_at(0, second, seconds) +
               of_two[lead - CN_HEART_LEADS] * cn_heart_at(1, second, seconds);
    }
    double at = phase(second, seconds);
    return beat(heights[lead], (at - floor(at)) * RR - R_AT);
}

void cn_heart_samples(unsigned lead, double seconds, size_t n, int16_t *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (int16_t)lround(cn_heart_at(lead, (double)i / CN_HEART_RATE, seconds) / CN_HEART_STEP);
}

void cn_heart_median(unsigned lead, int16_t out[CN_HEART_MEDIAN])
{
    for (size_t i = 0; i < CN_HEART_MEDIAN; i++)
        out[i] = (int16_t)lround(cn_heart_at(lead, RR + (double)i / CN_HEART_RATE, RR) / CN_HEART_STEP);
}
