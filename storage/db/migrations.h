/* The schema's steps, embedded at build time from storage/migrations. */
#ifndef CN_STORAGE_MIGRATIONS_H
#define CN_STORAGE_MIGRATIONS_H

/* Sorted by name: NNN_what.sql runs on both databases, then NNN_what.sqlite.sql or NNN_what.pg.sql where present. Ends
 * with {NULL, NULL}. */
typedef struct cn_migration_file {
    const char *name;
    const char *sql;
} cn_migration_file;

extern const cn_migration_file cn_migration_files[];

#endif
