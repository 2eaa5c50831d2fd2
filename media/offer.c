/* What others need to know of an offer before it is answered, as the answer will see it. */
#include <string.h>

#include "base/str.h"
#include "media/media.h"
#include "media/sdp/sdp.h"

_Static_assert(CN_OFFER_SECTIONS == CN_SDP_SECTIONS && CN_MEDIA_ID == CN_SDP_MID, "an offer that is read fits");

void cn_media_offer_look(const char *offer, cn_offer_look *out)
{
    cn_sdp *sdp;
    out->count = 0;
    if (cn_sdp_parse(&sdp, offer, strlen(offer), NULL)) return;
    for (; out->count < sdp->section_count; out->count++) {
        const cn_sdp_section *section = &sdp->sections[out->count];
        cn_offer_section *seen = &out->sections[out->count];
        *seen = (cn_offer_section){.video = section->kind == CN_SDP_VIDEO,
                                   .sends = !section->disabled && (section->dir & CN_SDP_SENDONLY),
                                   .rids = (unsigned)(section->rid_count ? section->rid_count : section->sim_count)};
        (void)cn_strcpy(seen->mid, sizeof seen->mid, section->mid);
    }
    cn_sdp_free(sdp);
}
