/*
 * What the server and its C-STORE listener say to each other over sequenced packets, host byte order. Each side reads the other's words as a
 * stranger's. Pure.
 *
 *   listener's first process → server   arrival, with the socket to the process of one association
 *   association → server                hello, then one file after the other
 *   server → association                a verdict for each of them
 */
#ifndef CN_VIEWER_DICOM_NETPROTO_H
#define CN_VIEWER_DICOM_NETPROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CN_NET_TITLE 17   /* bytes of an application entity's title with its end (PS3.5 §6.2, AE) */
#define CN_NET_UID 65     /* PS3.5 §9.1 */
#define CN_NET_WHY 65     /* an Error Comment is an LO (PS3.7 §C) */
#define CN_NET_ADDRESS 46 /* of IPv4 or IPv6 */

/* Status of C-STORE-RSP, PS3.4 §B.2.3 */
#define CN_NET_TAKEN 0x0000
#define CN_NET_NO_ROOM 0xA700
#define CN_NET_MISMATCH 0xA900
#define CN_NET_NOT_UNDERSTOOD 0xC000
#define CN_NET_FORBIDDEN 0x0124 /* PS3.7 §C.5.22 */

typedef enum cn_net_kind { CN_NET_ARRIVAL = 0x63646e01, CN_NET_HELLO, CN_NET_FILE, CN_NET_VERDICT } cn_net_kind;

typedef struct cn_net_arrival {
    uint32_t kind, association;
    char address[CN_NET_ADDRESS];
} cn_net_arrival;

typedef struct cn_net_hello {
    uint32_t kind;
    char calling[CN_NET_TITLE], called[CN_NET_TITLE];
} cn_net_hello;

/* The file lies in the spool as cn_net_spool_name says. */
typedef struct cn_net_file {
    uint32_t kind, number; /* 1, 2, … of the association */
    char sop_class[CN_NET_UID], instance[CN_NET_UID];
} cn_net_file;

typedef struct cn_net_verdict {
    uint32_t kind, status;
    char why[CN_NET_WHY];
} cn_net_verdict;

/** Each: false unless the bytes are such a message whole, with texts that end and hold what such texts may. */
bool cn_net_arrival_read(const void *bytes, size_t len, cn_net_arrival *out);
bool cn_net_hello_read(const void *bytes, size_t len, cn_net_hello *out);
bool cn_net_file_read(const void *bytes, size_t len, cn_net_file *out);
bool cn_net_verdict_read(const void *bytes, size_t len, cn_net_verdict *out);

/** "A-N.dcm" below `spool`; false when it does not fit. */
bool cn_net_spool_path(const char *spool, uint32_t association, uint32_t number, char *out, size_t size);

#ifdef __cplusplus
}
#endif

#endif
