/*
 * What people write in a room: kept by a job thread, then answered and told to everybody inside. Notices may overtake
 * each other; the messages are counted without gaps (consult/room/messages.h), so that a page sees what it lacks.
 */
#include "signaling/live/say.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "consult/room/messages.h"
#include "signaling/live/client.h"
#include "signaling/live/errand.h"
#include "signaling/live/hall.h"

/* ---- writing ---- */

typedef struct saying {
    cn_call_errand base;
    char room[64], id[CN_MESSAGE_ID], file[CN_ID_TEXT];
    char *text;
    bool farewell, fresh;
    json_t *message; /* as it was kept */
} saying;

static void release_saying(cn_call_errand *errand)
{
    saying *said = (saying *)errand;
    if (said->text) cn_free_secret(said->text, strlen(said->text));
    json_decref(said->message);
}

/* Job thread. */
static cn_err keep(cn_call_errand *errand)
{
    saying *said = (saying *)errand;
    const cn_message_new message = {.id = said->id, .text = said->text, .file = said->file, .farewell = said->farewell};
    return cn_message_add(errand->live->config.consult, &errand->actor, said->room, &message, &said->message,
                          &said->fresh, &errand->problem);
}

/* The others are told also when the writer has gone meanwhile. */
static void kept(cn_call_errand *errand, cn_client *client)
{
    saying *said = (saying *)errand;
    cn_hall *hall = cn_hall_find(errand->live, said->room);
    const cn_member *me = client && client->member && client->member->hall == hall ? client->member : NULL;
    if (errand->err == CN_OK && said->fresh && hall && !errand->live->closing)
        cn_hall_notice(hall, me, "room.said", json_incref(said->message), NULL);
    cn_call_errand_answer(errand, client, errand->err == CN_OK ? json_pack("{s:O}", "message", said->message) : NULL);
    cn_call_errand_free(errand);
}

cn_err cn_do_say(cn_method_call *call, json_t **result)
{
    cn_member *me = call->client->member;
    cn_message_new message;
    (void)result;
    CN_TRY(cn_message_read(call->params, &message, &call->problem));
    saying *said = cn_call_errand_new(call, sizeof *said, release_saying);
    if (!said) return CN_ERR_NOMEM;
    said->farewell = me->hall->ending != NULL;
    cn_strcpy(said->room, sizeof said->room, me->hall->id);
    cn_strcpy(said->id, sizeof said->id, message.id);
    cn_strcpy(said->file, sizeof said->file, message.file);
    said->text = cn_strdup(message.text);
    if (said->text) return cn_call_errand_go(&said->base, keep, kept);
    cn_call_errand_free(&said->base);
    return CN_ERR_NOMEM;
}

/* ---- reading ---- */

typedef struct recalling {
    cn_call_errand base;
    char room[64];
    cn_message_range range;
    json_t *page;
} recalling;

static void release_reading(cn_call_errand *errand)
{
    json_decref(((recalling *)errand)->page);
}

/* Job thread. */
static cn_err look(cn_call_errand *errand)
{
    recalling *read = (recalling *)errand;
    return cn_messages_get(errand->live->config.consult, &errand->actor, read->room, &read->range, &read->page);
}

static void looked(cn_call_errand *errand, cn_client *client)
{
    cn_call_errand_answer(errand, client, json_incref(((recalling *)errand)->page));
    cn_call_errand_free(errand);
}

cn_err cn_do_messages(cn_method_call *call, json_t **result)
{
    cn_message_range range = {.after = -1, .size = CN_MESSAGES_PAGE};
    (void)result;
    CN_TRY(cn_json_i64(call->params, "after", false, 0, CN_MESSAGES_MAX, &range.after, &call->problem));
    CN_TRY(cn_json_i64(call->params, "before", false, 1, CN_MESSAGES_MAX + 1, &range.before, &call->problem));
    CN_TRY(cn_json_i64(call->params, "size", false, 1, CN_MESSAGES_PAGE, &range.size, &call->problem));
    recalling *read = cn_call_errand_new(call, sizeof *read, release_reading);
    if (!read) return CN_ERR_NOMEM;
    cn_strcpy(read->room, sizeof read->room, call->client->member->hall->id);
    read->range = range;
    return cn_call_errand_go(&read->base, look, looked);
}
