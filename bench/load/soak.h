/* Rooms that open and close for hours at little load, and what the server's processes use meanwhile. */
#ifndef CN_LOAD_SOAK_H
#define CN_LOAD_SOAK_H

#include <stdbool.h>

#include "host.h"

typedef struct soak_options {
    unsigned seconds, rooms; /* rooms in use at a time */
    unsigned faster;         /* rooms last and pause so many times shorter; 1: 10 to 60 s */
    const char *csv;         /* a line every ten seconds */
    const char *profile;
} soak_options;

/** Plays against a server that runs. False when somebody could not join, or a packet was wrong. */
bool soak_run(const host *machine, const soak_options *opts);

#endif
