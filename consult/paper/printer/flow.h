/*
 * Text, rules and boxes on A4 pages. Everything is placed first, so that each page can say how many there are, and
 * drawn afterwards. Lengths are points (1/72 inch), y grows downwards.
 */
#ifndef CN_PRINTER_FLOW_H
#define CN_PRINTER_FLOW_H

#include <cairo.h>
#include <pango/pangocairo.h>
#include <stdbool.h>

#include "base/str.h"

#define CN_A4_WIDTH 595.28
#define CN_A4_HEIGHT 841.89
#define CN_FLOW_LEFT 56.0
#define CN_FLOW_WIDTH (CN_A4_WIDTH - 2 * CN_FLOW_LEFT)

typedef struct cn_page_flow_style {
    const char *face; /* "Noto Serif CJK SC", "… Bold" */
    double size, leading;
    PangoAlignment align;
    double indent; /* of the first line of every paragraph */
    double grey;   /* 0 black … 1 white */
} cn_page_flow_style;

/** A character that no font on this machine has: a box would stand in its place. `field`: the flow's at that time. */
typedef void (*cn_page_flow_unknown)(void *arg, const char *field, uint32_t character);

typedef struct cn_page_flow {
    PangoContext *context;
    GPtrArray *layouts; /* keep the lines alive */
    GPtrArray *pictures;
    GArray *items;
    unsigned page;                /* from 0 */
    double y;                     /* where the next line of the flow begins */
    const char *field;            /* where the text that comes is from */
    cn_page_flow_unknown unknown; /* NULL: nobody asks */
    void *unknown_arg;
} cn_page_flow;

/** What is drawn around the flow of a page; `pages` is their number. */
typedef void (*cn_page_flow_frame)(cn_page_flow *flow, unsigned page, unsigned pages, void *arg);

void cn_page_flow_open(cn_page_flow *flow);
void cn_page_flow_close(cn_page_flow *flow);

/** A new page unless `height` is left on this one. */
void cn_page_flow_need(cn_page_flow *flow, double height);
/** The same for what must not stand alone on a page: the last two lines of a longer text before it, set in `leading`,
 * go along. */
void cn_page_flow_need_with_text(cn_page_flow *flow, double height, double leading);
/** Paragraphs over the whole width, over as many pages as it takes. */
void cn_page_flow_text(cn_page_flow *flow, const cn_page_flow_style *style, const char *text);
/** Text at a place of the present page, without moving the flow; its height, also when it is only measured. */
double cn_page_flow_at(cn_page_flow *flow, const cn_page_flow_style *style, double x, double y, double width,
                       const char *text);
double cn_page_flow_measure(cn_page_flow *flow, const cn_page_flow_style *style, double width, const char *text);
/** A line, or a filled box behind everything else, of the present page. */
void cn_page_flow_rule(cn_page_flow *flow, double x0, double y0, double x1, double y1, double width);
void cn_page_flow_box(cn_page_flow *flow, double x, double y, double width, double height, double grey);
/** A JPEG at a place of the present page, its bytes untouched; `bytes` must live until the flow is drawn. CN_ERR_CORRUPT when they are none. */
cn_err cn_page_flow_jpeg(cn_page_flow *flow, double x, double y, double width, double height,
                         const unsigned char *bytes, size_t len);

/** Calls `frame` for every page (it places what belongs to the page's border) and draws all as PDF. `watermark` goes
 * across every page; NULL: none. `about` names the document, `at` is its date in ISO 8601. */
cn_err cn_page_flow_pdf(cn_page_flow *flow, cn_page_flow_frame frame, void *arg, const char *watermark,
                        const char *about, const char *at, cn_buf *out);

#endif
