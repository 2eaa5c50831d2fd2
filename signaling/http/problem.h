/* Errors as the outside sees them: one table for HTTP (RFC 9457) and the live protocol. Pure. */
#ifndef CN_SIGNALING_PROBLEM_H
#define CN_SIGNALING_PROBLEM_H

#include <jansson.h>

#include "base/err.h"

/** HTTP status of an error; 200 for CN_OK. */
int cn_problem_status(cn_err e);
/** Short title, e.g. "Not found". */
const char *cn_problem_title(cn_err e);
/** Seconds for Retry-After, 0: none. */
unsigned cn_problem_retry(cn_err e);

/** JSON-RPC code and `data.reason` of an error (docs/protocol.md). */
int cn_problem_rpc_code(cn_err e);
const char *cn_problem_rpc_reason(cn_err e);

/** `{type, title, status, detail, field?}`; `p` may be NULL or empty. NULL when memory is out. */
json_t *cn_problem_json(cn_err e, int status, const cn_problem *p);

#endif
