#include "viewer/ecg/reader/paper.h"

#include <cairo-pdf.h>
#include <math.h>
#include <pango/pangocairo.h>
#include <string.h>

#include "base/str.h"

#define MM (72 / 25.4)
#define WIDTH 297.0
#define HEIGHT 210.0
#define SPEED 25.0 /* mm a second */
#define GAIN 10.0  /* mm a millivolt */
#define LEFT 23.0
#define TOP 20.0
#define BOTTOM 190.0
#define SHEET_S 10.0
#define SHEETS 6
#define ROWS 8

static const char *const twelve[] = {"I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"};

static const cn_ecg_lead *named(const cn_ecg *ecg, const char *name)
{
    for (size_t i = 0; i < ecg->rhythm.n; i++)
        if (strcmp(ecg->rhythm.lead[i].name, name) == 0) return &ecg->rhythm.lead[i];
    return NULL;
}

static bool has_twelve(const cn_ecg *ecg)
{
    for (size_t i = 0; i < 12; i++)
        if (!named(ecg, twelve[i])) return false;
    return true;
}

static double seconds_of(const cn_ecg *ecg)
{
    size_t most = 0;
    for (size_t i = 0; i < ecg->rhythm.n; i++) {
        size_t n = ecg->rhythm.lead[i].first + ecg->rhythm.lead[i].count;
        if (n > most) most = n;
    }
    return (double)most / ecg->rhythm.rate;
}

/* ---- ink ---- */

static void lines(cairo_t *cr, double step, double width, double r, double g, double b)
{
    cairo_set_source_rgb(cr, r, g, b);
    cairo_set_line_width(cr, width);
    for (double x = 3; x <= WIDTH - 3; x += step) {
        cairo_move_to(cr, x, TOP);
        cairo_line_to(cr, x, BOTTOM);
    }
    for (double y = TOP; y <= BOTTOM; y += step) {
        cairo_move_to(cr, 3, y);
        cairo_line_to(cr, WIDTH - 3, y);
    }
    cairo_stroke(cr);
}

static void words(cairo_t *cr, double x, double y, double size, const char *text)
{
    PangoLayout *layout = pango_cairo_create_layout(cr);
    PangoFontDescription *font = pango_font_description_from_string("sans");
    pango_font_description_set_absolute_size(font, size * PANGO_SCALE);
    pango_layout_set_font_description(layout, font);
    pango_layout_set_text(layout, text, -1);
    pango_layout_set_width(layout, (int)((WIDTH - 5 - x) * PANGO_SCALE));
    pango_layout_set_ellipsize(layout, PANGO_ELLIPSIZE_END);
    cairo_set_source_rgb(cr, 0, 0, 0);
    cairo_move_to(cr, x, y);
    pango_cairo_show_layout(cr, layout);
    pango_font_description_free(font);
    g_object_unref(layout);
}

/* 1 mV for 0.2 s. */
static void pulse(cairo_t *cr, double y)
{
    double x = LEFT - 9;
    cairo_move_to(cr, x, y);
    cairo_line_to(cr, x + 1, y);
    cairo_line_to(cr, x + 1, y - GAIN);
    cairo_line_to(cr, x + 6, y - GAIN);
    cairo_line_to(cr, x + 6, y);
    cairo_line_to(cr, x + 7, y);
    cairo_stroke(cr);
}

/* From `start`, `seconds` long, its zero line at (x, y). */
static void trace(cairo_t *cr, const cn_ecg *ecg, const cn_ecg_lead *lead, double start, double seconds, double x,
                  double y)
{
    double rate = ecg->rhythm.rate;
    size_t from = (size_t)ceil(start * rate - 1e-6), to = (size_t)floor((start + seconds) * rate + 1e-6);
    bool pen = false;
    for (size_t at = from < lead->first ? lead->first : from; at <= to && at - lead->first < lead->count; at++) {
        int16_t sample = lead->samples[at - lead->first];
        if (sample == CN_ECG_ABSENT) {
            pen = false;
            continue;
        }
        double along = x + ((double)at / rate - start) * SPEED, up = y - sample * lead->step / 1000 * GAIN;
        if (pen)
            cairo_line_to(cr, along, up);
        else
            cairo_move_to(cr, along, up);
        pen = true;
    }
    cairo_stroke(cr);
}

static void ink(cairo_t *cr)
{
    cairo_set_source_rgb(cr, 0, 0, 0);
    cairo_set_line_width(cr, 0.25);
    cairo_set_line_join(cr, CAIRO_LINE_JOIN_ROUND);
}

