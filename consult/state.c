#include "consult/state.h"

#include <string.h>

static const char *const names[] = {
#define X(id, name) name,
    CN_STATE_TABLE(X)
#undef X
};

#define S(id) (1u << CN_STATE_##id)

static const cn_transition table[] = {
    /* action        from                                                            to               stays  urgent  who
     */
    {"edit", S(UPLOADING) | S(RETURNED), CN_STATE_COUNT, true, false, CN_PART_REFERRER},
    /* an urgent one may be accepted while its referrer is still writing: he goes on */
    {"edit", S(IN_SESSION), CN_STATE_COUNT, true, true, CN_PART_REFERRER},
    {"upload", S(UPLOADING) | S(RETURNED) | S(PENDING_REVIEW) | S(SCHEDULED) | S(IN_SESSION) | S(AWAITING_REPORT),
     CN_STATE_COUNT, true, false, CN_PART_REFERRER | CN_PART_EXPERT},
    {"submit", S(UPLOADING) | S(RETURNED), CN_STATE_PENDING_REVIEW, false, false, CN_PART_REFERRER},
    {"return", S(PENDING_REVIEW), CN_STATE_RETURNED, false, false, CN_PART_REVIEWER},
    {"reject", S(PENDING_REVIEW), CN_STATE_REJECTED, false, false, CN_PART_REVIEWER},
    {"schedule", S(PENDING_REVIEW), CN_STATE_SCHEDULED, false, false, CN_PART_REVIEWER},
    {"reschedule", S(SCHEDULED), CN_STATE_COUNT, true, false, CN_PART_REVIEWER},
    {"experts", S(SCHEDULED) | S(IN_SESSION) | S(AWAITING_REPORT), CN_STATE_COUNT, true, false, CN_PART_REVIEWER},
    {"accept", S(UPLOADING) | S(PENDING_REVIEW), CN_STATE_IN_SESSION, false, true, CN_PART_ON_DUTY},
    /* nobody has accepted it: the centre names who does */
    {"assign", S(UPLOADING) | S(PENDING_REVIEW), CN_STATE_IN_SESSION, false, true, CN_PART_REVIEWER},
    {"room", S(SCHEDULED), CN_STATE_COUNT, true, false, CN_PART_REFERRER | CN_PART_EXPERT},
    {"room", S(IN_SESSION) | S(AWAITING_REPORT) | S(WRITTEN) | S(REPORTED), CN_STATE_COUNT, true, false,
     CN_PART_REFERRER | CN_PART_EXPERT | CN_PART_REVIEWER},
    {"begin", S(SCHEDULED), CN_STATE_IN_SESSION, false, false, CN_PART_PRESENT},
    {"no_show", S(IN_SESSION), CN_STATE_SCHEDULED, false, false, CN_PART_LEAD | CN_PART_REVIEWER},
    /* the centre too: a room in which the lead cannot be reached any more stays open for nobody */
    {"finish", S(IN_SESSION), CN_STATE_AWAITING_REPORT, false, false, CN_PART_LEAD | CN_PART_REVIEWER},
    {"finish", S(AWAITING_REPORT) | S(WRITTEN) | S(REPORTED), CN_STATE_COUNT, true, false,
     CN_PART_LEAD | CN_PART_REVIEWER},
    {"draft", S(SCHEDULED) | S(IN_SESSION) | S(AWAITING_REPORT) | S(REPORTED) | S(CLOSED), CN_STATE_COUNT, true, false,
     CN_PART_LEAD},
    {"sign", S(IN_SESSION) | S(AWAITING_REPORT), CN_STATE_WRITTEN, false, false, CN_PART_LEAD},
    {"sign", S(REPORTED) | S(CLOSED), CN_STATE_COUNT, true, false, CN_PART_LEAD},
    {"release", S(WRITTEN), CN_STATE_REPORTED, false, false, CN_PART_LEAD},
    {"opinion", S(IN_SESSION) | S(AWAITING_REPORT) | S(WRITTEN) | S(REPORTED), CN_STATE_COUNT, true, false,
     CN_PART_EXPERT},
    {"record", S(IN_SESSION) | S(AWAITING_REPORT) | S(WRITTEN) | S(REPORTED), CN_STATE_COUNT, true, false,
     CN_PART_REFERRER},
    {"close", S(REPORTED), CN_STATE_CLOSED, false, false, CN_PART_REFERRER},
    {"cancel", S(UPLOADING) | S(RETURNED) | S(PENDING_REVIEW), CN_STATE_CANCELLED, false, false,
     CN_PART_REFERRER | CN_PART_REVIEWER},
    {"cancel", S(SCHEDULED) | S(IN_SESSION) | S(AWAITING_REPORT), CN_STATE_CANCELLED, false, false, CN_PART_REVIEWER},
};

#define ROWS (sizeof(table) / sizeof(table[0]))

const char *cn_state_name(cn_state state)
{
    return (unsigned)state < CN_STATE_COUNT ? names[state] : "";
}

bool cn_state_parse(const char *name, cn_state *out)
{
    for (unsigned i = 0; i < CN_STATE_COUNT; i++)
        if (strcmp(names[i], name) == 0) {
            *out = (cn_state)i;
            return true;
        }
    return false;
}

uint32_t cn_state_tab(const char *tab)
{
    static const struct {
        const char *tab;
        uint32_t states;
    } tabs[] = {
        {"uploading", S(UPLOADING) | S(RETURNED)},
        {"pending", S(PENDING_REVIEW) | S(SCHEDULED) | S(IN_SESSION) | S(AWAITING_REPORT) | S(WRITTEN)},
        {"completed", S(REPORTED) | S(CLOSED) | S(REJECTED) | S(CANCELLED)},
    };
    for (size_t i = 0; i < sizeof(tabs) / sizeof(tabs[0]); i++)
        if (strcmp(tabs[i].tab, tab) == 0) return tabs[i].states;
    return 0;
}

const cn_transition *cn_transition_find(const char *action, cn_state state)
{
    const cn_transition *first = NULL;
    for (size_t i = 0; i < ROWS; i++) {
        if (strcmp(table[i].action, action) != 0) continue;
        if (table[i].from >> state & 1u) return &table[i];
        if (!first) first = &table[i];
    }
    return first;
}

static cn_err judge(const cn_transition *transition, cn_state state, bool urgent, uint32_t parts)
{
    if (!(transition->who & parts)) return CN_ERR_FORBIDDEN;
    if (!(transition->from >> state & 1u) || (transition->urgent_only && !urgent)) return CN_ERR_STATE;
    return CN_OK;
}

cn_err cn_state_next(const char *action, cn_state state, bool urgent, uint32_t parts, cn_state *next)
{
    const cn_transition *transition = cn_transition_find(action, state);
    if (!transition) return CN_ERR_NOTFOUND;
    CN_TRY(judge(transition, state, urgent, parts));
    *next = transition->stays ? state : transition->to;
    return CN_OK;
}

void cn_state_actions(cn_state state, bool urgent, uint32_t parts, void (*each)(void *arg, const char *action),
                      void *arg)
{
    for (size_t i = 0; i < ROWS; i++)
        if (cn_transition_find(table[i].action, state) == &table[i] && judge(&table[i], state, urgent, parts) == CN_OK)
            each(arg, table[i].action);
}
