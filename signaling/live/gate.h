/* Settings, lock, lobby, and what is remembered of those who left. */
#ifndef CN_SIGNALING_LIVE_GATE_H
#define CN_SIGNALING_LIVE_GATE_H

#include "signaling/live/state.h"

typedef enum cn_gate { CN_GATE_OPEN, CN_GATE_LOBBY, CN_GATE_LOCKED, CN_GATE_REMOVED } cn_gate;
/** May he enter anew? `who`: user id or token hash; `host`: would be a host inside. *wait_ms: for CN_GATE_REMOVED. */
cn_gate cn_gate_judge(cn_live *live, const cn_room_info *room, const char *who, bool host, uint64_t *wait_ms);
/** Whether somebody with these parts would be a host on entering now. */
bool cn_gate_would_host(cn_live *live, const cn_room_info *room, const cn_actor *actor);
/** Puts a client before the door; hosts are told. `user`: as cn_user_json. */
void cn_gate_knock(cn_client *client, const cn_room_info *room, const json_t *user, bool removed);
/** Nobody waits here any more. */
void cn_gate_forget(cn_client *client);
/** `user` takes no part in the request any more: he leaves its room, or its door. An encoder that sends with a token of his
 * stays: the token is the room's. */
void cn_gate_part_ends(cn_live *live, const char *request, const char *user);
/** Out of the room at once, without a host's doing. */
void cn_gate_put_out(cn_member *member);
/** `member` goes: he may come back for a while, or (removed) not so soon. Remembers his ceiling, and for a moment his hand
 * and his presenting. */
void cn_gate_left(const cn_member *member, bool removed);
/** `member` has gone without a word: media lets it go, as of its last sign of life. */
void cn_gate_end(cn_member *member);
/** The user enters `hall` anew: what is left of his stays there (its WebSocket has gone, or nothing comes) ends. */
void cn_gate_back(cn_hall *hall, const char *user);
/** An encoder enters `hall` anew, with the same token and kinds of sources (bit per kind): its dead self ends. */
void cn_gate_device_back(cn_hall *hall, const char *token_hash, unsigned sources);
/** Nothing comes from `member` any more: it ends when he, or it, has come back meanwhile by another way. */
void cn_gate_lost(cn_member *member);
/** Since when his hand is raised, as he left it a moment ago; 0: it is not. Gives it once. */
int64_t cn_gate_take_hand(cn_live *live, const char *room, const char *who);
/** What is remembered of him, or NULL. */
const cn_pass *cn_gate_pass(const cn_live *live, const char *room, const char *who);
/** He will not be let in any more, and is told. Frees the knock. */
void cn_gate_refuse(const cn_knock *knock);
/** Nobody will be let in any more: who waits is told. */
void cn_gate_refuse_all(cn_hall *hall);
json_t *cn_gate_knocks_json(const cn_hall *hall);
void cn_gate_tell_knocks(cn_hall *hall, cn_member *only);
/** Every second: what is old is forgotten. */
void cn_gate_tidy(cn_live *live);
void cn_gate_free(cn_live *live);
cn_err cn_do_settings(cn_method_call *call, json_t **result);
cn_err cn_do_admit(cn_method_call *call, json_t **result);

#endif
