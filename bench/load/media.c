#include "media.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "media/kinds.h"

static unsigned split(char *list, char **parts, unsigned max)
{
    unsigned n = 0;
    char *rest = NULL;
    for (char *part = strtok_r(list, ",", &rest); part; part = strtok_r(NULL, ",", &rest)) {
        if (n == max) return 0;
        parts[n++] = part;
    }
    return n;
}

static bool files_open(media *plane, unsigned fps, play_options *play, scene_options *wanted)
{
    char *path[RTC_LAYERS] = {0};
    unsigned n = split(plane->list, path, RTC_LAYERS);
    if (!n) fprintf(stderr, "load: --media wants one to %d files\n", RTC_LAYERS);
    for (unsigned i = 0; i < n; i++) {
        unsigned layer = n == 1 ? RTC_LAYERS - 1 : i;
        footage *clip = &plane->layer[layer];
        cn_err err = footage_open(clip, path[i], fps);
        if (!err && i && clip->codec != play->shape.codec) err = CN_ERR_UNSUPPORTED;
        if (err) fprintf(stderr, "load: %s: %s\n", path[i], cn_err_text(err));
        if (err) return false;
        play->shape.codec = clip->codec;
        play->shape.footage[layer] = clip;
        play->shape.layer[layer] = (crowd_layer_shape){.width = clip->width, .height = clip->height};
        wanted->width = clip->width;
        wanted->height = clip->height;
    }
    wanted->layers = n;
    return n > 0;
}

static bool tiers_read(media *plane, scene_options *wanted)
{
    char *name[MEDIA_TIERS] = {0};
    cn_tier tier;
    unsigned n = split(plane->tiers, name, MEDIA_TIERS);
    for (unsigned i = 0; i < n; i++) {
        plane->tier[i] = name[i];
        if (!cn_tier_parse(name[i], &tier)) n = 0;
    }
    if (!n) fprintf(stderr, "load: --tiers wants voice, sd, hd, super_hd, 2k or 4k, at most %d of them\n", MEDIA_TIERS);
    wanted->tiers = plane->tier;
    wanted->tiers_n = n;
    return n > 0;
}

bool media_open(media *plane, const char *files, const char *tiers, unsigned fps, play_options *play,
                scene_options *wanted)
{
    *plane = (media){.list = cn_strdup(files), .tiers = cn_strdup(tiers)};
    if (!plane->list || (tiers && !plane->tiers)) return false;
    return files_open(plane, fps, play, wanted) && (!tiers || tiers_read(plane, wanted));
}

void media_close(media *plane)
{
    for (unsigned i = 0; i < RTC_LAYERS; i++) footage_free(&plane->layer[i]);
    free(plane->list);
    free(plane->tiers);
    *plane = (media){0};
}
