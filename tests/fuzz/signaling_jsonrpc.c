/* Any bytes as a live message: either a call whose parts can be trusted, or the code of an error. */
// covers: signaling/live/rpc.c
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "signaling/live/rpc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(json_t *message)
{
    char *text = json_dumps(message, JSON_COMPACT);
    free(text);
    json_decref(message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cn_rpc r;
    cn_problem p;
    int code = cn_rpc_parse((const char *)data, size, &r);
    if (code == 0) {
        if (!r.method || !json_is_object(r.params)) abort();
        if (r.id && !json_is_string(r.id) && !json_is_integer(r.id) && !json_is_null(r.id)) abort();
        use(cn_rpc_result(r.id, json_incref(r.params)));
        use(cn_rpc_notice(r.method, NULL));
        cn_problem_set(&p, CN_ERR_AGAIN, "field", "%.40s", r.method);
        use(cn_rpc_problem(r.id, CN_ERR_AGAIN, &p));
        use(cn_rpc_refusal(r.id, CN_RPC_BAD_SDP, "bad_sdp", r.method));
    } else if (code > -32600 || code < -32700) {
        abort();
    } else {
        use(cn_rpc_error(r.id, code, "wrong", NULL));
    }
    cn_rpc_free(&r);
    return 0;
}
