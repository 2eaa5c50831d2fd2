#include "scene.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "client/names.h"

#define VOICES 5

/* The first five others; whoever is of the five hears the sixth. */
static void voices_fixed(scene_person *person, uint16_t self, unsigned persons)
{
    unsigned n = 0;
    for (uint16_t k = 0; k < persons && n < person->audio_slots; k++)
        if (k != self) person->voices[n++] = k;
}

/** Some with cameras of three layers, each of whom sees the next one large and the others small; all have microphones
 * and hear five voices. */
static void consultation(scene *setting, const scene_options *opts)
{
    for (unsigned i = 0; i < setting->persons; i++) {
        scene_person *person = &setting->person[i];
        *person = (scene_person){.mic = true, .audio_slots = VOICES, .layers = i < opts->video ? RTC_LAYERS : 0};
        voices_fixed(person, (uint16_t)i, setting->persons);
        for (unsigned k = 1; i < opts->video && k < opts->video && person->shows_n < SCENE_SHOWS; k++) {
            bool large = k == 1;
            person->shows[person->shows_n++] = (scene_show){
                .sender = (uint16_t)((i + k) % opts->video), .width = large ? 1280 : 320, .height = large ? 720 : 180};
        }
    }
}

/** One picture and one voice to everybody else, who only listen. */
static void lecture(scene *setting, const scene_options *opts)
{
    setting->person[0] = (scene_person){.mic = true, .layers = opts->layers};
    for (unsigned i = 1; i < setting->persons; i++) {
        setting->person[i] = (scene_person){
            .audio_slots = 1, .shows_n = 1, .shows = {{.sender = 0, .width = opts->width, .height = opts->height}}};
        if (opts->tiers_n) setting->person[i].tier = opts->tiers[(i - 1) % opts->tiers_n];
    }
}

/** Rooms of two who see and hear each other. */
static void clinics(scene *setting)
{
    for (unsigned i = 0; i < setting->persons; i++) {
        scene_person *person = &setting->person[i];
        *person = (scene_person){.room = i / 2, .mic = true, .layers = RTC_LAYERS, .audio_slots = 1, .shows_n = 1};
        person->shows[0] = (scene_show){.sender = (uint16_t)(i ^ 1u), .width = 640, .height = 360};
        person->voices[0] = (uint16_t)(i ^ 1u);
    }
}

bool scene_make(scene *setting, const scene_options *opts)
{
    bool clinics_ = strcmp(opts->name, "clinics") == 0, lecture_ = strcmp(opts->name, "lecture") == 0;
    *setting =
        (scene){.persons = clinics_ ? 2 * opts->rooms : opts->video + opts->voice, .rooms = clinics_ ? opts->rooms : 1};
    setting->person = cn_calloc(setting->persons, sizeof *setting->person);
    if (!setting->person) return false;
    if (clinics_) {
        clinics(setting);
    } else if (lecture_) {
        lecture(setting, opts);
    } else if (strcmp(opts->name, "consultation") == 0) {
        consultation(setting, opts);
    } else {
        scene_free(setting);
        return false;
    }
    return true;
}

void scene_free(scene *setting)
{
    free(setting->person);
    setting->person = NULL;
}
