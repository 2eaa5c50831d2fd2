/* Names as archives have them. Pure, but for the C library's converter of GB 18030. */
#ifndef CN_VIEWER_NAMES_H
#define CN_VIEWER_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#define CN_NAME_BYTES 1024 /* of a path as UTF-8, with its end */

typedef enum cn_name_kind {
    CN_NAME_FILE,
    CN_NAME_FOLDER,  /* it ends with a slash */
    CN_NAME_OUTSIDE, /* absolute, with a drive's letter, or with ".." in it: it leads out of where it is unpacked */
    CN_NAME_BAD, /* empty, longer than CN_NAME_BYTES or its part than 255 bytes, control characters, or neither UTF-8
                        nor GB 18030 */
} cn_name_kind;

/**
 * The name of an entry as a UTF-8 path "a/b/c": without "." and empty parts, backslashes (Windows' older programs) as
 * slashes. The bytes are UTF-8, or GB 18030 where they are not. `out` is set for CN_NAME_FILE and CN_NAME_FOLDER only.
 */
cn_name_kind cn_name_read(const char *bytes, size_t len, char out[CN_NAME_BYTES]);

/** Whether `len` bytes of any encoding are one name in a folder: 1…255 bytes without slashes, backslashes and control
 * characters, and neither "." nor "..". */
bool cn_name_is_plain(const char *bytes, size_t len);

/** What systems and unpackers put beside the files: ".DS_Store", "__MACOSX/…", "Thumbs.db", any hidden file. */
bool cn_name_is_litter(const char *path);

#endif
