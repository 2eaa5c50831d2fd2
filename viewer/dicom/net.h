/*
 * The server's side of the C-STORE listener: starts consilium-dicom-listener, starts it again when it ends, and answers each of its associations
 * from a thread of its own, so that one that is slow or broken costs itself alone. Thread-safe.
 */
#ifndef CN_VIEWER_DICOM_NET_H
#define CN_VIEWER_DICOM_NET_H

#include <stdint.h>

#include "base/err.h"
#include "viewer/dicom/netproto.h"

typedef struct cn_dicom_net cn_dicom_net;

/** What is decided elsewhere. Called from the association's thread; may block. `why`: a plain sentence in ASCII, without a patient's data. */
typedef struct cn_dicom_net_ops {
    /** Who calls? A status of netproto.h; CN_NET_TAKEN and `*sender` where it may send, CN_NET_MISMATCH where the called title is not ours. */
    uint32_t (*greet)(void *ctx, const cn_net_hello *hello, const char *address, void **sender, char why[CN_NET_WHY]);
    /** A file arrived, open for reading. Answered with CN_NET_TAKEN only when it is durable. */
    uint32_t (*take)(void *ctx, void *sender, const cn_net_file *file, int fd, char why[CN_NET_WHY]);
    /** The association ended. */
    void (*bye)(void *ctx, void *sender);
} cn_dicom_net_ops;

typedef struct cn_dicom_net_order {
    const char *program; /* path of consilium-dicom-listener */
    const char *address;
    uint16_t port;         /* 0 takes a free one */
    const char *spool;     /* an absolute folder, made where it is missing and emptied */
    unsigned idle_s;       /* a silent peer is cut off after so long */
    unsigned associations; /* at once, at most 256 */
    unsigned per_address;  /* of them from one address */
    int64_t bytes_max;     /* of one association, and of a file */
} cn_dicom_net_order;

/** CN_ERR_IO, CN_ERR_CONFLICT (the port is taken), CN_ERR_NOTFOUND (no such address or program). `ops` and `ctx` outlive it. */
cn_err cn_dicom_net_start(cn_dicom_net **out, const cn_dicom_net_order *order, const cn_dicom_net_ops *ops, void *ctx);
/** Ends the listener and waits for what its associations are about; NULL allowed. */
void cn_dicom_net_stop(cn_dicom_net *net);

typedef struct cn_dicom_net_stats {
    bool listening;
    uint64_t associations, open, refused, taken, failed; /* associations: since the start; taken and failed: files */
} cn_dicom_net_stats;
void cn_dicom_net_look(cn_dicom_net *net, cn_dicom_net_stats *out);
uint16_t cn_dicom_net_port(const cn_dicom_net *net);

#endif
