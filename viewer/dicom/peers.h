/* Which applications may send images, and as whose: "TITLE@ADDRESS=ACCOUNT", several separated by commas. Pure. */
#ifndef CN_VIEWER_DICOM_PEERS_H
#define CN_VIEWER_DICOM_PEERS_H

#include <stddef.h>

#include "base/err.h"
#include "viewer/dicom/netproto.h"

#define CN_PEERS_MAX 256
#define CN_PEER_ACCOUNT 40

typedef struct cn_dicom_peer {
    char title[CN_NET_TITLE], address[CN_NET_ADDRESS], account[CN_PEER_ACCOUNT];
} cn_dicom_peer;

/** `peers` has CN_PEERS_MAX places. CN_ERR_INVALID or CN_ERR_FULL with the entry and what is wrong with it in `problem`. */
cn_err cn_peers_parse(const char *text, cn_dicom_peer *peers, size_t *count, cn_problem *problem);

/** The peer with this title at this address, NULL: there is none. Titles are compared as they are (PS3.5 §6.2). */
const cn_dicom_peer *cn_peers_find(const cn_dicom_peer *peers, size_t count, const char *title, const char *address);

#endif
