/* The demo's data with what programs of its own draw: a slide, and the images of a CT. */
#ifndef CN_SIGNALING_DEMO_H
#define CN_SIGNALING_DEMO_H

#include <stdio.h>

#include "signaling/app.h"

/** As cn_demo_init; draws a slide unless the path of one is given. Nothing else is served meanwhile. */
cn_err cn_app_demo(cn_app *app, const char *slide, FILE *to);

#endif
