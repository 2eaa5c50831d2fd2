/* A zygote's own side: the program has loaded its libraries, forks a worker for each that the server asks for and ends those it is told to. */
#ifndef CN_VIEWER_NURSERY_H
#define CN_VIEWER_NURSERY_H

#include <stddef.h>

typedef struct cn_nursery {
    const char *memory; /* name of the shared memory, for who looks at the process */
    size_t shared;      /* bytes of it */
    /** What a worker does: `sock` and `shared` are its ends; the exit status of the process. */
    int (*work)(int sock, void *shared, const char *path);
} cn_nursery;

/** Serves the server that started this process (its socket is descriptor 3) until it goes. Returns the exit status. */
int cn_nursery_serve(const cn_nursery *nursery);

#endif
