/* Who is in which room, sends what and watches whom: the scenes that bench-load plays against a server. */
#ifndef CN_LOAD_SCENE_H
#define CN_LOAD_SCENE_H

#include <stdbool.h>
#include <stdint.h>

#define SCENE_SHOWS 40

typedef struct scene_show {
    uint16_t sender;
    unsigned width, height;
} scene_show;

typedef struct scene_person {
    unsigned room;
    unsigned layers; /* of the camera, 0: none */
    bool mic;
    unsigned audio_slots;
    unsigned shows_n;
    scene_show shows[SCENE_SHOWS]; /* the large one first */
    const char *tier;              /* the highest that is wanted, borrowed; NULL: 4k */
    uint16_t voices[8];            /* for a server that cannot select: these instead of the loudest */
} scene_person;

typedef struct scene {
    unsigned persons, rooms;
    scene_person *person; /* number = sender */
} scene;

/* What a scene's numbers are made from. */
typedef struct scene_options {
    const char *name; /* consultation, lecture, clinics */
    unsigned video, voice, rooms;
    /* the lecture's */
    unsigned layers, width, height; /* of its camera, and how large everybody shows it */
    const char *const *tiers;       /* what its listeners want in turn, NULL: 4k */
    unsigned tiers_n;
} scene_options;

/** False for an unknown name. */
bool scene_make(scene *setting, const scene_options *opts);
void scene_free(scene *setting);

#endif
