#include "media/room/peer_offer.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "media/forward/slot.h"
#include "media/room/source_impl.h"

#define FINGERPRINT_TEXT 192 /* SHA-512: 64 pairs with colons */
#define CANDIDATES CN_PORT_CANDIDATES

static const char *const hash_names[] = {
    [CN_SDP_SHA256] = "sha-256", [CN_SDP_SHA384] = "sha-384", [CN_SDP_SHA512] = "sha-512"};

static void fingerprint_text(const cn_sdp *sdp, char out[FINGERPRINT_TEXT])
{
    static const char digits[] = "0123456789ABCDEF";
    size_t at = 0;
    for (size_t i = 0; i < sdp->fingerprint_len && at + 3 < FINGERPRINT_TEXT; i++) {
        if (i) out[at++] = ':';
        out[at++] = digits[sdp->fingerprint[i] >> 4];
        out[at++] = digits[sdp->fingerprint[i] & 15];
    }
    out[at] = 0;
}

/* Our own certificate's, as bytes. */
static bool fingerprint_bytes(const char *text, uint8_t out[32])
{
    char hex[65] = {0};
    size_t n = 0;
    for (; *text && n < 64; text++)
        if (*text != ':') hex[n++] = *text;
    return cn_unhex(hex, out, 32);
}

/* Who begins the DTLS handshake stays as it is for the life of the association (RFC 8842 §5.5). */
static cn_err set_role(cn_peer *peer, const cn_sdp *sdp, bool first, cn_problem *problem)
{
    if (first && sdp->setup == CN_SDP_PASSIVE) cn_transport_begins(peer->line.transport);
    bool client = cn_transport_is_client(peer->line.transport);
    if (sdp->setup == (client ? CN_SDP_ACTIVE : CN_SDP_PASSIVE))
        return cn_problem_set(problem, CN_ERR_INVALID, "offer", "a=setup would turn the roles of DTLS round");
    return CN_OK;
}

static cn_err set_remote(cn_peer *peer, const cn_sdp *sdp, cn_problem *problem)
{
    bool first = !peer->agreed.remote_ufrag[0];
    CN_TRY(set_role(peer, sdp, first, problem));
    if (!first && strcmp(peer->agreed.remote_ufrag, sdp->ufrag) == 0) return CN_OK;
    fingerprint_text(sdp, peer->agreed.fingerprint);
    peer->agreed.fingerprint_alg = hash_names[sdp->hash];
    if (!first) CN_TRY(cn_transport_restart(peer->line.transport));
    cn_err err = cn_transport_remote(peer->line.transport, sdp->ufrag, sdp->pwd, peer->agreed.fingerprint_alg,
                                     peer->agreed.fingerprint);
    if (err)
        return cn_problem_set(problem, CN_ERR_INVALID, "offer",
                              "the offer's ICE credentials or fingerprint cannot be used");
    (void)cn_strcpy(peer->agreed.remote_ufrag, sizeof peer->agreed.remote_ufrag, sdp->ufrag);
    return CN_OK;
}

static void remove_source(cn_peer *peer, size_t index)
{
    cn_source_free(peer->sources[index]);
    peer->sources[index] = peer->sources[--peer->source_count];
}

static bool source_as_before(const cn_source *source, const cn_sdp_section *section, const cn_sdp_codec *codec)
{
    const cn_sdp_codec *red = cn_plan_red(section, codec);
    return codec && strcmp(source->mid, section->mid) == 0 && source->pt == codec->pt &&
           source->rtx_pt == codec->rtx_pt && source->red_pt == (red ? red->pt : CN_SDP_NO_PT) &&
           source->layers == (source->video ? cn_source_layer_count(section) : 1);
}

static cn_err apply_source(cn_peer *peer, const cn_plan_section *plan)
{
    size_t i = 0;
    while (i < peer->source_count && peer->sources[i]->kind != plan->source) i++;
    bool wanted = plan->accept && (plan->offer->dir & CN_SDP_SENDONLY);
    cn_source_ssrcs known = {0};
    if (i < peer->source_count) {
        if (wanted && source_as_before(peer->sources[i], plan->offer, plan->codec)) return CN_OK;
        if (strcmp(peer->sources[i]->mid, plan->offer->mid) == 0) known = cn_source_known(peer->sources[i]);
        remove_source(peer, i);
    }
    if (!wanted) return CN_OK;
    cn_source *source = NULL;
    if (peer->source_count == CN_PEER_SOURCES) return CN_ERR_INVALID;
    CN_TRY(cn_source_new(&source, &peer->line, peer->room, plan->source, plan->offer, plan->codec));
    peer->sources[peer->source_count++] = source;
    cn_source_inherit(source, &known);
    if (!(source->video ? peer->may_video : peer->may_audio)) cn_source_switch(source, false);
    return CN_OK;
}

