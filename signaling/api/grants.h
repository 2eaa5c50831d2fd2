/* Who may see which slide, remembered for a moment: a page asks for hundreds of tiles. Any thread. */
#ifndef CN_SIGNALING_GRANTS_H
#define CN_SIGNALING_GRANTS_H

#include "consult/actor.h"

typedef struct cn_grant {
    char user[CN_ID_TEXT], file[CN_ID_TEXT];
    uint64_t until_ms;
    char path[512], etag[65];
} cn_grant;

/** What is remembered of this actor and file, not older than two seconds. */
bool cn_grant_find(const cn_actor *actor, const char *file, cn_grant *out);
/** Remembers `ticket`, whose file, path and etag are set, as this actor's from now on. */
void cn_grant_keep(const cn_actor *actor, cn_grant *ticket);

#endif
