/* Picture areas and tiers: REQUIREMENTS §14 rule 3, bounds inclusive. */
#ifndef CN_MEDIA_TIER_H
#define CN_MEDIA_TIER_H

#include <stdbool.h>
#include <stdint.h>

#include "media/media.h"

/** ≤0 voice, ≤307,200 SD, ≤921,600 HD, ≤2,073,600 super-HD, ≤3,686,400 2K, above 4K. */
cn_tier cn_tier_of_area(int64_t area);

/** Largest area that a tier allows; INT64_MAX for 4K, 0 for voice. */
int64_t cn_tier_area_max(cn_tier tier);

/** "voice", "sd", "hd", "super_hd", "2k", "4k"; "" outside. */
const char *cn_tier_name(cn_tier tier);

/** The tier of a name; false when there is none. */
bool cn_tier_parse(const char *name, cn_tier *out);

#endif
