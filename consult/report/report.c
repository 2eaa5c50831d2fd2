#include "consult/report/report.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "consult/report/circumstances.h"
#include "consult/report/figures.h"
#include "consult/report/typed.h"
#include "consult/scope.h"

#define TEXT_MAX 20000
#define REASON_MAX 500

/* ---- reading ---- */

static json_t *person(const cn_rows *rows, size_t col)
{
    return json_pack("{s:s, s:s, s:s}", "id", cn_rows_text(rows, col), "name", cn_rows_text(rows, col + 1), "title",
                     cn_rows_text(rows, col + 2));
}

/* A revision goes on over an amendment that was given up. */
#define REVISION "CASE WHEN q.report_revision > r.revision THEN q.report_revision ELSE r.revision END"
#define VERSIONS                                                                                                  \
    "SELECT r.findings, r.conclusion, r.advice, r.reason, r.version, " REVISION                                   \
    ", r.updated_ms, r.signed_ms, u.id, u.display_name, u.title, r.circumstances, r.figures FROM reports r JOIN " \
    "users "                                                                                                      \
    "u ON u.id = r.author_id JOIN requests q ON q.id = r.request_id WHERE r.request_id = $1 AND "

static json_t *version_json(const cn_rows *rows)
{
    int64_t signed_ms = cn_rows_int(rows, 7);
    return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:o, s:o}", "findings", cn_rows_text(rows, 0), "conclusion",
                     cn_rows_text(rows, 1), "advice", cn_rows_text(rows, 2), "reason", cn_rows_text(rows, 3), "version",
                     (json_int_t)cn_rows_int(rows, 4), "revision", (json_int_t)cn_rows_int(rows, 5), "updated_at",
                     (json_int_t)cn_rows_int(rows, 6), "signed_at", signed_ms ? json_integer(signed_ms) : json_null(),
                     "author", person(rows, 8));
}

/* What its signature fixed; of a version from before signatures did so, what can be said of that moment. */
static cn_err fixed(cn_conn *conn, const char *request, const cn_rows *rows, json_t **out)
{
    const char *text = cn_rows_text(rows, 11);
    if (!text[0]) return cn_circumstances_then(conn, request, cn_rows_int(rows, 7), out);
    *out = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    return *out ? CN_OK : CN_ERR_CORRUPT;
}

/* Takes the reference of `value`, also when it fails. */
static cn_err put(json_t *object, const char *key, json_t *value)
{
    return json_object_set_new(object, key, value) < 0 ? CN_ERR_NOMEM : CN_OK;
}

/* The row's version with its pictures, a signed one with its circumstances. */
static cn_err read_version(cn_conn *conn, const char *request, const cn_rows *rows, json_t **out)
{
    json_t *around = NULL, *figures = NULL;
    CN_AUTO_JSON json_t *version = version_json(rows);
    CN_TRY(cn_figures_json(conn, request, cn_rows_text(rows, 12), &figures));
    CN_TRY(put(version, "figures", figures));
    if (cn_rows_int(rows, 7)) {
        CN_TRY(fixed(conn, request, rows, &around));
        CN_TRY(put(version, "circumstances", around));
    }
    *out = json_incref(version);
    return CN_OK;
}

static cn_err load_version(cn_conn *conn, const char *request, bool draft, json_t **out)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    const char *sql = draft ? VERSIONS "r.signed_ms = 0" : VERSIONS "r.signed_ms > 0 ORDER BY r.version DESC LIMIT 1";
    CN_TRY(cn_db_query(conn, &rows, sql, cn_text(request)));
    if (!cn_rows_next(rows)) {
        *out = NULL;
        return CN_OK;
    }
    return read_version(conn, request, rows, out);
}

