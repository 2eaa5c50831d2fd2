/* What is called on the door's thread: what an exchange carries so that it can be handed back (door/calls.h). */
#ifndef CN_SIGNALING_CALL_H
#define CN_SIGNALING_CALL_H

/** Something to be called on the door's thread. It belongs to whoever posted it again as soon as it is called. */
typedef struct cn_door_call {
    struct cn_door_call *next;
    void (*fn)(void *arg);
    void *arg;
} cn_door_call;

#endif
