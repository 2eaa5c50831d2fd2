/* The schema's steps, embedded at build time from storage/migrations. */
#ifndef CN_STORAGE_MIGRATIONS_H
#define CN_STORAGE_MIGRATIONS_H

#include "storage/db/db.h"

/* Sorted by name: NNN_what.sql runs on both databases, then NNN_what.sqlite.sql or NNN_what.pg.sql where present. Ends
 * with {NULL, NULL}. */
typedef struct cn_migration_file {
    const char *name;
    const char *sql;
} cn_migration_file;

extern const cn_migration_file cn_migration_files[];

/** Brings the schema up to the last of `files` (see README). CN_ERR_STATE when the database knows later steps. */
cn_err cn_migrations_apply(cn_conn *conn, const cn_migration_file *files);
/** `sql` with the word BLOB outside of strings and comments written as BYTEA. Caller frees; NULL when memory is out. */
char *cn_migrations_to_pg(const char *sql);

#endif
