/* What a port and its transports do while events are delivered, and how their datagrams leave. Private to port*.c and
 * transport*.c; cn_port_flush (media/transport/port.h) is here, too. Owner thread. */
#ifndef CN_MEDIA_PORT_SEND_H
#define CN_MEDIA_PORT_SEND_H

#include <stddef.h>
#include <stdint.h>

#include "media/transport/port_state.h"

/** While events may be delivered, freed transports stay in memory; the last leave reaps them. */
void cn_port_enter(cn_port *port);
void cn_port_leave(cn_port *port);

/** One datagram at once, outside the batch: STUN and DTLS. */
void cn_port_send_now(cn_port *port, const cn_origin *to, const uint8_t *data, size_t len);

#endif
