#include "signaling/live/rpc.h"

#include <string.h>

#include "base/json.h"
#include "signaling/http/problem.h"

static bool id_valid(const json_t *id)
{
    return json_is_string(id) || json_is_integer(id) || json_is_null(id);
}

int cn_rpc_parse(const char *text, size_t len, cn_rpc *out)
{
    cn_problem problem;
    *out = (cn_rpc){.message = NULL};
    if (cn_json_object(&out->message, text, len, &problem) != CN_OK) return CN_RPC_PARSE;
    json_t *id = json_object_get(out->message, "id");
    const char *version = json_string_value(json_object_get(out->message, "jsonrpc"));
    if (id && !id_valid(id)) return CN_RPC_REQUEST;
    out->id = id;
    out->method = json_string_value(json_object_get(out->message, "method"));
    out->params = json_object_get(out->message, "params");
    if (!version || strcmp(version, "2.0") != 0 || !out->method) return CN_RPC_REQUEST;
    if (!out->params) {
        out->params = json_object();
        if (!out->params || json_object_set_new(out->message, "params", out->params) < 0) return CN_RPC_REQUEST;
    }
    return json_is_object(out->params) ? 0 : CN_RPC_PARAMS;
}

void cn_rpc_free(cn_rpc *rpc)
{
    json_decref(rpc->message);
    *rpc = (cn_rpc){.message = NULL};
}

static json_t *envelope(json_t *id)
{
    json_t *object = json_pack("{s:s}", "jsonrpc", "2.0");
    if (object) json_object_set_new(object, "id", id ? json_incref(id) : json_null());
    return object;
}

json_t *cn_rpc_result(json_t *id, json_t *result)
{
    json_t *object = envelope(id);
    if (object)
        json_object_set_new(object, "result", result ? result : json_object());
    else
        json_decref(result);
    return object;
}

json_t *cn_rpc_error(json_t *id, int code, const char *text, json_t *data)
{
    json_t *object = envelope(id), *error = json_pack("{s:i, s:s}", "code", code, "message", text);
    if (error && data) json_object_set(error, "data", data);
    json_decref(data);
    if (object)
        json_object_set_new(object, "error", error);
    else
        json_decref(error);
    return object;
}

json_t *cn_rpc_problem(json_t *id, cn_err err, const cn_problem *problem)
{
    bool ours = problem && problem->err == err;
    json_t *data = json_pack("{s:s, s:s}", "reason", cn_problem_rpc_reason(err), "detail",
                             ours && *problem->detail ? problem->detail : cn_err_text(err));
    if (data && ours && *problem->field) json_object_set_new(data, "field", json_string(problem->field));
    if (ours) cn_problem_wrong_json(data, problem);
    int code = cn_problem_rpc_code(err);
    if (data && code == CN_RPC_BUSY) json_object_set_new(data, "retry_ms", json_integer(1000));
    return cn_rpc_error(id, code, cn_problem_title(err), data);
}

json_t *cn_rpc_refusal(json_t *id, int code, const char *reason, const char *detail)
{
    return cn_rpc_error(id, code, detail, json_pack("{s:s, s:s}", "reason", reason, "detail", detail));
}

json_t *cn_rpc_notice(const char *method, json_t *params)
{
    json_t *object = json_pack("{s:s, s:s}", "jsonrpc", "2.0", "method", method);
    if (object)
        json_object_set_new(object, "params", params ? params : json_null());
    else
        json_decref(params);
    return object;
}
