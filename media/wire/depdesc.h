/*
 * The dependency descriptor (AV1 RTP specification, appendix A): which frame a packet belongs to, in which layer it is,
 * what it needs and for whom, without a look at the payload. Pure: any thread, no allocation.
 *
 *  |S|E| template  |         frame number          |    S, E: start and end of a frame; 3 bytes, always
 *  |T|A|D|F|C| [T: structure] [A: active targets] [D: DTIs] [F: frame differences] [C: chains] zero bits …
 */
#ifndef CN_MEDIA_DEPDESC_H
#define CN_MEDIA_DEPDESC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define CN_DD_TEMPLATES 64
#define CN_DD_TARGETS 32
#define CN_DD_FDIFFS 8  /* references of a frame at most: AV1 has 7 */
#define CN_DD_SPATIAL 4 /* layers of each kind at most */
#define CN_DD_TEMPORAL 4
#define CN_DD_MAX 255 /* bytes of a header extension */

/** What a frame is for a decode target (table A.1). */
typedef enum cn_dti { CN_DTI_ABSENT, CN_DTI_DISCARDABLE, CN_DTI_SWITCH, CN_DTI_REQUIRED } cn_dti;

typedef struct cn_dd_template {
    uint8_t sid, tid, fdiff_count;
    uint8_t fdiff[CN_DD_FDIFFS];
    uint64_t dtis; /* 2 bits for each target, target 0 lowest */
} cn_dd_template;

/** The template dependency structure that a key frame brings. */
typedef struct cn_dd_structure {
    uint8_t offset; /* template id of templates[0] */
    uint8_t template_count, target_count, chain_count;
    uint8_t spatial, temporal; /* layers of each kind */
    bool has_resolutions;
    uint16_t width[CN_DD_SPATIAL], height[CN_DD_SPATIAL];
    uint8_t chain_of[CN_DD_TARGETS]; /* the chain that protects a target, when there are chains */
    cn_dd_template templates[CN_DD_TEMPLATES];
    uint8_t chain_fdiff[CN_DD_TEMPLATES][CN_DD_TARGETS];
} cn_dd_structure;

/** One packet's descriptor, templates applied. */
typedef struct cn_depdesc {
    bool start, end; /* of the frame: one picture in one spatial layer */
    bool has_structure;
    bool has_active;
    uint16_t frame_number;
    uint8_t sid, tid;
    uint8_t target_count;
    uint8_t fdiff_count;
    uint16_t fdiff[CN_DD_FDIFFS];
    uint64_t dtis;
    uint32_t active;    /* decode targets that are sent, where has_active or has_structure */
    uint16_t active_at; /* bit at which `active` stands or would stand; 24: there are no extended fields */
    uint8_t chain_fdiff[CN_DD_TARGETS];
} cn_depdesc;

/**
 * Reads a descriptor of `len` bytes. `known` is the structure that was read last, NULL: none yet. A structure in this
 * packet is written to `fresh` and used instead (has_structure). CN_ERR_PARSE: cut off, a template that does not exist,
 * more than 4 layers of a kind or 8 references. CN_ERR_NOTFOUND: it needs a structure and none is known. `out` and
 * `fresh` are undefined on errors.
 */
cn_err cn_depdesc_parse(cn_depdesc *out, const uint8_t *bytes, size_t len, const cn_dd_structure *known,
                        cn_dd_structure *fresh);

/** Which decode target shows which layers. */
typedef struct cn_dd_layout {
    uint8_t spatial, temporal, targets;
    uint8_t target_of[CN_DD_SPATIAL][CN_DD_TEMPORAL]; /* the best one within these layers */
    uint32_t within[CN_DD_SPATIAL][CN_DD_TEMPORAL];   /* all targets within these layers, as a mask */
} cn_dd_layout;

void cn_dd_layout_of(const cn_dd_structure *structure, cn_dd_layout *out);

static inline cn_dti cn_dd_dti(uint64_t dtis, unsigned target)
{
    return (cn_dti)(dtis >> (2 * target) & 3);
}

/**
 * Copies a descriptor for another receiver: its frame number replaced and, unless `active` is 0, the mask of active
 * decode targets replaced or inserted at bit `active_at` (`targets` bits wide; `had`: it has one). Returns the length,
 * at most length + 5; 0 when that is more than `cap` or 255.
 */
size_t cn_depdesc_rewrite(uint8_t *out, size_t cap, const uint8_t *bytes, size_t length, uint16_t frame_number,
                          uint16_t active_at, bool had, unsigned targets, uint32_t active);

#endif
