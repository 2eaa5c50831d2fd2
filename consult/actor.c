#include "consult/actor.h"

#include "base/str.h"

static const char *const right_names[] = {
#define X(id, name, what) name,
    CN_RIGHT_TABLE(X)
#undef X
};

const char *cn_right_name(cn_right right)
{
    return (unsigned)right < CN_RIGHT_COUNT ? right_names[right] : "";
}

cn_actor cn_actor_system(void)
{
    cn_actor actor = {.rights = (1u << CN_RIGHT_COUNT) - 1};
    cn_strcpy(actor.user, sizeof(actor.user), "system");
    return actor;
}
