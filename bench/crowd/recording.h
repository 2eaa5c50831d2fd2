/* When a real camera's packets left it, and how large they were: a text file with a line `microseconds bytes timestamp`
 * per packet (bench/README.md), bytes of the RTP payload, 90 kHz time stamps from 0; packets of one stamp are one
 * frame. Lines that begin with # are skipped. */
#ifndef CN_CROWD_RECORDING_H
#define CN_CROWD_RECORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct recording_packet {
    uint32_t at_us, ts;
    uint16_t bytes;
} recording_packet;

typedef struct recording {
    recording_packet *packets;
    size_t n;
    uint32_t length_us, length_ts; /* until it begins again: to its last frame and a mean frame's time more */
} recording;

/** False when it cannot be read, is not of that form, not in order or of fewer than two frames. */
bool recording_read(recording *out, const char *path);
void recording_free(recording *tape);

/** How many packets the frame has that begins with packet `index`. */
unsigned recording_frame(const recording *tape, size_t index);

#endif
