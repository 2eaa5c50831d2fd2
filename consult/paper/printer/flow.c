#include "consult/paper/printer/flow.h"

#include <cairo-pdf.h>
#include <math.h>

#include "consult/paper/printer/jpegs.h"

#define TOP 72.0 /* of every page but the first, below the running head */
#define FIRST_TOP 52.0
#define BOTTOM (CN_A4_HEIGHT - 66.0)

typedef enum placed_kind { LINE, RULE, BOX, PICTURE } placed_kind;

typedef struct placed_item {
    placed_kind kind;
    unsigned page;
    double x, y, x1, y1; /* a line of text: left end and baseline */
    double grey;         /* of a rule: its width */
    PangoLayoutLine *text;
    cairo_surface_t *picture;
} placed_item;

/* Exact widths instead of those of a screen's pixels. */
static void unhinted(PangoContext *context)
{
    cairo_font_options_t *options = cairo_font_options_create();
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    pango_cairo_context_set_font_options(context, options);
    cairo_font_options_destroy(options);
    pango_context_set_round_glyph_positions(context, FALSE);
}

void cn_page_flow_open(cn_page_flow *flow)
{
    *flow =
        (cn_page_flow){.context = pango_font_map_create_context(pango_cairo_font_map_get_default()), .y = FIRST_TOP};
    pango_cairo_context_set_resolution(flow->context, 72);
    pango_context_set_language(flow->context, pango_language_from_string("zh-cn"));
    unhinted(flow->context);
    flow->layouts = g_ptr_array_new_with_free_func(g_object_unref);
    flow->pictures = g_ptr_array_new_with_free_func((GDestroyNotify)(void *)cairo_surface_destroy);
    flow->items = g_array_new(FALSE, TRUE, sizeof(placed_item));
}

void cn_page_flow_close(cn_page_flow *flow)
{
    g_array_free(flow->items, TRUE);
    g_ptr_array_free(flow->layouts, TRUE);
    g_ptr_array_free(flow->pictures, TRUE);
    g_object_unref(flow->context);
}

static void next_page(cn_page_flow *flow)
{
    flow->page++;
    flow->y = TOP;
}

void cn_page_flow_need(cn_page_flow *flow, double height)
{
    if (flow->y + height > BOTTOM) next_page(flow);
}

/* Whether the last three things on the page are lines of one text. */
static bool text_can_go_along(const cn_page_flow *flow)
{
    const placed_item *element =
        &g_array_index(flow->items, placed_item, flow->items->len < 3 ? 0 : flow->items->len - 3);
    if (flow->items->len < 3) return false;
    for (int n = 0; n < 3; n++)
        if (element[n].kind != LINE || element[n].page != flow->page ||
            element[n].text->layout != element[0].text->layout)
            return false;
    return true;
}

void cn_page_flow_need_with_text(cn_page_flow *flow, double height, double leading)
{
    if (flow->y + height <= BOTTOM) return;
    bool along = text_can_go_along(flow);
    next_page(flow);
    if (!along) return;
    placed_item *element = &g_array_index(flow->items, placed_item, flow->items->len - 2);
    double up = element[0].y - (flow->y + leading * 0.7);
    for (int n = 0; n < 2; n++) {
        element[n].page = flow->page;
        element[n].y -= up;
    }
    flow->y += 2 * leading;
}

static void tell_unknown(const cn_page_flow *flow, PangoLayout *layout)
{
    if (!flow->unknown || pango_layout_get_unknown_glyphs_count(layout) == 0) return;
    for (GSList *line = pango_layout_get_lines_readonly(layout); line; line = line->next)
        for (GSList *run = ((PangoLayoutLine *)line->data)->runs; run; run = run->next) {
            const PangoGlyphString *glyphs = ((PangoGlyphItem *)run->data)->glyphs;
            for (int i = 0; i < glyphs->num_glyphs; i++) {
                PangoGlyph glyph = glyphs->glyphs[i].glyph;
                if (glyph & PANGO_GLYPH_UNKNOWN_FLAG)
                    flow->unknown(flow->unknown_arg, flow->field, glyph & ~PANGO_GLYPH_UNKNOWN_FLAG);
            }
        }
}

