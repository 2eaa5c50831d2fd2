#include "media.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "media/tier.h"

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

static bool files_open(media *m, unsigned fps, play_options *play, scene_options *wanted)
{
    char *path[CROWD_LAYERS] = {0};
    unsigned n = split(m->list, path, CROWD_LAYERS);
    if (!n) fprintf(stderr, "load: --media wants one to %d files\n", CROWD_LAYERS);
    for (unsigned i = 0; i < n; i++) {
        unsigned layer = n == 1 ? CROWD_LAYERS - 1 : i;
        footage *f = &m->layer[layer];
        cn_err err = footage_open(f, path[i], fps);
        if (!err && i && f->codec != play->shape.codec) err = CN_ERR_UNSUPPORTED;
        if (err) fprintf(stderr, "load: %s: %s\n", path[i], cn_err_text(err));
        if (err) return false;
        play->shape.codec = f->codec;
        play->shape.footage[layer] = f;
        play->shape.layer[layer] = (crowd_layer_shape){.width = f->width, .height = f->height};
        wanted->width = f->width;
        wanted->height = f->height;
    }
    wanted->layers = n;
    return n > 0;
}

static bool tiers_read(media *m, scene_options *wanted)
{
    char *name[MEDIA_TIERS] = {0};
    cn_tier tier;
    unsigned n = split(m->tiers, name, MEDIA_TIERS);
    for (unsigned i = 0; i < n; i++) {
        m->tier[i] = name[i];
        if (!cn_tier_parse(name[i], &tier)) n = 0;
    }
    if (!n) fprintf(stderr, "load: --tiers wants voice, sd, hd, super_hd, 2k or 4k, at most %d of them\n", MEDIA_TIERS);
    wanted->tiers = m->tier;
    wanted->tiers_n = n;
    return n > 0;
}

bool media_open(media *m, const char *files, const char *tiers, unsigned fps, play_options *play, scene_options *wanted)
{
    *m = (media){.list = cn_strdup(files), .tiers = cn_strdup(tiers)};
    if (!m->list || (tiers && !m->tiers)) return false;
    return files_open(m, fps, play, wanted) && (!tiers || tiers_read(m, wanted));
}

void media_close(media *m)
{
    for (unsigned i = 0; i < CROWD_LAYERS; i++) footage_free(&m->layer[i]);
    free(m->list);
    free(m->tiers);
    *m = (media){0};
}