static cn_slot *slot_of(const cn_peer *peer, const char *mid)
{
    for (size_t i = 0; i < peer->line.slot_count; i++)
        if (strcmp(peer->line.slots[i]->mid, mid) == 0) return peer->line.slots[i];
    return NULL;
}

static cn_err apply_slot(cn_peer *peer, const cn_plan_section *plan)
{
    cn_slot *slot = slot_of(peer, plan->offer->mid);
    if (!plan->accept) {
        if (slot) slot->active = false;
        if (slot) cn_slot_bind(slot, NULL);
        return CN_OK;
    }
    if (!slot) {
        bool video = plan->offer->kind == CN_SDP_VIDEO;
        unsigned *count = video ? &peer->video_slots : &peer->audio_slots;
        if (peer->line.slot_count == CN_MEDIA_SLOTS) return CN_ERR_FULL;
        CN_TRY(cn_slot_new(&slot, &peer->line, plan->offer->mid, video, *count));
        (*count)++;
        peer->line.slots[peer->line.slot_count++] = slot;
    }
    cn_slot_negotiate(slot, plan->offer);
    return CN_OK;
}

/* A source whose section vanished from the offer, or became something else. */
static void drop_vanished(cn_peer *peer, const cn_plan *plan)
{
    for (size_t i = 0; i < peer->source_count;) {
        bool there = false;
        for (size_t k = 0; k < plan->count; k++)
            there = there || (plan->sections[k].source == peer->sources[i]->kind && plan->sections[k].accept);
        if (there)
            i++;
        else
            remove_source(peer, i);
    }
}

static bool reads_descriptors(const cn_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        if (plan->sections[i].accept && plan->sections[i].offer->ext_receives & CN_RTP_EXT_BIT(CN_RTP_EXT_DEPENDENCY))
            return true;
    return false;
}

/* A refused or stopped section says nothing of a source that another section is (RFC 3264 §6). */
static bool accepted_elsewhere(const cn_plan *plan, cn_source_kind source)
{
    for (size_t i = 0; source != CN_SOURCE_NONE && i < plan->count; i++)
        if (plan->sections[i].accept && plan->sections[i].source == source) return true;
    return false;
}

static cn_err apply(cn_peer *peer, const cn_sdp *sdp, const cn_plan *plan)
{
    peer->line.exts = sdp->exts;
    peer->line.reads_descriptors = reads_descriptors(plan);
    (void)cn_strcpy(peer->agreed.first_media, sizeof peer->agreed.first_media, sdp->sections[0].media);
    (void)cn_strcpy(peer->agreed.first_mid, sizeof peer->agreed.first_mid, sdp->sections[0].mid);
    drop_vanished(peer, plan);
    for (size_t i = 0; i < plan->count; i++) {
        const cn_plan_section *section = &plan->sections[i];
        if (!section->accept && accepted_elsewhere(plan, section->source)) continue;
        CN_TRY(section->source == CN_SOURCE_NONE ? apply_slot(peer, section) : apply_source(peer, section));
    }
    return CN_OK;
}

static size_t candidates(const cn_peer *peer, cn_candidate *held, cn_sdp_candidate *out)
{
    size_t n = cn_port_candidates(peer->line.worker->port, held, CANDIDATES);
    if (n > CANDIDATES) n = CANDIDATES;
    for (size_t i = 0; i < n; i++)
        out[i] = (cn_sdp_candidate){.address = held[i].address, .port = held[i].port, .tcp = held[i].tcp};
    return n;
}

typedef struct labels {
    char stream[CN_MEDIA_ID + 8], track[CN_MEDIA_ID + 8];
} labels;

static bool retransmits(const cn_slot *slot)
{
    for (size_t i = 0; i < slot->format_count; i++)
        if (slot->formats[i].rtx_pt != CN_SDP_NO_PT) return true;
    return false;
}

