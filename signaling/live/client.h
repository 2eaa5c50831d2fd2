/* A client: found again by what jobs name it by, told, answered. */
#ifndef CN_SIGNALING_LIVE_CLIENT_H
#define CN_SIGNALING_LIVE_CLIENT_H

#include "signaling/live/state.h"

cn_client *cn_client_find(cn_live *live, uint64_t serial);
/** Sends and drops the reference; nothing happens without a client. */
void cn_client_send(cn_client *client, json_t *message);
void cn_client_notice(cn_client *client, const char *method, json_t *params);
/** Answers a call; a notification (id NULL) gets none. */
void cn_client_answer(cn_client *client, json_t *id, json_t *result);
void cn_client_refuse(cn_client *client, json_t *id, cn_err err, const cn_problem *problem);

#endif
