/*
 * The DTLS side of a transport: when a session starts, its budget, its timer, its keys. Tells how the session stands;
 * what follows from that is the transport's to do. Private to a port and its transports. Owner thread.
 */
#ifndef CN_MEDIA_TRANSPORT_DTLS_H
#define CN_MEDIA_TRANSPORT_DTLS_H

#include <stddef.h>
#include <stdint.h>

#include "media/transport/port_state.h"

/** How the session of a transport stands. */
typedef enum cn_dtls_news {
    CN_DTLS_NEWS_NONE,
    CN_DTLS_NEWS_CONNECTED,   /* the handshake has just ended: keys are set */
    CN_DTLS_NEWS_CLOSED,      /* of these three each ends the transport: close_notify or a fatal alert of the peer */
    CN_DTLS_NEWS_FINGERPRINT, /* the peer's certificate is not the one its SDP named */
    CN_DTLS_NEWS_FAILED
} cn_dtls_news;

/** One datagram of the peer; answers leave within the call. */
cn_dtls_news cn_transport_dtls_feed(cn_path *path, const uint8_t *data, size_t len);
/** A valid check came from here: where we are the client and have not begun, the handshake begins. */
void cn_transport_dtls_begin(cn_path *path);
/** The transport's timer ran out: retransmits what is due. */
cn_dtls_news cn_transport_dtls_tick(cn_transport *transport);
/** Says goodbye to a connected peer, and ends the session. */
void cn_transport_dtls_stop(cn_transport *transport);

#endif