static cn_err load_report(cn_conn *conn, const char *request, bool own_draft, json_t **out)
{
    CN_AUTO_JSON json_t *last = NULL;
    json_t *draft = NULL;
    CN_TRY(load_version(conn, request, false, &last));
    if (own_draft) CN_TRY(load_version(conn, request, true, &draft));
    if (draft) json_object_set_new(draft, "signed", last ? json_incref(last) : json_null());
    *out = draft ? draft : last ? json_incref(last) : json_null();
    return CN_OK;
}

static cn_err load_opinions(cn_conn *conn, const char *request, json_t **out)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(conn, &rows,
                       "SELECT o.id, o.opinion, o.signed_ms, u.id, u.display_name, u.title FROM opinions o JOIN users "
                       "u ON u.id = o.author_id WHERE o.request_id = $1 ORDER BY o.signed_ms, o.id",
                       cn_text(request)));
    json_t *list = json_array();
    while (cn_rows_next(rows))
        json_array_append_new(list, json_pack("{s:s, s:s, s:I, s:o}", "id", cn_rows_text(rows, 0), "text",
                                              cn_rows_text(rows, 1), "at", (json_int_t)cn_rows_int(rows, 2), "author",
                                              person(rows, 3)));
    *out = list;
    return list ? CN_OK : CN_ERR_NOMEM;
}

cn_err cn_report_json(cn_conn *conn, const char *request, bool own_draft, json_t **report, json_t **opinions)
{
    json_t *first = NULL;
    CN_TRY(load_report(conn, request, own_draft, &first));
    cn_err err = load_opinions(conn, request, opinions);
    if (err == CN_OK)
        *report = first;
    else
        json_decref(first);
    return err;
}

static cn_err read_one(cn_conn *conn, const cn_actor *actor, const char *request, json_t **out)
{
    cn_request_scope scope;
    CN_TRY(cn_request_scope_get(conn, actor, request, &scope));
    return load_report(conn, request, (scope.parts & CN_PART_LEAD) != 0, out);
}

cn_err cn_report_get(cn_consult *consult, const cn_actor *actor, const char *request, json_t **out)
{
    cn_act act;
    char object[48];
    json_t *report = NULL;
    cn_fmt(object, sizeof(object), "request:%.26s", request);
    CN_TRY(cn_act_begin(&act, consult, actor));
    cn_err err = cn_act_end(&act, read_one(act.conn, actor, request, &report), "report.read", object, NULL);
    if (err == CN_OK)
        *out = report;
    else
        json_decref(report);
    return err;
}

static cn_err load_signed(cn_conn *conn, const cn_actor *actor, const char *request, json_t **out)
{
    cn_request_scope scope;
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_request_scope_get(conn, actor, request, &scope));
    CN_TRY(cn_db_query(conn, &rows, VERSIONS "r.signed_ms > 0 ORDER BY r.version", cn_text(request)));
    json_t *list = json_array();
    cn_err err = list ? CN_OK : CN_ERR_NOMEM;
    while (err == CN_OK && cn_rows_next(rows)) {
        json_t *version = NULL;
        err = read_version(conn, request, rows, &version);
        if (err == CN_OK) json_array_append_new(list, version);
    }
    if (err == CN_OK)
        *out = list;
    else
        json_decref(list);
    return err;
}

cn_err cn_report_versions(cn_consult *consult, const cn_actor *actor, const char *request, json_t **out)
{
    cn_act act;
    char object[48];
    json_t *list = NULL;
    cn_fmt(object, sizeof(object), "request:%.26s", request);
    CN_TRY(cn_act_begin(&act, consult, actor));
    cn_err err = load_signed(act.conn, actor, request, &list);
    err = cn_act_end(&act, err, "report.read", object, "all versions");
    if (err == CN_OK)
        *out = list;
    else
        json_decref(list);
    return err;
}

/* ---- acts: all alike but for what they do in the middle ---- */

typedef struct report_act {
    cn_consult *c;
    const cn_actor *a;
    cn_conn *conn;
    cn_request_scope scope;
    const json_t *body;
    int64_t revision;
    cn_problem *p;
    char detail[32]; /* of the audit row */
    bool tell;       /* those who watch, although it was no step */
} report_act;

