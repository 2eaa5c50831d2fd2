#include "media/kinds.h"

#include <string.h>

const uint32_t cn_media_delay_us[CN_MEDIA_DELAYS - 1] = {50,   100,   200,   500,   1000,  2000,
                                                         5000, 10000, 20000, 50000, 100000};

static const char *const source_names[] = {
    [CN_SOURCE_NONE] = "",         [CN_SOURCE_MIC] = "mic",       [CN_SOURCE_CAMERA] = "camera",
    [CN_SOURCE_SCREEN] = "screen", [CN_SOURCE_DEVICE] = "device",
};

const char *cn_source_name(cn_source_kind kind)
{
    return (unsigned)kind <= CN_SOURCE_DEVICE ? source_names[kind] : "";
}

cn_source_kind cn_source_parse(const char *name)
{
    for (int k = CN_SOURCE_MIC; k <= CN_SOURCE_DEVICE; k++)
        if (name && strcmp(source_names[k], name) == 0) return (cn_source_kind)k;
    return CN_SOURCE_NONE;
}

static const struct {
    const char *name;
    int64_t area_max;
} tiers[] = {
    [CN_TIER_VOICE] = {"voice", 0}, [CN_TIER_SD] = {"sd", 307200},
    [CN_TIER_HD] = {"hd", 921600},  [CN_TIER_SUPER_HD] = {"super_hd", 2073600},
    [CN_TIER_2K] = {"2k", 3686400}, [CN_TIER_4K] = {"4k", INT64_MAX},
};
#define TIERS (sizeof tiers / sizeof tiers[0])

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

const char *cn_size_doubt_name(cn_size_doubt doubt)
{
    static const char *const names[] = {[CN_SIZE_BELIEVED] = "",
                                        [CN_SIZE_TOO_LARGE] = "too_large",
                                        [CN_SIZE_TOO_SMALL] = "too_small",
                                        [CN_SIZE_CONTRADICTED] = "contradicted"};
    return (unsigned)doubt <= CN_SIZE_CONTRADICTED ? names[doubt] : "";
}
