/* What a keymap is made of. Private to keymap.c and its test. */
#ifndef CN_MEDIA_KEYMAP_IMPL_H
#define CN_MEDIA_KEYMAP_IMPL_H

#include "media/transport/keymap.h"

typedef struct cn_keymap_bucket {
    cn_key key;
    void *value; /* NULL: free */
} cn_keymap_bucket;

struct cn_keymap {
    cn_keymap_bucket *buckets;
    size_t mask, count, max;
    uint64_t seed[3];
};

#endif