static cn_err act_on(report_act *work, cn_err (*fn)(report_act *), const char *name, const char *request,
                     cn_answer *answer)
{
    cn_act act;
    char object[48];
    cn_fmt(object, sizeof(object), "request:%.26s", request);
    CN_TRY(cn_act_begin(&act, work->c, work->a));
    work->conn = act.conn;
    cn_err err = cn_request_scope_get(act.conn, work->a, request, &work->scope);
    int64_t before = work->scope.revision;
    if (err == CN_OK) err = fn(work);
    err = cn_act_answer(&act, err, request, answer);
    err = cn_act_end(&act, err, name, object, work->detail[0] ? work->detail : NULL);
    if (err == CN_OK && (work->tell || work->scope.revision != before)) cn_request_announce(work->c, &work->scope);
    return err;
}

static cn_err step(report_act *work, const char *action, const char *reason)
{
    return cn_request_step(work->conn, work->a, &work->scope, action, reason, work->p);
}

static void note_version(report_act *work, int64_t version)
{
    cn_fmt(work->detail, sizeof(work->detail), "version %lld", (long long)version);
}

static cn_err stale(report_act *work)
{
    return cn_problem_set(work->p, CN_ERR_CONFLICT, "revision",
                          "the report was changed meanwhile; load it again before saving");
}

/* ---- draft ---- */

/* The newest version: 0, 0 and signed when there is none. */
typedef struct newest {
    int64_t version, revision;
    bool is_signed;
} newest;

static cn_err load_newest(cn_conn *conn, const char *request, newest *out)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(conn, &rows,
                       "SELECT r.version, " REVISION ", r.signed_ms FROM reports r JOIN requests q ON q.id = "
                       "r.request_id WHERE r.request_id = $1 ORDER BY r.version DESC LIMIT 1",
                       cn_text(request)));
    *out = (newest){.is_signed = true};
    if (cn_rows_next(rows))
        *out = (newest){
            .version = cn_rows_int(rows, 0), .revision = cn_rows_int(rows, 1), .is_signed = cn_rows_int(rows, 2) > 0};
    return CN_OK;
}

typedef struct texts {
    const char *findings, *conclusion, *advice, *reason;
    const char *figures; /* as stored */
    int64_t revision;
} texts;

static cn_err read_texts(const json_t *body, texts *words, cn_problem *problem)
{
    *words = (texts){.findings = "", .conclusion = "", .advice = "", .reason = ""};
    CN_TRY(cn_json_str(body, "findings", false, 0, TEXT_MAX, &words->findings, problem));
    CN_TRY(cn_json_str(body, "conclusion", false, 0, TEXT_MAX, &words->conclusion, problem));
    CN_TRY(cn_json_str(body, "advice", false, 0, TEXT_MAX, &words->advice, problem));
    CN_TRY(cn_json_str(body, "reason", false, 0, REASON_MAX, &words->reason, problem));
    return cn_json_i64(body, "revision", true, 0, INT64_MAX - 1, &words->revision, problem);
}

/* Saving a draft is no step of the request's life: no history row each time somebody types. */
static cn_err may_draft(report_act *work)
{
    const cn_request_scope *scope = &work->scope;
    cn_state next;
    cn_err err = cn_state_next("draft", scope->state, scope->urgent, scope->parts, &next);
    if (err == CN_ERR_STATE)
        return cn_problem_set(work->p, err, "state", "no report can be written while the request is %s",
                              cn_state_name(scope->state));
    return err == CN_OK ? CN_OK : cn_problem_set(work->p, err, "", "only the lead expert writes the report");
}

