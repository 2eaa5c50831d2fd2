/* Opening a port: its limits, addresses and sockets. For port.c only. */
#ifndef CN_MEDIA_PORT_OPEN_H
#define CN_MEDIA_PORT_OPEN_H

#include "media/transport/port_state.h"

/** What `given` leaves 0, or all of it when NULL, gets its default. */
void cn_port_limits_set(cn_port *port, const cn_port_limits *given);
/** The arguments of cn_port_new, checked and taken over. CN_ERR_INVALID. */
cn_err cn_port_addresses_set(cn_port *port, const char *const listen[], const char *const announce[], size_t count);
/** Binds all addresses to one port number, for UDP and TCP; `number` 0: one that is free on all of them. */
cn_err cn_port_sockets_open(cn_port *port, uint16_t number);

#endif
