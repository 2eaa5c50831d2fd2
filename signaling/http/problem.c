#include "signaling/http/problem.h"

static const struct {
    int status;
    const char *slug, *title;
    unsigned retry;
    int rpc_code;
    const char *rpc_reason;
} table[CN_ERR_COUNT] = {
    [CN_ERR_OK] = {200, "ok", "OK", 0, 0, ""},
    [CN_ERR_NOMEM] = {503, "busy", "The server is short of memory", 5, 1029, "busy"},
    [CN_ERR_INVALID] = {422, "invalid", "A value is not acceptable", 0, -32602, "invalid"},
    [CN_ERR_PARSE] = {400, "malformed", "The request is malformed", 0, -32602, "invalid"},
    [CN_ERR_NOTFOUND] = {404, "not-found", "Not found", 0, 1004, "not_found"},
    [CN_ERR_FORBIDDEN] = {403, "forbidden", "Not permitted", 0, 1003, "forbidden"},
    [CN_ERR_UNAUTH] = {401, "unauthorized", "Not logged in", 0, 1001, "unauthorized"},
    [CN_ERR_CONFLICT] = {409, "conflict", "Somebody else was first", 0, 1009, "conflict"},
    [CN_ERR_STATE] = {409, "state", "Not possible in this state", 0, 1009, "conflict"},
    [CN_ERR_FULL] = {503, "busy", "Too much at once", 2, 1029, "busy"},
    [CN_ERR_TOOBIG] = {413, "too-large", "Too large", 0, -32602, "invalid"},
    [CN_ERR_RATE] = {429, "too-many", "Too many attempts", 60, 1029, "busy"},
    [CN_ERR_UNSUPPORTED] = {415, "unsupported", "Not supported", 0, -32602, "invalid"},
    [CN_ERR_TIMEOUT] = {504, "timeout", "Took too long", 5, 1029, "busy"},
    [CN_ERR_AGAIN] = {503, "busy", "Busy, try again", 1, 1029, "busy"},
    [CN_ERR_CLOSED] = {503, "closed", "The server is shutting down", 5, 1029, "busy"},
    [CN_ERR_NOSPACE] = {503, "no-space", "The server's disk is full", 30, 1029, "busy"},
    [CN_ERR_IO] = {500, "io", "Input/output error", 0, -32603, "internal"},
    [CN_ERR_DB] = {503, "database", "The database is not available", 5, 1029, "busy"},
    [CN_ERR_CRYPTO] = {500, "crypto", "A cryptographic check failed", 0, -32603, "internal"},
    [CN_ERR_CORRUPT] = {422, "damaged", "The stored data is damaged", 0, -32603, "internal"},
    [CN_ERR_CRASHED] = {502, "helper", "A helper process ended unexpectedly", 1, -32603, "internal"},
};

static unsigned row(cn_err err)
{
    return (unsigned)err < CN_ERR_COUNT ? (unsigned)err : (unsigned)CN_ERR_IO;
}

int cn_problem_status(cn_err err)
{
    return table[row(err)].status;
}

const char *cn_problem_title(cn_err err)
{
    return table[row(err)].title;
}

unsigned cn_problem_retry(cn_err err)
{
    return table[row(err)].retry;
}

int cn_problem_rpc_code(cn_err err)
{
    return table[row(err)].rpc_code;
}

const char *cn_problem_rpc_reason(cn_err err)
{
    return table[row(err)].rpc_reason;
}

void cn_problem_wrong_json(json_t *object, const cn_problem *problem)
{
    if (!object || !problem || problem->wrong == CN_WRONG_NONE) return;
    json_object_set_new(object, "wrong", json_string(cn_wrong_word(problem->wrong)));
    for (size_t i = 0; i < 2; i++) {
        const char *name = cn_wrong_number(problem->wrong, i);
        if (*name) json_object_set_new(object, name, json_integer(problem->number[i]));
    }
}

json_t *cn_problem_json(cn_err err, int status, const cn_problem *problem)
{
    const char *detail = problem && *problem->detail ? problem->detail : cn_err_text(err);
    json_t *object =
        json_pack("{s:o, s:s, s:i, s:s}", "type", json_sprintf("urn:consilium:problem:%s", table[row(err)].slug),
                  "title", table[row(err)].title, "status", status, "detail", detail);
    if (object && problem && *problem->field) json_object_set_new(object, "field", json_string(problem->field));
    cn_problem_wrong_json(object, problem);
    return object;
}
