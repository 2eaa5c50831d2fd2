#include "base/log.h"
#include "storage/db/backend.h"

cn_err cn_db_failed(cn_err err, const char *where, const char *sql, const char *why)
{
    cn_log_level level = err == CN_ERR_CONFLICT || err == CN_ERR_AGAIN ? CN_LOG_DEBUG : CN_LOG_ERROR;
    cn_log(level, where, "%s: %s (%.200s)", cn_err_name(err), why, sql);
    return err;
}
