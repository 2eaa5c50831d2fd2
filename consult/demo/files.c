#include "consult/demo/files.h"

#include <cairo-pdf.h>
#include <cairo.h>
#include <math.h>
#include <pango/pangocairo.h>

#define A4_WIDTH 595.28
#define A4_HEIGHT 841.89
#define MARGIN 64.0

static cairo_status_t append(void *closure, const unsigned char *data, unsigned length)
{
    cn_buf *out = closure;
    cn_buf_add(out, data, length);
    return out->err == CN_OK ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

/* Draws one block of text and gives its height. */
static double draw_text(cairo_t *cr, const char *font, const char *text, double y)
{
    PangoLayout *layout = pango_cairo_create_layout(cr);
    PangoFontDescription *face = pango_font_description_from_string(font);
    int height = 0;
    pango_layout_set_font_description(layout, face);
    pango_layout_set_width(layout, (int)((A4_WIDTH - 2 * MARGIN) * PANGO_SCALE));
    pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
    pango_layout_set_spacing(layout, 6 * PANGO_SCALE);
    pango_layout_set_text(layout, text, -1);
    cairo_move_to(cr, MARGIN, y);
    pango_cairo_show_layout(cr, layout);
    pango_layout_get_pixel_size(layout, NULL, &height);
    pango_font_description_free(face);
    g_object_unref(layout);
    return height;
}

cn_err cn_demo_pdf(const char *title, const char *text, cn_buf *out)
{
    cairo_surface_t *surface = cairo_pdf_surface_create_for_stream(append, out, A4_WIDTH, A4_HEIGHT);
    cairo_t *cr = cairo_create(surface);
    double y = MARGIN + draw_text(cr, "Noto Sans CJK SC Bold 18", title, MARGIN) + 24;
    draw_text(cr, "Noto Serif CJK SC 12", text, y);
    cairo_show_page(cr);
    cairo_destroy(cr);
    cairo_surface_finish(surface);
    bool ok = cairo_surface_status(surface) == CAIRO_STATUS_SUCCESS && out->err == CN_OK;
    cairo_surface_destroy(surface);
    return ok ? CN_OK : CN_ERR_IO;
}

/* One heartbeat, when in seconds from its start: P, QRS and T as bumps. */
static double beat(double when, double tall)
{
    const double at[] = {0.16, 0.27, 0.30, 0.33, 0.56}, wide[] = {0.025, 0.010, 0.012, 0.012, 0.045},
                 high[] = {0.12, -0.12, 1.0, -0.22, 0.26};
    double v = 0;
    for (int i = 0; i < 5; i++) v += high[i] * exp(-(when - at[i]) * (when - at[i]) / (2 * wide[i] * wide[i]));
    return v * tall;
}

static void draw_grid(cairo_t *cr, double width, double height)
{
    cairo_set_source_rgb(cr, 1, 0.97, 0.96);
    cairo_paint(cr);
    for (int step = 8; step <= 40; step += 32) {
        cairo_set_source_rgba(cr, 0.9, 0.45, 0.45, step == 8 ? 0.25 : 0.55);
        cairo_set_line_width(cr, 1);
        for (double x = 0.5; x < width; x += step) cairo_move_to(cr, x, 0), cairo_line_to(cr, x, height);
        for (double y = 0.5; y < height; y += step) cairo_move_to(cr, 0, y), cairo_line_to(cr, width, y);
        cairo_stroke(cr);
    }
}

static void draw_lead(cairo_t *cr, const char *name, double x0, double y0, double width, double tall)
{
    cairo_set_source_rgb(cr, 0.1, 0.1, 0.15);
    cairo_set_font_size(cr, 18);
    cairo_move_to(cr, x0 + 6, y0 - 56);
    cairo_show_text(cr, name);
    cairo_set_line_width(cr, 1.6);
    for (double x = 0; x < width; x++) {
        double y = y0 - 80 * beat(fmod(x / 200.0, 0.82), tall) + 1.5 * sin(x / 37);
        if (x == 0)
            cairo_move_to(cr, x0, y);
        else
            cairo_line_to(cr, x0 + x, y);
    }
    cairo_stroke(cr);
}

cn_err cn_demo_ecg(cn_buf *out)
{
    static const char *const leads[] = {"I", "aVR", "V1", "V4", "II", "aVL", "V2", "V5", "III", "aVF", "V3", "V6"};
    static const double tall[] = {0.7, -0.7, -0.5, 1.1, 1, 0.3, -0.3, 1.2, 0.5, 0.8, 0.6, 0.9};
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, 1920, 760);
    cairo_t *cr = cairo_create(surface);
    draw_grid(cr, 1920, 760);
    for (int i = 0; i < 12; i++) draw_lead(cr, leads[i], 20 + (i % 4) * 472, 160 + (i / 4) * 240, 456, tall[i]);
    cairo_destroy(cr);
    bool ok = cairo_surface_write_to_png_stream(surface, append, out) == CAIRO_STATUS_SUCCESS;
    cairo_surface_destroy(surface);
    return ok ? CN_OK : CN_ERR_IO;
}
