#include "scene.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define VOICES 5

/* The first five others; whoever is of the five hears the sixth. */
static void voices_fixed(scene_person *p, uint16_t self, unsigned persons)
{
    unsigned n = 0;
    for (uint16_t k = 0; k < persons && n < p->audio_slots; k++)
        if (k != self) p->voices[n++] = k;
}

/** Some with cameras of three layers, each of whom sees the next one large and the others small; all have microphones
 * and hear five voices. */
static void consultation(scene *s, const scene_options *o)
{
    for (unsigned i = 0; i < s->persons; i++) {
        scene_person *p = &s->person[i];
        *p = (scene_person){.mic = true, .audio_slots = VOICES, .layers = i < o->video ? CROWD_LAYERS : 0};
        voices_fixed(p, (uint16_t)i, s->persons);
        for (unsigned k = 1; i < o->video && k < o->video && p->shows_n < SCENE_SHOWS; k++) {
            bool large = k == 1;
            p->shows[p->shows_n++] = (scene_show){
                .sender = (uint16_t)((i + k) % o->video), .width = large ? 1280 : 320, .height = large ? 720 : 180};
        }
    }
}

/** One picture and one voice to everybody else, who only listen. */
static void lecture(scene *s, const scene_options *o)
{
    s->person[0] = (scene_person){.mic = true, .layers = o->layers};
    for (unsigned i = 1; i < s->persons; i++) {
        s->person[i] = (scene_person){
            .audio_slots = 1, .shows_n = 1, .shows = {{.sender = 0, .width = o->width, .height = o->height}}};
        if (o->tiers_n) s->person[i].tier = o->tiers[(i - 1) % o->tiers_n];
    }
}

/** Rooms of two who see and hear each other. */
static void clinics(scene *s)
{
    for (unsigned i = 0; i < s->persons; i++) {
        scene_person *p = &s->person[i];
        *p = (scene_person){.room = i / 2, .mic = true, .layers = CROWD_LAYERS, .audio_slots = 1, .shows_n = 1};
        p->shows[0] = (scene_show){.sender = (uint16_t)(i ^ 1u), .width = 640, .height = 360};
        p->voices[0] = (uint16_t)(i ^ 1u);
    }
}

bool scene_make(scene *s, const scene_options *o)
{
    bool clinics_ = strcmp(o->name, "clinics") == 0, lecture_ = strcmp(o->name, "lecture") == 0;
    *s = (scene){.persons = clinics_ ? 2 * o->rooms : o->video + o->voice, .rooms = clinics_ ? o->rooms : 1};
    s->person = cn_calloc(s->persons, sizeof *s->person);
    if (!s->person) return false;
    if (clinics_) {
        clinics(s);
    } else if (lecture_) {
        lecture(s, o);
    } else if (strcmp(o->name, "consultation") == 0) {
        consultation(s, o);
    } else {
        scene_free(s);
        return false;
    }
    return true;
}

void scene_free(scene *s)
{
    free(s->person);
    s->person = NULL;
}