static cn_err insert_draft(report_act *work, const texts *words, int64_t version, int64_t *changed)
{
    return cn_db_exec(work->conn, changed,
                      "INSERT INTO reports (request_id, version, revision, findings, conclusion, advice, reason, "
                      "author_id, updated_ms, signed_ms, figures) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, "
                      "$10) ON CONFLICT (request_id, version) DO NOTHING",
                      cn_text(work->scope.id), cn_int(version), cn_int(work->revision), cn_text(words->findings),
                      cn_text(words->conclusion), cn_text(words->advice), cn_text(words->reason),
                      cn_text(work->a->user), cn_int(cn_wall_ms()), cn_text(words->figures));
}

static cn_err update_draft(report_act *work, const texts *words, const newest *last, int64_t *changed)
{
    return cn_db_exec(work->conn, changed,
                      "UPDATE reports SET revision = $1, findings = $2, conclusion = $3, advice = $4, reason = $5, "
                      "author_id = $6, updated_ms = $7, figures = $11 WHERE request_id = $8 AND version = $9 AND "
                      "revision = $10 AND signed_ms = 0",
                      cn_int(work->revision), cn_text(words->findings), cn_text(words->conclusion),
                      cn_text(words->advice), cn_text(words->reason), cn_text(work->a->user), cn_int(cn_wall_ms()),
                      cn_text(work->scope.id), cn_int(last->version), cn_int(last->revision), cn_text(words->figures));
}

/* The pictures of the body; where it says nothing of pictures those of the newest version, which an amendment begins with. */
static cn_err take_figures(report_act *work, char **out)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(work->conn, &rows,
                       "SELECT figures FROM reports WHERE request_id = $1 ORDER BY version DESC LIMIT 1",
                       cn_text(work->scope.id)));
    return cn_figures_take(work->conn, work->scope.id, work->body, cn_rows_next(rows) ? cn_rows_text(rows, 0) : "[]",
                           out, work->p);
}

static cn_err do_draft(report_act *work)
{
    texts words;
    newest last;
    CN_AUTO_FREE char *figures = NULL;
    int64_t changed = 0;
    CN_TRY(may_draft(work));
    CN_TRY(read_texts(work->body, &words, work->p));
    CN_TRY(load_newest(work->conn, work->scope.id, &last));
    if (words.revision != last.revision) return stale(work);
    CN_TRY(take_figures(work, &figures));
    words.figures = figures;
    work->revision = last.revision + 1;
    int64_t version = last.version + (last.is_signed ? 1 : 0);
    if (version == 1) words.reason = ""; /* takes the place of nothing */
    CN_TRY(last.is_signed ? insert_draft(work, &words, version, &changed)
                          : update_draft(work, &words, &last, &changed));
    return changed == 1 ? CN_OK : stale(work);
}

cn_err cn_report_draft(cn_consult *consult, const cn_actor *actor, const char *request, const json_t *body,
                       int64_t *revision, cn_problem *problem)
{
    report_act work = {.c = consult, .a = actor, .body = body, .p = problem};
    CN_TRY(act_on(&work, do_draft, "report.draft", request, NULL));
    *revision = work.revision;
    return CN_OK;
}

/* ---- signature ---- */

/* A report that says nothing is not signed, nor an amendment that does not say why; `rows` gets findings, conclusion
 * and reason. */
static cn_err check_complete(report_act *work, int64_t version, cn_rows **rows)
{
    CN_TRY(cn_db_query(work->conn, rows,
                       "SELECT findings, conclusion, reason FROM reports WHERE request_id = $1 AND version = $2",
                       cn_text(work->scope.id), cn_int(version)));
    if (!cn_rows_next(*rows)) return CN_ERR_DB;
    static const char *const fields[] = {"findings", "conclusion", "reason"};
    for (size_t i = 0; i < (version > 1 ? 3 : 2); i++) {
        const char *text = cn_rows_text(*rows, i);
        if (text[strspn(text, " \t\r\n")] == 0)
            return cn_problem_set(work->p, CN_ERR_CONFLICT, fields[i], "write the %s before signing", fields[i]);
    }
    return CN_OK;
}

