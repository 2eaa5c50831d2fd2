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
    cn_rpc rpc;
    cn_problem problem;
    int code = cn_rpc_parse((const char *)data, size, &rpc);
    if (code == 0) {
        if (!rpc.method || !json_is_object(rpc.params)) abort();
        if (rpc.id && !json_is_string(rpc.id) && !json_is_integer(rpc.id) && !json_is_null(rpc.id)) abort();
        use(cn_rpc_result(rpc.id, json_incref(rpc.params)));
        use(cn_rpc_notice(rpc.method, NULL));
        cn_problem_set(&problem, CN_ERR_AGAIN, "field", "%.40s", rpc.method);
        use(cn_rpc_problem(rpc.id, CN_ERR_AGAIN, &problem));
        use(cn_rpc_refusal(rpc.id, CN_RPC_BAD_SDP, "bad_sdp", rpc.method));
    } else if (code > -32600 || code < -32700) {
        abort();
    } else {
        use(cn_rpc_error(rpc.id, code, "wrong", NULL));
    }
    cn_rpc_free(&rpc);
    return 0;
}
