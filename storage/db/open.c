/* Opening a database brings its schema up to the program's. */
#include "storage/db/db_private.h"
#include "storage/db/migrations.h"

static cn_err migrate(cn_db *db)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_TRY(cn_conn_acquire(db, &conn));
    return cn_migrations_apply(conn, cn_migration_files);
}

cn_err cn_db_open(cn_db **out, const char *url, unsigned connections)
{
    cn_db *db = NULL;
    CN_TRY(cn_db_new(&db, url, connections));
    cn_err err = migrate(db);
    if (err != CN_OK) {
        cn_db_close(db);
        return err;
    }
    *out = db;
    return CN_OK;
}
