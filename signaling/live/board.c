#include "signaling/live/board.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

struct cn_stroke {
    cn_stroke *next;
    char participant[CN_ID_TEXT];
    int64_t number;
    int page, z;
    unsigned hue;
    bool fades;
    uint64_t at_ms; /* its last point came */
    size_t n, room;
    cn_dot *dots;
};

/* ---- pointers ---- */

static cn_pointer *pointer_of(cn_board *board, const char *participant)
{
    for (size_t i = 0; i < board->pointers; i++)
        if (strcmp(board->pointer[i].participant, participant) == 0) return &board->pointer[i];
    return NULL;
}

/* Whose pointer stood still for the longest gives way, also to the presenter's. */
static cn_pointer *place_for(cn_board *board, uint64_t now_ms, bool presenter)
{
    if (board->pointers < CN_POINTERS) return &board->pointer[board->pointers++];
    cn_pointer *oldest = &board->pointer[0];
    for (size_t i = 1; i < board->pointers; i++)
        if (board->pointer[i].at_ms < oldest->at_ms) oldest = &board->pointer[i];
    return presenter || now_ms - oldest->at_ms >= CN_POINTER_STILL_MS ? oldest : NULL;
}

bool cn_board_point(cn_board *board, const cn_pointer *to, bool presenter)
{
    cn_pointer *pointer = pointer_of(board, to->participant);
    if (!pointer) pointer = place_for(board, to->at_ms, presenter);
    if (!pointer) return false;
    *pointer = *to;
    return true;
}

bool cn_board_unpoint(cn_board *board, const char *participant)
{
    cn_pointer *pointer = pointer_of(board, participant);
    if (!pointer) return false;
    *pointer = board->pointer[--board->pointers];
    return true;
}

json_t *cn_board_pointers_json(const cn_board *board)
{
    json_t *list = json_array();
    for (size_t i = 0; i < board->pointers; i++) {
        const cn_pointer *one = &board->pointer[i];
        json_array_append_new(list,
                              json_pack("{s:s, s:f, s:f, s:i, s:i, s:b}", "participant", one->participant, "x", one->x,
                                        "y", one->y, "page", one->page, "hue", (int)one->hue, "laser", one->laser));
    }
    return list;
}

/* ---- strokes ---- */

static bool has_faded(const cn_stroke *stroke, uint64_t now_ms)
{
    return stroke->fades && now_ms - stroke->at_ms >= CN_FADES_MS;
}

/* Takes away what `gone` says. */
static void sweep(cn_board *board, bool (*gone)(const cn_stroke *stroke, const void *what), const void *what)
{
    cn_stroke **at = &board->first;
    board->last = NULL;
    while (*at) {
        cn_stroke *stroke = *at;
        if (!gone(stroke, what)) {
            board->last = stroke;
            at = &stroke->next;
            continue;
        }
        *at = stroke->next;
        board->strokes--;
        board->dots -= stroke->n;
        free(stroke->dots);
        free(stroke);
    }
}

static bool faded_at(const cn_stroke *stroke, const void *now_ms)
{
    return has_faded(stroke, *(const uint64_t *)now_ms);
}

static bool drawn_by(const cn_stroke *stroke, const void *participant)
{
    return !participant || strcmp(stroke->participant, participant) == 0;
}

void cn_board_clear(cn_board *board, const char *participant)
{
    sweep(board, drawn_by, participant);
}

void cn_board_wipe(cn_board *board)
{
    cn_board_clear(board, NULL);
    board->pointers = 0;
}

static cn_stroke *stroke_of(const cn_board *board, const char *participant, int64_t number)
{
    for (cn_stroke *stroke = board->first; stroke; stroke = stroke->next)
        if (stroke->number == number && strcmp(stroke->participant, participant) == 0) return stroke;
    return NULL;
}

static cn_stroke *stroke_new(cn_board *board, cn_hand hand, const cn_drawing *drawing)
{
    cn_stroke *stroke = CN_NEW(cn_stroke);
    if (!stroke) return NULL;
    cn_strcpy(stroke->participant, sizeof stroke->participant, hand.participant);
    stroke->number = drawing->number;
    stroke->page = drawing->page;
    stroke->z = drawing->z;
    stroke->hue = hand.hue;
    stroke->fades = drawing->fades;
    if (board->last)
        board->last->next = stroke;
    else
        board->first = stroke;
    board->last = stroke;
    board->strokes++;
    return stroke;
}

/* Doubles what it has room for. */
static bool make_room(cn_stroke *stroke, size_t n)
{
    size_t room = stroke->room ? stroke->room : 32;
    while (room < n) room *= 2;
    if (room == stroke->room) return true;
    cn_dot *dots = reallocarray(stroke->dots, room, sizeof *dots);
    if (!dots) return false;
    stroke->dots = dots;
    stroke->room = room;
    return true;
}

cn_err cn_board_draw(cn_board *board, cn_hand hand, const cn_drawing *drawing, uint64_t now_ms, size_t *from)
{
    sweep(board, faded_at, &now_ms);
    cn_stroke *stroke = stroke_of(board, hand.participant, drawing->number);
    size_t had = stroke ? stroke->n : 0;
    if (had + drawing->n > CN_STROKE_POINTS || board->dots + drawing->n > CN_BOARD_POINTS) return CN_ERR_STATE;
    if (!stroke && board->strokes == CN_STROKES) return CN_ERR_STATE;
    if (!stroke) stroke = stroke_new(board, hand, drawing);
    if (!stroke || !make_room(stroke, had + drawing->n)) return CN_ERR_NOMEM;
    memcpy(stroke->dots + had, drawing->dots, drawing->n * sizeof *drawing->dots);
    stroke->n += drawing->n;
    stroke->at_ms = now_ms;
    board->dots += drawing->n;
    *from = had;
    return CN_OK;
}

/* ---- as JSON ---- */

/* To a hundredth: more digits are the float's, not the hand's. */
static json_t *dots_json(const cn_dot *dots, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        json_array_append_new(list, json_real(round((double)dots[i].x * 100) / 100));
        json_array_append_new(list, json_real(round((double)dots[i].y * 100) / 100));
    }
    return list;
}

static json_t *stroke_json(const cn_stroke *stroke, uint64_t now_ms)
{
    return json_pack("{s:s, s:I, s:i, s:i, s:i, s:b, s:I, s:i, s:o}", "participant", stroke->participant, "stroke",
                     (json_int_t)stroke->number, "hue", (int)stroke->hue, "page", stroke->page, "z", stroke->z, "fades",
                     stroke->fades, "age_ms", (json_int_t)(now_ms - stroke->at_ms), "from", 0, "points",
                     dots_json(stroke->dots, stroke->n));
}

json_t *cn_board_strokes_json(const cn_board *board, uint64_t now_ms)
{
    json_t *list = json_array();
    for (const cn_stroke *stroke = board->first; stroke; stroke = stroke->next)
        if (!has_faded(stroke, now_ms)) json_array_append_new(list, stroke_json(stroke, now_ms));
    return list;
}

json_t *cn_board_drawn_json(cn_hand hand, const cn_drawing *drawing, size_t from)
{
    return json_pack("{s:s, s:I, s:i, s:i, s:i, s:b, s:i, s:i, s:o}", "participant", hand.participant, "stroke",
                     (json_int_t)drawing->number, "hue", (int)hand.hue, "page", drawing->page, "z", drawing->z, "fades",
                     drawing->fades, "age_ms", 0, "from", (int)from, "points", dots_json(drawing->dots, drawing->n));
}