/* The draft that somebody has in front of him: the revision he names, or any when he names none. */
static cn_err load_seen(report_act *work, const char *act, newest *out)
{
    int64_t seen = -1;
    CN_TRY(load_newest(work->conn, work->scope.id, out));
    if (work->body) CN_TRY(cn_json_i64(work->body, "revision", false, 0, INT64_MAX - 1, &seen, work->p));
    if (out->is_signed) return cn_problem_set(work->p, CN_ERR_CONFLICT, "report", "there is no draft to %s", act);
    if (seen >= 0 && seen != out->revision) return stale(work);
    note_version(work, out->version);
    return CN_OK;
}

static cn_err releases_itself(cn_conn *conn, bool *out)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(conn, &rows, "SELECT value FROM settings WHERE key = $1", cn_text(CN_REPORT_POLICY_KEY)));
    *out = !cn_rows_next(rows) || strcmp(cn_rows_text(rows, 0), "audit") != 0;
    return CN_OK;
}

/* What is known at the signature stays with it: a signed version says the same for ever. */
static cn_err fix_circumstances(report_act *work, int64_t version, int64_t now)
{
    CN_AUTO_JSON json_t *around = NULL;
    CN_TRY(cn_circumstances_now(work->conn, work->scope.id, now, &around));
    CN_AUTO_FREE char *text = json_dumps(around, JSON_COMPACT);
    if (!text) return CN_ERR_NOMEM;
    return cn_db_exec(work->conn, NULL, "UPDATE reports SET circumstances = $1 WHERE request_id = $2 AND version = $3",
                      cn_text(text), cn_text(work->scope.id), cn_int(version));
}

static cn_err put_signature(report_act *work, const newest *last)
{
    int64_t changed = 0, now = cn_wall_ms();
    CN_TRY(cn_db_exec(work->conn, &changed,
                      "UPDATE reports SET signed_ms = $1, author_id = $2 WHERE request_id = $3 AND version = $4 AND "
                      "revision = $5 AND signed_ms = 0",
                      cn_int(now), cn_text(work->a->user), cn_text(work->scope.id), cn_int(last->version),
                      cn_int(last->revision)));
    return changed == 1 ? fix_circumstances(work, last->version, now) : stale(work);
}

/* Who acts on the version before is to know of it: it waits for him until he says that he has read it. */
static cn_err note_unread(report_act *work, int64_t version)
{
    return cn_db_exec(work->conn, NULL, "UPDATE requests SET report_unread = $1 WHERE id = $2", cn_int(version),
                      cn_text(work->scope.id));
}

static cn_err do_sign(report_act *work)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    newest last;
    cn_state next;
    bool release = false;
    CN_TRY(cn_request_may(&work->scope, "sign", &next, work->p));
    CN_TRY(load_seen(work, "sign", &last));
    CN_TRY(check_complete(work, last.version, &rows));
    CN_TRY(step(work, "sign", cn_rows_text(rows, 2)));
    CN_TRY(put_signature(work, &last));
    if (work->scope.state != CN_STATE_WRITTEN) return note_unread(work, last.version); /* an amendment */
    CN_TRY(releases_itself(work->conn, &release));
    return release ? step(work, "release", "") : CN_OK;
}

cn_err cn_report_sign(cn_consult *consult, const cn_actor *actor, const char *request, const json_t *body,
                      cn_answer *answer, cn_problem *problem)
{
    report_act work = {.c = consult, .a = actor, .body = body, .p = problem};
    return act_on(&work, do_sign, "report.sign", request, answer);
}

/* ---- an amendment was read ---- */

/* No step of the request's life either: what he has read says the audit log. */
static cn_err do_seen(report_act *work)
{
    int64_t version = 0, changed = 0;
    if (!(work->scope.parts & CN_PART_REFERRER))
        return cn_problem_set(work->p, CN_ERR_FORBIDDEN, "", "an amendment waits for the referring doctor alone");
    CN_TRY(cn_json_i64(work->body, "version", true, 1, INT32_MAX, &version, work->p));
    note_version(work, version);
    CN_TRY(cn_db_exec(work->conn, &changed,
                      "UPDATE requests SET report_unread = 0 WHERE id = $1 AND report_unread > 0 AND report_unread <= "
                      "$2",
                      cn_text(work->scope.id), cn_int(version)));
    work->tell = changed > 0;
    return CN_OK;
}

