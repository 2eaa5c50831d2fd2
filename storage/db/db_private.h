/* What migrations.c, open.c and tests may do with a pool besides db.h. */
#ifndef CN_STORAGE_DB_PRIVATE_H
#define CN_STORAGE_DB_PRIVATE_H

#include "storage/db/backend.h"
#include "storage/db/db.h"

/** The pool alone: no connection is made yet, and nobody looks at the schema. */
cn_err cn_db_new(cn_db **out, const char *url, unsigned connections);

/** How long to wait for a connection and for other writers instead of 5 s; for tests, before threads use the pool. */
void cn_db_set_wait(cn_db *db, unsigned ms);
/** How long a connection in use may keep what it read, instead of a minute; for tests, likewise. */
void cn_db_set_rest(cn_db *db, unsigned ms);
/** Several statements without parameters, on a connection of the pool. */
cn_err cn_db_script(cn_conn *conn, const char *sql);
const cn_backend *cn_conn_backend(const cn_conn *conn);
void *cn_conn_raw(const cn_conn *conn);

#endif