static void strip(cairo_t *cr, const cn_ecg *ecg, const cn_ecg_lead *lead, double start, double seconds, double x,
                  double y)
{
    ink(cr);
    if (x > LEFT) {
        cairo_move_to(cr, x, y - 3);
        cairo_line_to(cr, x, y + 3);
        cairo_stroke(cr);
    } else
        pulse(cr, y);
    trace(cr, ecg, lead, start, seconds, x, y);
    words(cr, x + 1, y - 13, 3.4, lead->name);
}

/* ---- sheets ---- */

static void head(cairo_t *cr, const cn_ecg *ecg, double start, double all)
{
    char line[CN_ECG_TEXT * 3], filters[CN_ECG_TEXT] = "", part[64] = "";
    for (size_t i = 0; i < sizeof(ecg->filter) / sizeof(ecg->filter[0]) && ecg->filter[i][0]; i++) {
        size_t used = strlen(filters);
        cn_fmt(filters + used, sizeof(filters) - used, "%s%s", used ? ", " : " · ", ecg->filter[i]);
    }
    if (all > SHEET_S + 0.5)
        cn_fmt(part, sizeof(part), " · %.0f–%.0f / %.0f s", start, fmin(all, start + SHEET_S), all);
    cn_fmt(line, sizeof(line), "%s%s25 mm/s · 10 mm/mV%s%s", ecg->acquired, *ecg->acquired ? " · " : "", filters, part);
    char *between = strchr(line, 'T');
    if (between && *ecg->acquired) *between = ' ';
    words(cr, 5, 5, 4, line);
    if (ecg->device[0]) words(cr, 5, 11, 3.4, ecg->device);
    if (!ecg->calibrated) words(cr, 150, 11, 3.4, "文件未说明幅度单位 · no amplitude unit in the file");
}

/* What the device thinks of it stands apart, and says so. */
static void foot(cairo_t *cr, const cn_ecg *ecg)
{
    char line[CN_ECG_TEXT * 4] = "设备提示（未经医生确认） · the device says (not confirmed):";
    for (size_t i = 0; i < ecg->statements && strlen(line) + CN_ECG_TEXT + 2 < sizeof(line); i++) {
        size_t used = strlen(line);
        cn_fmt(line + used, sizeof(line) - used, " %s;", ecg->statement[i]);
    }
    if (ecg->statements) words(cr, 5, BOTTOM + 4, 3.2, line);
}

static void sheet_of_twelve(cairo_t *cr, const cn_ecg *ecg, double start, double all)
{
    double row = (BOTTOM - TOP) / 4, column = SHEET_S / 4;
    for (size_t i = 0; i < 12; i++) {
        double from = start + (double)(i / 3) * column, seconds = fmin(column, all - from);
        if (seconds > 0)
            strip(cr, ecg, named(ecg, twelve[i]), from, seconds, LEFT + (double)(i / 3) * column * SPEED,
                  TOP + row * ((double)(i % 3) + 0.5));
    }
    strip(cr, ecg, named(ecg, "II"), start, fmin(SHEET_S, all - start), LEFT, TOP + row * 3.5);
}

static void sheet_of_rows(cairo_t *cr, const cn_ecg *ecg, double start, double all)
{
    size_t n = ecg->rhythm.n < ROWS ? ecg->rhythm.n : ROWS;
    double row = (BOTTOM - TOP) / (double)n;
    for (size_t i = 0; i < n; i++)
        strip(cr, ecg, &ecg->rhythm.lead[i], start, fmin(SHEET_S, all - start), LEFT, TOP + row * ((double)i + 0.5));
}

cn_err cn_ecg_paper(const char *path, const cn_ecg *ecg)
{
    cairo_surface_t *pdf = cairo_pdf_surface_create(path, WIDTH * MM, HEIGHT * MM);
    cairo_t *cr = cairo_create(pdf);
    double all = seconds_of(ecg);
    bool whole = has_twelve(ecg);
    cairo_scale(cr, MM, MM);
    for (int i = 0; i < SHEETS && (i == 0 || i * SHEET_S + 0.5 < all); i++) {
        lines(cr, 1, 0.08, 0.98, 0.80, 0.80);
        lines(cr, 5, 0.18, 0.93, 0.60, 0.60);
        head(cr, ecg, i * SHEET_S, all);
        (whole ? sheet_of_twelve : sheet_of_rows)(cr, ecg, i * SHEET_S, all);
        foot(cr, ecg);
        cairo_show_page(cr);
    }
    cairo_status_t status = cairo_status(cr);
    cairo_destroy(cr);
    cairo_surface_finish(pdf);
    if (status == CAIRO_STATUS_SUCCESS) status = cairo_surface_status(pdf);
    cairo_surface_destroy(pdf);
    return status == CAIRO_STATUS_SUCCESS ? CN_OK : CN_ERR_IO;
}
