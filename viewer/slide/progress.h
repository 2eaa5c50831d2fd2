/* How far helpers are that make something of a file for minutes: each says it in the first byte of a file of its own.
 * Any thread. */
#ifndef CN_VIEWER_PROGRESS_H
#define CN_VIEWER_PROGRESS_H

#define CN_PROGRESS_NAME "progress" /* in the folder that the helper works in */

/** `id`'s helper says it in `path` from now on, until the end. More than a few at a time are not followed. */
void cn_progress_begin(const char *id, const char *path);
void cn_progress_end(const char *id);
/** In hundredths; -1: nobody works on it here. */
int cn_progress_of(const char *id);

#endif
