/* Participants of Consilium's rooms through its door: log in, one WebSocket each, room.join, room.show, and whose
 * picture or voice each slot is said to be. */
#ifndef CN_LOAD_DOOR_H
#define CN_LOAD_DOOR_H

#include <stdbool.h>
#include <stdint.h>

#include "crowd/crowd.h"
#include "crowd/pc.h"

typedef struct door door;
typedef struct seat seat;

typedef struct seat_shape {
    const char *room;
    bool mic;
    unsigned layers; /* of the camera, 0: none */
    unsigned audio_slots, video_slots;
} seat_shape;

typedef struct seat_show {
    uint16_t sender;
    unsigned width, height;
} seat_show;

/** Logs in; NULL with a message on standard error. */
door *door_open(crowd *throng, uint16_t port, const char *user, const char *password);
void door_close(door *gate);

/** Sits down in a room: waits for the answer, not for the connection. NULL with a message on standard error. */
seat *seat_join(door *gate, uint16_t sender, const seat_shape *shape);
bool seat_connected(const seat *place);
uint16_t seat_sender(const seat *place);
const char *seat_profile(const seat *place);
/** The slots v0, v1 … show these, the first one is the large one, none above this tier. */
bool seat_show_all(seat *place, const seat_show *shows, unsigned count, const char *tier_max);
/** Sets the room's ceiling, as its host. */
bool seat_ceiling(seat *place, const char *tier);
/** What the server said last about slot v0: "live", "limit", "paused" …; "" before the first word. */
const char *seat_slot_state(const seat *place);
/** Its connection, until it leaves. */
crowd_pc *seat_pc(const seat *place);
/** Says good-bye and frees. NULL allowed. */
void seat_leave(seat *place);

#endif
