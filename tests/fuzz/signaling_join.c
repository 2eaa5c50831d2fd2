/* Any JSON as the parameters of room.join and room.offer. */
// covers: signaling/live/params.c
#include <stdint.h>
#include <string.h>

#include "base/json.h"
#include "input.h"
#include "signaling/live/params.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void join(const json_t *params)
{
    cn_problem problem = {.err = CN_OK};
    cn_join_params join;
    cn_err err = cn_join_params_read(params, &join, &problem);
    if (err != CN_OK) {
        must(err == CN_ERR_INVALID || err == CN_ERR_NOTFOUND);
        return;
    }
    must(*join.room && strlen(join.room) < sizeof join.room && !strpbrk(join.room, "/. \n"));
    must(strlen(join.resume) < sizeof join.resume && strlen(join.former) < sizeof join.former);
    must(join.elsewhere <= CN_ELSEWHERE_MOVE);
}

static void offer(const json_t *params)
{
    cn_problem problem = {.err = CN_OK};
    cn_offer_params offer;
    if (cn_offer_params_read(params, &offer, &problem) == CN_OK) {
        must(*offer.sdp && offer.count >= 1 && offer.count <= 128);
        for (size_t i = 0; i < offer.count; i++) {
            const cn_section *section = &offer.sections[i];
            must(*section->mid && memchr(section->mid, 0, sizeof section->mid) && section->source <= CN_SOURCE_DEVICE);
        }
    }
    cn_offer_params_free(&offer);
    must(!offer.sdp && !offer.sections);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cn_problem problem = {.err = CN_OK};
    json_t *params = NULL;
    if (cn_json_object(&params, size ? (const char *)data : "", size, &problem) != CN_OK) return 0;
    offer(params);
    join(params);
    json_decref(params);
    return 0;
}
