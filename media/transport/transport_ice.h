/* The ICE side of a transport: its credentials, and the addresses from which valid checks came. Private to a port and
 * its transports. Owner thread. */
#ifndef CN_MEDIA_TRANSPORT_ICE_H
#define CN_MEDIA_TRANSPORT_ICE_H

#include <stddef.h>
#include <stdint.h>

#include "media/transport/port_state.h"

/** A STUN message for whichever transport it names; its answer leaves at once. */
void cn_transport_on_stun(cn_port *port, const cn_origin *from, const uint8_t *data, size_t len);

/** The connection of a path has gone: nothing is sent there any more. */
void cn_transport_path_lost(cn_path *path);
void cn_transport_paths_clear(cn_transport *transport);

cn_err cn_transport_credentials_new(cn_transport *transport);
/** The newest become the former ones, and new ones are made. */
cn_err cn_transport_credentials_renew(cn_transport *transport);
void cn_transport_credentials_clear(cn_transport *transport);

#endif
