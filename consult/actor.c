#include "consult/actor.h"

#include "base/str.h"

static const char *const right_names[] = {
#define X(id, name, what) name,
    CN_RIGHT_TABLE(X)
#undef X
};

const char *cn_right_name(cn_right r)
{
    return (unsigned)r < CN_RIGHT_COUNT ? right_names[r] : "";
}

cn_actor cn_actor_system(void)
{
    cn_actor a = {.rights = (1u << CN_RIGHT_COUNT) - 1};
    cn_strcpy(a.user, sizeof(a.user), "system");
    return a;
}
