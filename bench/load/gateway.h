/* Participants of Janus's VideoRoom by its WebSocket API: each with a session, a publishing and, where it receives, a
 * subscribing PeerConnection. */
#ifndef CN_LOAD_GATEWAY_H
#define CN_LOAD_GATEWAY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "crowd/crowd.h"
#include "crowd/pc.h"
#include "scene.h"

typedef struct gateway_host {
    char folder[64];
    pid_t pid;
    uint16_t port;
    char version[64];
} gateway_host;

/** Starts bench/janus/serve.sh on one core; false with a message on standard error. */
bool gateway_start(gateway_host *gateway, const char *script, int cpu, unsigned rooms, cn_codec codec, unsigned loops);
void gateway_stop(gateway_host *gateway, bool keep);

typedef struct guest guest;

/** Opens a session and publishes what the person sends. NULL with a message on standard error. */
guest *guest_publish(crowd *throng, uint16_t port, uint16_t sender, const scene_person *person);
/** Subscribes to what the person sees and hears, once everybody publishes. */
bool guest_subscribe(guest *visitor);
/** Chooses the layer of each picture by its size. */
bool guest_layers(guest *visitor);
bool guest_connected(const guest *visitor);
const char *guest_profile(const guest *visitor);
void guest_free(guest *visitor);

#endif
