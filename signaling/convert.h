/* What is done with uploaded files: a look before they are taken; in the background documents become PDFs, and slides
 * are opened once to see whether they can be. */
#ifndef CN_SIGNALING_CONVERT_H
#define CN_SIGNALING_CONVERT_H

#include "consult/file/file.h"
#include "viewer/slide/slides.h"

#define CN_CONVERTERS 2 /* so that a small document need not wait for somebody else's large one */

/** Whose files are being converted, and which were tried in vain: shared by CN_CONVERTERS threads. */
typedef struct cn_convert_line cn_convert_line;

cn_err cn_convert_line_new(cn_convert_line **out);
void cn_convert_line_free(cn_convert_line *line);

/**
 * Works on every file that waits, one of each person at a time, in the order of cn_file_waiting. `scratch`: a folder for temporary files. Blocks. Ends early with
 * CN_ERR_CLOSED when `stop_fd` can be read, and when disk or database fail: what was not finished still waits then. A
 * file whose helper dies is "stuck" and keeps nobody (cn_file_retry); the third time it is taken for bad.
 */
cn_err cn_convert_waiting(cn_convert_line *line, cn_consult *consult, cn_slides *slides, const char *scratch,
                          int stop_fd);

/** The same for slides that lack levels and for plain pictures that are to be slides: what they lack is made, minutes each, in a thread of
 * its own, so that no document waits for a slide. */
cn_err cn_convert_levels(cn_consult *consult, cn_slides *slides, const char *scratch, int stop_fd);

/**
 * Whether anybody could open the file that arrived at `path`: CN_ERR_INVALID and what is wrong with it when nobody
 * could. What cannot be told within seconds passes. Blocks.
 */
cn_err cn_convert_look(const char *path, const char *type, const char *scratch, cn_problem *problem);

#endif