/* Audio slot 0 and video slot 0 share a stream: browsers lip-sync one pair of each. */
static void answer_slot(const cn_slot *slot, cn_sdp_answer_section *out, labels *tags)
{
    (void)cn_fmt(tags->stream, sizeof tags->stream, slot->index ? "s-%s" : "main", slot->mid);
    (void)cn_fmt(tags->track, sizeof tags->track, "t-%s", slot->mid);
    out->stream = tags->stream;
    out->track = tags->track;
    out->cname = "consilium";
    out->ssrc = slot->ssrc;
    out->rtx_ssrc = retransmits(slot) ? slot->rtx_ssrc : 0; /* a FID group names two flows: RFC 4588 §8 */
}

typedef struct answer_parts {
    cn_sdp_answer_section sections[CN_PLAN_SECTIONS];
    labels labels[CN_PLAN_SECTIONS];
    cn_candidate held[CANDIDATES];
    cn_sdp_candidate candidates[CANDIDATES];
    uint8_t fingerprint[32];
} answer_parts;

static cn_err write_answer(cn_peer *peer, const cn_sdp *sdp, const cn_plan *plan, cn_buf *out)
{
    CN_AUTO_FREE answer_parts *parts = CN_NEW(answer_parts);
    if (!parts) return CN_ERR_NOMEM;
    for (size_t i = 0; i < plan->count; i++) {
        const cn_plan_section *section = &plan->sections[i];
        cn_plan_answer(section, &parts->sections[i]);
        if (section->accept && section->source == CN_SOURCE_NONE)
            answer_slot(slot_of(peer, section->offer->mid), &parts->sections[i], &parts->labels[i]);
    }
    cn_sdp_answer answer = {.offer = sdp,
                            .session_id = peer->agreed.session,
                            .version = ++peer->agreed.version,
                            .fingerprint = parts->fingerprint,
                            .dtls_client = cn_transport_is_client(peer->line.transport),
                            .mux_only = peer->kind != CN_PEER_APP,
                            .candidates = parts->candidates,
                            .candidate_count = candidates(peer, parts->held, parts->candidates),
                            .sections = parts->sections,
                            .section_count = plan->count};
    cn_transport_credentials(peer->line.transport, &answer.ufrag, &answer.pwd);
    if (!fingerprint_bytes(cn_identity_fingerprint(peer->line.worker->identity), parts->fingerprint))
        return CN_ERR_CRYPTO;
    return cn_sdp_answer_write(&answer, out);
}

cn_err cn_peer_negotiate(cn_peer *peer, const char *offer, const cn_offerer *who, cn_buf *answer, cn_problem *problem)
{
    cn_sdp *sdp = NULL;
    CN_AUTO_FREE cn_plan *plan = CN_NEW(cn_plan);
    if (!plan) return CN_ERR_NOMEM;
    CN_TRY(cn_sdp_parse(&sdp, offer, strlen(offer), problem));
    cn_err err = cn_plan_make(plan, sdp, who, problem);
    if (!err) err = set_remote(peer, sdp, problem);
    if (!err) err = apply(peer, sdp, plan);
    if (!err) err = write_answer(peer, sdp, plan, answer);
    cn_sdp_free(sdp);
    return err;
}

cn_err cn_peer_restart(cn_peer *peer, const char *fragment, cn_buf *answer, cn_problem *problem)
{
    cn_sdp_frag frag;
    CN_TRY(cn_sdp_frag_parse(fragment, strlen(fragment), &frag, problem));
    if (!frag.ufrag[0] || !frag.pwd[0])
        return cn_problem_set(problem, CN_ERR_INVALID, "", "the fragment has no ICE credentials");
    if (strcmp(frag.ufrag, peer->agreed.remote_ufrag) != 0) {
        CN_TRY(cn_transport_restart(peer->line.transport));
        CN_TRY(cn_transport_remote(peer->line.transport, frag.ufrag, frag.pwd, peer->agreed.fingerprint_alg,
                                   peer->agreed.fingerprint));
        (void)cn_strcpy(peer->agreed.remote_ufrag, sizeof peer->agreed.remote_ufrag, frag.ufrag);
    }
    cn_candidate held[CANDIDATES];
    cn_sdp_candidate list[CANDIDATES];
    size_t n = candidates(peer, held, list);
    const char *ufrag = NULL, *pwd = NULL;
    cn_transport_credentials(peer->line.transport, &ufrag, &pwd);
    return cn_sdp_frag_write(ufrag, pwd, peer->agreed.first_media, peer->agreed.first_mid, list, n, answer);
}
