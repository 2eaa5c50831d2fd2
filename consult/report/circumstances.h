/*
 * What stands around a report's text, on page and paper: for when the consultation was planned, when it took place, who
 * of its experts took part. A signature fixes it in `reports.circumstances`, so that a signed version says for ever what
 * was known when it was signed. Blocking: job threads only.
 */
#ifndef CN_CONSULT_CIRCUMSTANCES_H
#define CN_CONSULT_CIRCUMSTANCES_H

#include <jansson.h>

#include "storage/db/db.h"

/** `{scheduled_at, held: {started_at, ended_at, ongoing} or null, experts: [{id, name, title, hospital, lead,
 * took_part}]}` as it is at `now_ms`; new reference. Took part: was in the room during the session, by the ledger, or
 * signed the report or an opinion. */
cn_err cn_circumstances_now(cn_conn *conn, const char *request, int64_t now_ms, json_t **out);
/** The same as it was at a moment that is past: of a version that was signed before signatures fixed it. */
cn_err cn_circumstances_then(cn_conn *conn, const char *request, int64_t then_ms, json_t **out);

#endif
