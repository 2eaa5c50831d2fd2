/* Writes DICOM files: Explicit VR Little Endian with its meta information (PS3.10 §7, PS3.5 §7.1.2). */
#ifndef CN_VIEWER_DEMO_DICOM_PART10_H
#define CN_VIEWER_DEMO_DICOM_PART10_H

#include <stdint.h>

#include "base/str.h"

#define CN_SET_MAX 128 /* elements of a data set at most */

/** A data set; zero-initialise. Elements may be added in any order, each once; a failure sticks in `err`. */
typedef struct cn_set {
    struct {
        uint32_t tag;
        cn_buf bytes;
    } element[CN_SET_MAX];
    unsigned count;
    cn_err err;
} cn_set;

/** A value of a VR that is text (PS3.5 §6.2), or a UID: padded to even length. */
void cn_set_text(cn_set *set, uint32_t tag, const char *vr, const char *value);
/** A number written as text with at most 16 characters (DS, IS). */
void cn_set_number(cn_set *set, uint32_t tag, const char *vr, double value);
void cn_set_us(cn_set *set, uint32_t tag, uint16_t value);
void cn_set_ul(cn_set *set, uint32_t tag, uint32_t value);
void cn_set_fd(cn_set *set, uint32_t tag, double value);
void cn_set_at(cn_set *set, uint32_t tag, uint32_t value);
/** Bytes as they are: "OB" or "OW", of even length. */
void cn_set_bytes(cn_set *set, uint32_t tag, const char *vr, const void *bytes, size_t len);
/** One more item of a sequence, the first of which makes it; `item` is emptied. NULL: a sequence without items. */
void cn_set_item(cn_set *set, uint32_t tag, cn_set *item);

/** Writes the file; its class and UID are taken as given. CN_ERR_IO, CN_ERR_NOMEM. The set stays. */
cn_err cn_set_write(cn_set *set, const char *path, const char *sop_class, const char *instance);
/** Frees and zeroes. */
void cn_set_clear(cn_set *set);

#endif
