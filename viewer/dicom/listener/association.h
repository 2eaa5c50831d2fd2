/* One association as its acceptor: C-ECHO and C-STORE (PS3.4 §A, §B). */
#ifndef CN_VIEWER_DICOM_LISTENER_ASSOCIATION_H
#define CN_VIEWER_DICOM_LISTENER_ASSOCIATION_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cn_association {
    int peer;   /* the connection */
    int server; /* who decides, viewer/dicom/netproto.h */
    uint32_t number;
    const char *spool;
    unsigned idle_s;    /* a peer that says nothing for so long, or sends less than 256 KiB meanwhile, is cut off */
    uint64_t bytes_max; /* of all its files */
} cn_association;

/** Before a process is locked: the dictionary is read. 0, or -1. */
int cn_association_prepare(void);

/** Serves it to its end; the exit status of its process. SIGALRM ends it earlier. */
int cn_association_serve(const cn_association *own);

#ifdef __cplusplus
}
#endif

#endif
