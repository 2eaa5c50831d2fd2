/* What passed a relay and when, as text: a line per datagram, in the order in which they left or were lost.
 *
 *   direction client arrived left size rtp header payload-type marker ssrc sequence timestamp
 *   direction client arrived left size rtcp packet-type count
 *   direction client arrived left size stun|dtls|other
 *
 * Times are µs since the record began, `left` may be `lost` (by chance) or `dropped` (at the queue's end); size is of
 * the UDP payload; kind is told by the first two bytes (RFC 7983, RFC 5761 §4). RTP's header is not encrypted: how long
 * it is with its extensions, and what it says (RFC 3550 §5.1). Commands stand between, as `# µs command`. */
#ifndef CN_BENCH_IMPAIR_RECORD_H
#define CN_BENCH_IMPAIR_RECORD_H

#include <stdbool.h>

#include "line.h"

typedef struct line_record line_record;

/** NULL when the file cannot be written. Time 0 is `now_ns`. */
line_record *record_new(const char *path, uint64_t now_ns);
/** A packet that left at `left_ns`, or did not: `fate` says. NULL record: nothing. */
void record_packet(line_record *rec, bool up, unsigned client, const line_packet *packet, line_fate fate,
                   uint64_t left_ns);
void record_command(line_record *rec, const char *text, size_t len, uint64_t now_ns);
/** False when something could not be written. NULL allowed. */
bool record_end(line_record *rec);

#endif
