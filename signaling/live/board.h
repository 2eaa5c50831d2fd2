/* What people show each other on the shared picture: pointers and strokes. Bounded; pure but for its memory: the caller
 * says what time it is (monotonic, ms). */
#ifndef CN_SIGNALING_LIVE_BOARD_H
#define CN_SIGNALING_LIVE_BOARD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/err.h"

#define CN_HUES 12
#define CN_POINTERS 12           /* at once */
#define CN_POINTER_STILL_MS 5000 /* one that stood still so long makes room for another */
#define CN_STROKES 256
#define CN_STROKE_POINTS 1024  /* of one stroke */
#define CN_BOARD_POINTS 16384u /* of all strokes */
#define CN_DRAW_POINTS 128     /* that one call adds */
#define CN_FADES_MS 6000       /* after its last point a stroke that fades is gone */

/** Whose: participant and colour. Borrowed text. */
typedef struct cn_hand {
    const char *participant;
    unsigned hue;
} cn_hand;

/** Where somebody points, in the picture's coordinates. */
typedef struct cn_pointer {
    char participant[CN_ID_TEXT];
    double x, y;
    int page;
    unsigned hue;
    bool laser;
    uint64_t at_ms;
} cn_pointer;

typedef struct cn_dot {
    float x, y; /* a hundredth of a pixel on the largest slides */
} cn_dot;

/** Points that are added to a stroke of the caller's; the first ones say of what kind it is. */
typedef struct cn_drawing {
    int64_t number; /* the client's own */
    int page, z;
    bool fades;
    size_t n;
    cn_dot dots[CN_DRAW_POINTS];
} cn_drawing;

typedef struct cn_stroke cn_stroke;

/** Zero-initialise. */
typedef struct cn_board {
    cn_pointer pointer[CN_POINTERS];
    size_t pointers;
    cn_stroke *first, *last;
    size_t strokes, dots;
} cn_board;

/** Moves somebody's pointer to where `to` says (its `participant`, `hue` and `at_ms` included). False: as many as can be point already. `presenter`: finds room always. */
bool cn_board_point(cn_board *board, const cn_pointer *to, bool presenter);
/** Takes somebody's pointer away; false: there was none. */
bool cn_board_unpoint(cn_board *board, const char *participant);
/**
 * Begins a stroke or adds to it. *from: how many points it had. CN_ERR_STATE: the stroke, or the board, is full; what
 * has faded makes room by itself.
 */
cn_err cn_board_draw(cn_board *board, cn_hand hand, const cn_drawing *drawing, uint64_t now_ms, size_t *from);
/** Takes somebody's strokes away, everybody's with NULL. */
void cn_board_clear(cn_board *board, const char *participant);
/** Nothing is pointed at or drawn any more. */
void cn_board_wipe(cn_board *board);
/** `[{participant, x, y, page, hue, laser}]`. */
json_t *cn_board_pointers_json(const cn_board *board);
/** What has not faded: `[{participant, stroke, hue, page, z, fades, age_ms, from: 0, points: [x, y, …]}]`. */
json_t *cn_board_strokes_json(const cn_board *board, uint64_t now_ms);
/** The same of points that are added now, from the `from`th on. */
json_t *cn_board_drawn_json(cn_hand hand, const cn_drawing *drawing, size_t from);

#endif
