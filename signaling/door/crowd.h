/*
 * Connections of whom nothing is known yet: bounded per address and in all, so that descriptors are left for who is logged
 * in. At a bound the one that has been idle longest goes: browsers open another one when they need it. Door's thread.
 */
#ifndef CN_SIGNALING_CROWD_H
#define CN_SIGNALING_CROWD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CN_CROWD_HERE 256 /* of one address (base/address.h: neighbours) */

typedef struct cn_crowd {
    struct cn_visitor *buckets[1024]; /* all, by connection */
    struct cn_visitor *first, *last;  /* the unknown ones, in the order of their last sign */
    size_t unknown, most;
} cn_crowd;

/** `most`: unknown ones in all. */
void cn_crowd_init(cn_crowd *crowd, size_t most);
/**
 * A connection came. `here` is its address, NULL where one address stands for many (a proxy of ours). Gives the connection
 * that must be closed for it, or NULL; that may be the new one.
 */
void *cn_crowd_come(cn_crowd *crowd, void *connection, const char *here);
/** It is being worked on, or is idle again. */
void cn_crowd_busy(cn_crowd *crowd, const void *connection, bool busy);
/** Somebody who is logged in: no bound counts it any more. */
void cn_crowd_know(cn_crowd *crowd, const void *connection);
void cn_crowd_go(cn_crowd *crowd, const void *connection);
/** What is left of it when the door has ended. */
void cn_crowd_end(cn_crowd *crowd);

#endif
