#include "media/wire/codec.h"

#include <string.h>
#include <strings.h>

static const char *const names[CN_CODEC_COUNT] = {[CN_CODEC_OTHER] = "",
#define X(name, text, clock) [CN_CODEC_##name] = text,
                                                  CN_CODEC_TABLE(X)
#undef X
};

const char *cn_codec_name(cn_codec codec)
{
    return (unsigned)codec < CN_CODEC_COUNT ? names[codec] : "";
}

cn_codec cn_codec_parse(const char *name, size_t len, int video)
{
    for (int i = CN_CODEC_OTHER + 1; i < CN_CODEC_COUNT; i++) {
        if (strlen(names[i]) != len || strncasecmp(names[i], name, len) != 0) continue;
        if (i == CN_CODEC_AUDIO_RED && video) continue;
        return (cn_codec)i;
    }
    return CN_CODEC_OTHER;
}
