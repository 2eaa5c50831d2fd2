/* What room.join and room.offer are called with. Pure. */
#ifndef CN_SIGNALING_LIVE_PARAMS_H
#define CN_SIGNALING_LIVE_PARAMS_H

#include <jansson.h>

#include "base/err.h"
#include "consult/people/accounts.h"
#include "media/kinds.h"

/** The same account is in the room already: both stay, the client is told, or the other one goes. */
typedef enum cn_elsewhere { CN_ELSEWHERE_BESIDE, CN_ELSEWHERE_ASK, CN_ELSEWHERE_MOVE } cn_elsewhere;

typedef struct cn_join_params {
    char room[64], resume[CN_SESSION_TOKEN]; /* resume "": a new participant */
    char former[CN_SESSION_TOKEN];           /* of a stay of the same page that is given up, if it is still there */
    cn_elsewhere elsewhere;
} cn_join_params;

/** CN_ERR_INVALID with the field's name, CN_ERR_NOTFOUND for a name that no room has. */
cn_err cn_join_params_read(const json_t *params, cn_join_params *out, cn_problem *problem);

typedef struct cn_offer_params {
    char *sdp; /* at most 200 KiB, not looked at yet */
    cn_section *sections;
    size_t count;
} cn_offer_params;

/** The caller frees `out` also after an error. CN_ERR_INVALID with the field's name, CN_ERR_NOMEM. */
cn_err cn_offer_params_read(const json_t *params, cn_offer_params *out, cn_problem *problem);
void cn_offer_params_free(cn_offer_params *params);

#endif
