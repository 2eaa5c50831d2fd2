/* What a client reports: what came, by transport-wide feedback, and what it sent and received (RFC 3550 §6.4). */
#ifndef CN_CLIENT_REPORT_H
#define CN_CLIENT_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client.h"
#include "media/wire/rtcp.h"
#include "media/wire/rtp.h"

/** A packet came: notes its transport-wide number. Returns it, 0 when it has none. */
uint16_t rtc_report_came(rtc_client *client, const cn_rtp *rtp, uint64_t now_ns);
/** Time for feedback: 50 ms passed, or 100 packets wait. */
bool rtc_report_due(const rtc_client *client, uint64_t now_ns);
/** Reports by transport-wide feedback what came since the last report. */
void rtc_report_feedback(rtc_client *client, uint64_t now_ns);
/** One compound packet: a sender report for each stream (of now: `ntp` is filled in), or a receiver report when there is
 * none; `blocks` (31 at most) stand in the first. `cname` NULL: not told. */
void rtc_report_streams(rtc_client *client, const cn_rtcp_sr *streams, size_t count, const cn_rtcp_block *blocks,
                        size_t block_count, const char *cname);

#endif
