/* Any JSON as the parameters of view.state, view.pointer and view.draw; what was drawn, on a board that fills and is wiped. */
// covers: signaling/live/viewparams.c signaling/live/board.c
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "input.h"
#include "signaling/live/viewparams.h"

#define FAR 1e9

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(const json_t *params)
{
    cn_problem problem = {.err = CN_OK};
    cn_view_look look;
    cn_err err = cn_view_look_read(params, &look, &problem);
    must(err == CN_OK || err == CN_ERR_INVALID);
    if (err != CN_OK) return;
    must(fabs(look.cx) <= FAR && fabs(look.cy) <= FAR && look.w >= 0 && look.w <= FAR && look.h >= 0 && look.h <= FAR);
    must(look.page >= 0 && look.z >= 0);
    json_decref(cn_view_look_json(&look, "somebody"));
}

static void point(cn_board *board, const json_t *params)
{
    cn_problem problem = {.err = CN_OK};
    cn_pointer pointer;
    bool on;
    if (cn_view_pointer_read(params, &pointer, &on, &problem) != CN_OK) return;
    must(fabs(pointer.x) <= FAR && fabs(pointer.y) <= FAR);
    for (unsigned i = 0; i < CN_POINTERS + 2; i++) {
        cn_fmt(pointer.participant, sizeof pointer.participant, "p%u", i);
        pointer.at_ms = i * (pointer.laser ? CN_POINTER_STILL_MS : 1u);
        must(cn_board_point(board, &pointer, on) || (i >= CN_POINTERS && !on));
    }
    must(board->pointers == CN_POINTERS && cn_board_unpoint(board, "p5"));
}

static void draw(cn_board *board, const json_t *params)
{
    cn_problem problem = {.err = CN_OK};
    cn_drawing drawing;
    size_t from, n = 0;
    if (cn_view_drawing_read(params, &drawing, &problem) != CN_OK) return;
    must(drawing.n >= 1 && drawing.n <= CN_DRAW_POINTS);
    for (unsigned i = 0; i < CN_STROKES + 2; i++) {
        const cn_hand hand = {.participant = i % 3 ? "a" : "b", .hue = i % CN_HUES + 1};
        if (cn_board_draw(board, hand, &drawing, i * 100, &from) == CN_OK) n++;
        must(board->dots <= CN_BOARD_POINTS && board->strokes <= CN_STROKES);
        if (i % 2) drawing.number++;
    }
    must(n > 0);
    json_decref(cn_board_drawn_json((cn_hand){.participant = "a", .hue = 1}, &drawing, 0));
    json_decref(cn_board_strokes_json(board, 5000));
    cn_board_clear(board, "a");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cn_problem problem = {.err = CN_OK};
    cn_board board = {.pointers = 0};
    json_t *params = NULL;
    if (cn_json_object(&params, size ? (const char *)data : "", size, &problem) != CN_OK) return 0;
    look(params);
    point(&board, params);
    draw(&board, params);
    json_decref(cn_board_pointers_json(&board));
    cn_board_wipe(&board);
    must(!board.first && !board.strokes && !board.dots && !board.pointers);
    json_decref(params);
    return 0;
}
