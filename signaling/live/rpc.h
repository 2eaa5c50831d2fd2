/* JSON-RPC 2.0 messages (https://www.jsonrpc.org/specification), without batches. Pure. */
#ifndef CN_SIGNALING_RPC_H
#define CN_SIGNALING_RPC_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum {
    CN_RPC_PARSE = -32700,
    CN_RPC_REQUEST = -32600,
    CN_RPC_METHOD = -32601,
    CN_RPC_PARAMS = -32602,
    CN_RPC_UNAUTHORIZED = 1001,
    CN_RPC_CONFLICT = 1009,
    CN_RPC_ROOM_FULL = 1010,
    CN_RPC_BAD_SDP = 1022,
    CN_RPC_DOOR = 1023,
    CN_RPC_BUSY = 1029
};

typedef struct cn_rpc {
    json_t *message;    /* owns what follows */
    json_t *id;         /* borrowed: text, number or null; NULL: a notification */
    const char *method; /* borrowed */
    json_t *params;     /* borrowed object */
} cn_rpc;

/** One message of a client. 0, or the code of the error to answer (`id` is set where it could be read). cn_rpc_free is
 * due in any case. */
int cn_rpc_parse(const char *text, size_t len, cn_rpc *out);
void cn_rpc_free(cn_rpc *rpc);

/** New references; NULL when memory is out. `id` is borrowed, `result` and `data` are taken over. */
json_t *cn_rpc_result(json_t *id, json_t *result);
json_t *cn_rpc_error(json_t *id, int code, const char *text, json_t *data);
/** An error of ours: its code from problem.h, `data: {reason, detail, field?, retry_ms?}`. */
json_t *cn_rpc_problem(json_t *id, cn_err err, const cn_problem *problem);
/** The same with a code and reason of the protocol that no cn_err stands for (room_full, bad_sdp). */
json_t *cn_rpc_refusal(json_t *id, int code, const char *reason, const char *detail);
/** `params` is taken over; NULL becomes null. */
json_t *cn_rpc_notice(const char *method, json_t *params);

#endif
