/* Errors as the outside sees them: one table for HTTP (RFC 9457) and the live protocol. Pure. */
#ifndef CN_SIGNALING_PROBLEM_H
#define CN_SIGNALING_PROBLEM_H

#include <jansson.h>

#include "base/err.h"

/** HTTP status of an error; 200 for CN_OK. */
int cn_problem_status(cn_err err);
/** Short title, err.g. "Not found". */
const char *cn_problem_title(cn_err err);
/** Seconds for Retry-After, 0: none. */
unsigned cn_problem_retry(cn_err err);

/** JSON-RPC code and `data.reason` of an error (docs/protocol.md). */
int cn_problem_rpc_code(cn_err err);
const char *cn_problem_rpc_reason(cn_err err);

/** `{type, title, status, detail, field?, wrong?, …}`; `problem` may be NULL or empty. NULL when memory is out. */
json_t *cn_problem_json(cn_err err, int status, const cn_problem *problem);
/** Adds `wrong` and its numbers (base/err.h) to an object; NULL or nothing to say: nothing. */
void cn_problem_wrong_json(json_t *object, const cn_problem *problem);

#endif
