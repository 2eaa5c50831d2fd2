/*
 * Who is where: participant → worker and room, room → number and home worker. A leaf type with a mutex of its own;
 * asked when somebody joins, leaves or is commanded, never for a packet. Every function may be called from any thread.
 */
#ifndef CN_MEDIA_DIRECTORY_H
#define CN_MEDIA_DIRECTORY_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "media/kinds.h"

typedef struct cn_directory cn_directory;

typedef struct cn_place {
    unsigned worker; /* of the participant */
    uint32_t peer;   /* number of the participant, never reused */
    uint32_t room;   /* number, never reused */
    unsigned home;   /* worker that ranks the room's speakers */
} cn_place;

cn_err cn_directory_new(cn_directory **out, unsigned workers);
/** Gives a new participant the worker with the fewest; opens the room when it is the first. CN_ERR_CONFLICT: the name
 * is in use. */
cn_err cn_directory_join(cn_directory *directory, const char *room, const char *participant, cn_place *out);
/** CN_ERR_NOTFOUND. */
cn_err cn_directory_find(cn_directory *directory, const char *participant, cn_place *out);
/** Forgets a participant; the room's number ends with its last one. */
void cn_directory_leave(cn_directory *directory, const char *participant);
/** CN_ERR_NOTFOUND. */
cn_err cn_directory_room(cn_directory *directory, const char *room, uint32_t *number);
/** NULL allowed. */
void cn_directory_free(cn_directory *directory);

#endif