static PangoLayout *lay_out(cn_page_flow *flow, const cn_page_flow_style *style, double width, const char *text)
{
    PangoLayout *layout = pango_layout_new(flow->context);
    PangoFontDescription *face = pango_font_description_from_string(style->face);
    pango_font_description_set_size(face, (gint)(style->size * PANGO_SCALE));
    pango_layout_set_font_description(layout, face);
    pango_font_description_free(face);
    pango_layout_set_width(layout, (int)(width * PANGO_SCALE));
    pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
    pango_layout_set_alignment(layout, style->align);
    pango_layout_set_indent(layout, (int)(style->indent * PANGO_SCALE));
    pango_layout_set_auto_dir(layout, FALSE);
    pango_layout_set_text(layout, text, -1);
    g_ptr_array_add(flow->layouts, layout);
    tell_unknown(flow, layout);
    return layout;
}

/* One line of a layout into the box of `leading` height whose top is at `y`. */
static void place_line(cn_page_flow *flow, const cn_page_flow_style *style, PangoLayoutIter *at, double x, double y)
{
    PangoRectangle box;
    pango_layout_iter_get_line_extents(at, NULL, &box);
    const placed_item element = {.kind = LINE,
                                 .page = flow->page,
                                 .x = x + (double)box.x / PANGO_SCALE,
                                 .y = y + style->leading / 2 +
                                      style->size * 0.36, /* a Chinese character's middle is in the middle */
                                 .grey = style->grey,
                                 .text = pango_layout_iter_get_line_readonly(at)};
    g_array_append_val(flow->items, element);
}

void cn_page_flow_text(cn_page_flow *flow, const cn_page_flow_style *style, const char *text)
{
    PangoLayout *layout = lay_out(flow, style, CN_FLOW_WIDTH, text);
    PangoLayoutIter *at = pango_layout_get_iter(layout);
    int left = pango_layout_get_line_count(layout);
    do {
        /* the last two lines stay together */
        cn_page_flow_need(flow, left == 2 ? 2 * style->leading : style->leading);
        place_line(flow, style, at, CN_FLOW_LEFT, flow->y);
        flow->y += style->leading;
        left--;
    } while (pango_layout_iter_next_line(at));
    pango_layout_iter_free(at);
}

double cn_page_flow_measure(cn_page_flow *flow, const cn_page_flow_style *style, double width, const char *text)
{
    return pango_layout_get_line_count(lay_out(flow, style, width, text)) * style->leading;
}

double cn_page_flow_at(cn_page_flow *flow, const cn_page_flow_style *style, double x, double y, double width,
                       const char *text)
{
    PangoLayout *layout = lay_out(flow, style, width, text);
    PangoLayoutIter *at = pango_layout_get_iter(layout);
    double top = y;
    do {
        place_line(flow, style, at, x, y);
        y += style->leading;
    } while (pango_layout_iter_next_line(at));
    pango_layout_iter_free(at);
    return y - top;
}

void cn_page_flow_rule(cn_page_flow *flow, double x0, double y0, double x1, double y1, double width)
{
    const placed_item element = {.kind = RULE, .page = flow->page, .x = x0, .y = y0, .x1 = x1, .y1 = y1, .grey = width};
    g_array_append_val(flow->items, element);
}

void cn_page_flow_box(cn_page_flow *flow, double x, double y, double width, double height, double grey)
{
    const placed_item element = {
        .kind = BOX, .page = flow->page, .x = x, .y = y, .x1 = width, .y1 = height, .grey = grey};
    g_array_append_val(flow->items, element);
}

cn_err cn_page_flow_jpeg(cn_page_flow *flow, double x, double y, double width, double height,
                         const unsigned char *bytes, size_t len)
{
    cairo_surface_t *picture = cn_jpegs_carry(bytes, len);
    if (!picture) return CN_ERR_CORRUPT;
    g_ptr_array_add(flow->pictures, picture);
    const placed_item element = {
        .kind = PICTURE, .page = flow->page, .x = x, .y = y, .x1 = width, .y1 = height, .picture = picture};
    g_array_append_val(flow->items, element);
    return CN_OK;
}

/* ---- drawing ---- */

