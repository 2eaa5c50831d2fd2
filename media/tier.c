#include "media/tier.h"

#include <string.h>

static const struct {
    const char *name;
    int64_t area_max;
} tiers[] = {
    [CN_TIER_VOICE] = {"voice", 0}, [CN_TIER_SD] = {"sd", 307200},
    [CN_TIER_HD] = {"hd", 921600},  [CN_TIER_SUPER_HD] = {"super_hd", 2073600},
    [CN_TIER_2K] = {"2k", 3686400}, [CN_TIER_4K] = {"4k", INT64_MAX},
};
#define TIERS (sizeof tiers / sizeof tiers[0])

cn_tier cn_tier_of_area(int64_t area)
{
    size_t t = 0;
    while (area > tiers[t].area_max) t++;
    return (cn_tier)t;
}

int64_t cn_tier_area_max(cn_tier tier)
{
    return (size_t)tier < TIERS ? tiers[tier].area_max : 0;
}

const char *cn_tier_name(cn_tier tier)
{
    return (size_t)tier < TIERS ? tiers[tier].name : "";
}

bool cn_tier_parse(const char *name, cn_tier *out)
{
    for (size_t t = 0; t < TIERS; t++) {
        if (strcmp(name, tiers[t].name) != 0) continue;
        *out = (cn_tier)t;
        return true;
    }
    return false;
}
