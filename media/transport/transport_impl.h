/* What a port does with its transports; for port.c and transport.c only. Called between cn_port_enter and
 * cn_port_leave. Owner thread. */
#ifndef CN_MEDIA_TRANSPORT_IMPL_H
#define CN_MEDIA_TRANSPORT_IMPL_H

#include <stddef.h>
#include <stdint.h>

#include "media/transport/port_state.h"

/** A datagram from a path of a transport that is not closed. */
void cn_transport_on_dtls(cn_path *path, const uint8_t *data, size_t len);
void cn_transport_on_rtp(cn_path *path, uint8_t *data, size_t len);
void cn_transport_on_rtcp(cn_path *path, uint8_t *data, size_t len);
/** Closes the transport when it gave no sign of life for the port's timeout. */
void cn_transport_sweep(cn_transport *transport, uint64_t now_ns);
/** Takes the transport out of the port and frees it. */
void cn_transport_reap(cn_transport *transport);

#endif
