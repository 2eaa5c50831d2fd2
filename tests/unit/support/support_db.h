/*
 * Databases for tests: each call gives an empty one, SQLite in a file of its own or PostgreSQL in a schema of its own.
 * The first call for PostgreSQL sets up a server that only this test program uses (unix socket, temporary folder, fsync
 * on); it ends with the program. Link: tests/unit/support is compiled into the tests of storage, viewer, consult and
 * signaling.
 */
#ifndef CN_SUPPORT_DB_H
#define CN_SUPPORT_DB_H

#include <sys/types.h>

#include "storage/db/backend.h"

/** URL of a new, empty database for cn_db_open; aborts with a message when there is none. Borrowed until the program
 * ends. */
const char *support_db_url(cn_db_kind kind);

/** A folder for the test's files, removed at the end of the program. */
const char *support_dir(void);

/** The test's PostgreSQL server, started when it is not running yet: its process, and stopping and starting it again.
 */
pid_t support_pg_pid(void);
void support_pg_kill(int sig);
void support_pg_restart(void);

/* Every database test runs twice: CN_DB_TESTS(test_x) gives test_x_sqlite and test_x_pg for cmocka's table. */
#define SUPPORT_DB_STATE(k) ((void *)(intptr_t)(k))
#define CN_DB_TESTS(fn)                                              \
    {#fn " sqlite", fn, NULL, NULL, SUPPORT_DB_STATE(CN_DB_SQLITE)}, \
    {                                                                \
#fn " pg", fn, NULL, NULL, SUPPORT_DB_STATE(CN_DB_POSTGRES)  \
    }
#define SUPPORT_DB_KIND(state) ((cn_db_kind)(intptr_t) * (state))

#endif
