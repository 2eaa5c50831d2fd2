/* Log lines to standard error: time, level, folder, message. Never a name, phone, identity number, password or key. */
#ifndef CN_BASE_LOG_H
#define CN_BASE_LOG_H

typedef enum cn_log_level { CN_LOG_DEBUG, CN_LOG_INFO, CN_LOG_WARN, CN_LOG_ERROR } cn_log_level;

/** Lowest level that is written; default CN_LOG_INFO. Thread-safe. */
void cn_log_set_level(cn_log_level level);

/** Parses "debug", "info", "warn" or "error"; returns 0 on success, -1 otherwise. */
int cn_log_level_parse(const char *text, cn_log_level *out);

/** Writes one line, at most 1,000 bytes, control characters replaced. `where` is the module, e.g. "media.ice".
 * Thread-safe, one write(2). */
void cn_log(cn_log_level level, const char *where, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#define cn_debug(where, ...) cn_log(CN_LOG_DEBUG, where, __VA_ARGS__)
#define cn_info(where, ...) cn_log(CN_LOG_INFO, where, __VA_ARGS__)
#define cn_warn(where, ...) cn_log(CN_LOG_WARN, where, __VA_ARGS__)
#define cn_error(where, ...) cn_log(CN_LOG_ERROR, where, __VA_ARGS__)

#endif
