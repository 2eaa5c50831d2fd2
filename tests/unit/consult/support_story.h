/* Requests on their way: the domain of support_consult and whatever a test needs to bring a request into a state. */
#ifndef CN_SUPPORT_STORY_H
#define CN_SUPPORT_STORY_H

#include "cn_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "consult/request/request.h"
#include "support_consult.h"
#include "support_db.h"

typedef struct platform {
    support_consult *s;
    cn_consult *c;
    /* lead and second are the experts of every request that is scheduled here; third is not */
    cn_actor referrer, colleague, lead, second, third, admin, nobody, reader;
    unsigned changes; /* how often somebody was told */
    unsigned parted;  /* how many take no part any more */
    char last_state[24];
    bool last_urgent;
    unsigned ends; /* how often a room was said to end */
    char last_end[16];
} platform;

void platform_open(platform *rig, void **state);
void platform_close(platform *rig);

/** One statement on a connection of its own. */
void platform_sql(platform *rig, const char *sql);
/** First column of the first row as a number; −1 without a row. */
int64_t platform_int(platform *rig, const char *sql);

/** JSON from text with ' for ". */
json_t *json_of(const char *text);
/** A request of the referrer's; `urgent` or not. */
void request_new(platform *rig, bool urgent, const char *patient, char id[CN_ID_TEXT]);
/** Puts a consent form into the request (the row only). */
void request_consent(platform *rig, const char *id);
/** An act with a body ("" for none). */
cn_err request_do(platform *rig, const cn_actor *actor, const char *id, const char *action, const char *body);
/** Walks a new ordinary request through the normal functions to the state. */
void request_until(platform *rig, const char *id, cn_state state);
/** The request's state as the database has it. */
cn_state request_state(platform *rig, const char *id);
/** Whether the request as the actor sees it names the act among those he may do now. */
bool request_offers(platform *rig, const cn_actor *actor, const char *id, const char *action);

#endif
