/* Rooms in use and who is in them; what of a room is told as JSON. */
#ifndef CN_SIGNALING_LIVE_HALL_H
#define CN_SIGNALING_LIVE_HALL_H

#include "signaling/live/state.h"

cn_hall *cn_hall_find(cn_live *live, const char *id);
cn_hall *cn_hall_open(cn_live *live, const cn_room_info *room);
cn_member *cn_member_find(cn_live *live, const char *id);
/** Whether a place with video is left. Whoever has joined and not connected yet holds one, however often he joined. */
bool cn_hall_video_free(const cn_hall *hall);
/** Whether more are there, with or without video, than there are places: several who shared one until they connected. */
bool cn_hall_overfull(const cn_hall *hall, bool video);
/** CN_ERR_FULL when neither a place with nor one without video is left. Not yet visible to others. */
cn_err cn_member_new(cn_member **out, cn_hall *hall, bool wants_video);
/** Takes it out of its room (which ends when it was the last) and frees it. */
void cn_member_free(cn_member *member);
/** Its WebSocket is gone or somebody else's. */
void cn_member_detach(cn_member *member);
bool cn_member_is_host(const cn_member *member);
json_t *cn_member_json(const cn_member *member);
#define CN_NOTICE_KEY 32
/** Fills and returns a key for cn_hall_notice: `what` tells apart the states of one participant. */
const char *cn_notice_key(char key[CN_NOTICE_KEY], char what, const cn_member *member);
/** Sends a notice to every client of the room but `except`; serialised once. `key` as in cn_ws_send. Takes `params`
 * over. */
void cn_hall_notice(cn_hall *hall, const cn_member *except, const char *method, json_t *params, const char *key);
void cn_hall_tell_hosts(cn_hall *hall, const char *method, json_t *params);
json_t *cn_hall_view_json(const cn_hall *hall);
void cn_hall_view_close(cn_hall *hall);
/** The talk begins, or is known to have begun so long ago: its one time for everybody. Only the first call counts. */
void cn_hall_begin(cn_hall *hall, int64_t ago_ms);
/** How long the talk lasts already (ms), or null. */
json_t *cn_hall_lasts_json(const cn_hall *hall);
void cn_hall_set(cn_hall *hall, const cn_room_settings *settings);
json_t *cn_hall_settings_json(const cn_hall *hall);
/** The same of settings that no room in use has; a room without a codec of its own has that of the configuration. */
json_t *cn_settings_json(const cn_live *live, const cn_room_settings *settings);

#endif
