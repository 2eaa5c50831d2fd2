/* A ZIP through libarchive: what is in it, and a slide's parts out of it. Trusts nothing that it reads. */
#ifndef CN_UNPACKER_ARCHIVE_H
#define CN_UNPACKER_ARCHIVE_H

#include <stdint.h>

#include "base/err.h"
#include "viewer/parts/plan.h"

/**
 * Reads the list of entries and the key file, and looks whether each part can be read at all. `max`: bytes that may be
 * unpacked; also bounded by 200 times the ZIP's own length. CN_ERR_INVALID with the refusal, CN_ERR_NOMEM, CN_ERR_IO.
 * Caller frees *out.
 */
cn_err cn_archive_plan(const char *zip, int64_t max, cn_parts **out, cn_zip_refusal *refusal);

/** Writes the parts of the plan into `dir`, which is there and empty, and not durable yet. Also CN_ERR_NOSPACE. */
cn_err cn_archive_unpack(const char *zip, int64_t max, const cn_parts *plan, const char *dir, cn_zip_refusal *refusal);

#endif