static void draw_picture(cairo_t *cr, const placed_item *element)
{
    cairo_save(cr);
    cairo_translate(cr, element->x, element->y);
    cairo_scale(cr, element->x1 / cairo_image_surface_get_width(element->picture),
                element->y1 / cairo_image_surface_get_height(element->picture));
    cairo_set_source_surface(cr, element->picture, 0, 0);
    cairo_paint(cr);
    cairo_restore(cr);
}

static void draw_item(cairo_t *cr, const placed_item *element)
{
    if (element->kind == PICTURE) return draw_picture(cr, element);
    double grey = element->kind == RULE ? 0.25 : element->grey;
    cairo_set_source_rgb(cr, grey, grey, grey);
    if (element->kind == BOX) {
        cairo_rectangle(cr, element->x, element->y, element->x1, element->y1);
        cairo_fill(cr);
    } else if (element->kind == RULE) {
        cairo_set_line_width(cr, element->grey);
        cairo_move_to(cr, element->x, element->y);
        cairo_line_to(cr, element->x1, element->y1);
        cairo_stroke(cr);
    } else {
        cairo_move_to(cr, element->x, element->y);
        pango_cairo_show_layout_line(cr, element->text);
    }
}

static void draw_kind(cn_page_flow *flow, cairo_t *cr, unsigned page, bool boxes)
{
    for (guint n = 0; n < flow->items->len; n++) {
        const placed_item *element = &g_array_index(flow->items, placed_item, n);
        if (element->page == page && (element->kind == BOX) == boxes) draw_item(cr, element);
    }
}

static void draw_watermark(cn_page_flow *flow, cairo_t *cr, const char *text)
{
    const cn_page_flow_style style = {.face = "Noto Sans CJK SC Bold", .size = 120, .leading = 120};
    PangoLayout *layout = lay_out(flow, &style, CN_A4_WIDTH * 2, text);
    int width = 0, height = 0;
    pango_layout_set_width(layout, -1);
    pango_layout_get_size(layout, &width, &height);
    cairo_save(cr);
    cairo_set_source_rgb(cr, 0.9, 0.9, 0.9);
    cairo_translate(cr, CN_A4_WIDTH / 2, CN_A4_HEIGHT / 2);
    cairo_rotate(cr, -M_PI / 5);
    cairo_move_to(cr, -(double)width / PANGO_SCALE / 2, -(double)height / PANGO_SCALE / 2);
    pango_cairo_show_layout(cr, layout);
    cairo_restore(cr);
}

static cairo_status_t append(void *closure, const unsigned char *data, unsigned length)
{
    cn_buf *out = closure;
    cn_buf_add(out, data, length);
    return out->err == CN_OK ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

static void frame_pages(cn_page_flow *flow, cn_page_flow_frame frame, void *arg, unsigned pages)
{
    for (unsigned page = 0; page < pages; page++) {
        flow->page = page;
        frame(flow, page, pages, arg);
    }
}

cn_err cn_page_flow_pdf(cn_page_flow *flow, cn_page_flow_frame frame, void *arg, const char *watermark,
                        const char *about, const char *at, cn_buf *out)
{
    unsigned pages = flow->page + 1;
    cairo_surface_t *surface = cairo_pdf_surface_create_for_stream(append, out, CN_A4_WIDTH, CN_A4_HEIGHT);
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, about);
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATOR, "Consilium");
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE, at);
    cairo_t *cr = cairo_create(surface);
    frame_pages(flow, frame, arg, pages);
    for (unsigned page = 0; page < pages; page++) {
        draw_kind(flow, cr, page, true);
        if (watermark) draw_watermark(flow, cr, watermark);
        draw_kind(flow, cr, page, false);
        cairo_show_page(cr);
    }
    bool drawn = cairo_status(cr) == CAIRO_STATUS_SUCCESS;
    cairo_destroy(cr);
    cairo_surface_finish(surface);
    drawn = drawn && cairo_surface_status(surface) == CAIRO_STATUS_SUCCESS;
    cairo_surface_destroy(surface);
    return out->err != CN_OK ? out->err : drawn ? CN_OK : CN_ERR_NOMEM;
}