cn_err cn_report_seen(cn_consult *consult, const cn_actor *actor, const char *request, const json_t *body,
                      cn_answer *answer, cn_problem *problem)
{
    report_act work = {.c = consult, .a = actor, .body = body, .p = problem};
    return act_on(&work, do_seen, "report.seen", request, answer);
}

/* ---- giving an amendment up ---- */

static cn_err do_discard(report_act *work)
{
    newest last;
    int64_t changed = 0;
    CN_TRY(may_draft(work));
    CN_TRY(load_seen(work, "give up", &last));
    if (last.version == 1)
        return cn_problem_set(work->p, CN_ERR_STATE, "report", "only an amendment of a signed report can be given up");
    CN_TRY(cn_db_exec(work->conn, &changed,
                      "DELETE FROM reports WHERE request_id = $1 AND version = $2 AND revision = $3 AND signed_ms = 0",
                      cn_text(work->scope.id), cn_int(last.version), cn_int(last.revision)));
    if (changed != 1) return stale(work);
    return cn_db_exec(work->conn, NULL, "UPDATE requests SET report_revision = $1 WHERE id = $2",
                      cn_int(last.revision + 1), cn_text(work->scope.id));
}

cn_err cn_report_discard(cn_consult *consult, const cn_actor *actor, const char *request, const json_t *body,
                         cn_answer *answer, cn_problem *problem)
{
    report_act work = {.c = consult, .a = actor, .body = body, .p = problem};
    return act_on(&work, do_discard, "report.discard", request, answer);
}

/* ---- opinions, record ---- */

static cn_err do_opinion(report_act *work)
{
    const char *text = NULL;
    char id[CN_ID_TEXT];
    CN_TRY(step(work, "opinion", ""));
    CN_TRY(cn_typed_sent(work->conn, work->a, work->scope.id, CN_TYPED_OPINION, work->body, work->p));
    CN_TRY(cn_json_str(work->body, "text", true, 1, TEXT_MAX, &text, work->p));
    cn_id_new(id);
    return cn_db_exec(work->conn, NULL,
                      "INSERT INTO opinions (id, request_id, author_id, opinion, signed_ms) VALUES ($1, $2, $3, $4, "
                      "$5)",
                      cn_text(id), cn_text(work->scope.id), cn_text(work->a->user), cn_text(text),
                      cn_int(cn_wall_ms()));
}

cn_err cn_opinion_add(cn_consult *consult, const cn_actor *actor, const char *request, const json_t *body,
                      cn_answer *answer, cn_problem *problem)
{
    report_act work = {.c = consult, .a = actor, .body = body, .p = problem};
    return act_on(&work, do_opinion, "opinion.sign", request, answer);
}

static cn_err do_record(report_act *work)
{
    const char *text = NULL;
    CN_TRY(step(work, "record", ""));
    CN_TRY(cn_typed_sent(work->conn, work->a, work->scope.id, CN_TYPED_RECORD, work->body, work->p));
    CN_TRY(cn_json_str(work->body, "text", true, 1, TEXT_MAX, &text, work->p));
    return cn_db_exec(work->conn, NULL, "UPDATE requests SET record = $1 WHERE id = $2", cn_text(text),
                      cn_text(work->scope.id));
}

cn_err cn_record_set(cn_consult *consult, const cn_actor *actor, const char *request, const json_t *body,
                     cn_answer *answer, cn_problem *problem)
{
    report_act work = {.c = consult, .a = actor, .body = body, .p = problem};
    return act_on(&work, do_record, "record.write", request, answer);
}
