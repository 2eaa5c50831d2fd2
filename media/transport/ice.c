#include "media/transport/ice.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <stun/stunagent.h>
#include <stun/usages/ice.h>

#include "base/crypto.h"
#include "base/mem.h"
#include "media/wire/demux.h"

#define ICE_CHARS 64

struct cn_ice {
    StunAgent agent;
};

typedef struct lookup {
    cn_ice_find_fn find;
    void *arg;
    const cn_stun *stun;
} lookup;

static const char ice_chars[ICE_CHARS + 1] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

cn_err cn_ice_new(cn_ice **out)
{
    cn_ice *ice = CN_NEW(cn_ice);
    if (!ice) return CN_ERR_NOMEM;
    stun_agent_init(&ice->agent, STUN_ALL_KNOWN_ATTRIBUTES, STUN_COMPATIBILITY_RFC5389,
                    STUN_AGENT_USAGE_SHORT_TERM_CREDENTIALS | STUN_AGENT_USAGE_USE_FINGERPRINT |
                        STUN_AGENT_USAGE_FORCE_VALIDATER);
    *out = ice;
    return CN_OK;
}

void cn_ice_free(cn_ice *ice)
{
    free(ice);
}

void cn_ice_text_new(char *out, size_t len)
{
    cn_random(out, len);
    for (size_t i = 0; i < len; i++) out[i] = ice_chars[(unsigned char)out[i] % ICE_CHARS];
    out[len] = '\0';
}

bool cn_ice_text_valid(const char *text, size_t min)
{
    size_t n = text ? strlen(text) : 0;
    return n >= min && n <= CN_ICE_TEXT_MAX && strspn(text, ice_chars) == n;
}

static bool password_of(StunAgent *agent, StunMessage *message, uint8_t *username, uint16_t username_len,
                        uint8_t **password, size_t *password_len, void *data)
{
    (void)agent, (void)message, (void)username, (void)username_len;
    lookup *sought = data;
    const char *found = sought->find(sought->arg, sought->stun->username, sought->stun->ufrag_len);
    if (!found) return false;
    *password = (uint8_t *)(uintptr_t)found; /* libnice only reads it */
    *password_len = strlen(found);
    return true;
}

/** A reply must not use a password that goes away, so it is written at once. */
static void answer_request(cn_ice *ice, cn_ice_check *out, StunMessage *request, const cn_sockaddr *from)
{
    struct sockaddr_storage source;
    memset(&source, 0, sizeof source);
    memcpy(&source, from, cn_sockaddr_len(from));
    StunMessage reply;
    bool controlling = false;
    out->reply_n = sizeof out->reply;
    /* A lite agent is always controlled (RFC 8445 §6.1.1): with the lowest tie breaker libnice answers every other
       claim with 487 instead of changing roles. */
    StunUsageIceReturn result = stun_usage_ice_conncheck_create_reply(
        &ice->agent, request, &reply, out->reply, &out->reply_n, &source, cn_sockaddr_len(from), &controlling, 0,
        STUN_USAGE_ICE_COMPATIBILITY_RFC5245);
    out->role_conflict = result == STUN_USAGE_ICE_RETURN_ROLE_CONFLICT || controlling;
    if (result == STUN_USAGE_ICE_RETURN_SUCCESS && !out->role_conflict) {
        out->verdict = CN_ICE_CHECKED;
        out->use_candidate = stun_usage_ice_conncheck_use_candidate(request);
    } else {
        out->verdict = out->reply_n ? CN_ICE_ANSWER : CN_ICE_IGNORE;
    }
}

void cn_ice_receive(cn_ice *ice, cn_ice_check *out, const uint8_t *bytes, size_t len, const cn_sockaddr *from,
                    cn_ice_find_fn find, void *arg)
{
    memset(out, 0, offsetof(cn_ice_check, reply));
    cn_stun stun;
    if (cn_stun_check(bytes, len, &stun) || stun.method != CN_STUN_BINDING) return;
    if (stun.cls == CN_STUN_INDICATION) out->verdict = CN_ICE_KEEPALIVE;
    if (stun.cls != CN_STUN_REQUEST || !stun.username || !stun.has_integrity) return;
    if (stun.ufrag_len == stun.username_len) return; /* RFC 8445 §7.2.2: two parts with a colon between */
    lookup sought = {.find = find, .arg = arg, .stun = &stun};
    StunMessage request;
    StunValidationStatus status = stun_agent_validate(&ice->agent, &request, bytes, len, password_of, &sought);
    if (status == STUN_VALIDATION_UNKNOWN_REQUEST_ATTRIBUTE) {
        StunMessage reply;
        out->reply_n =
            stun_agent_build_unknown_attributes_error(&ice->agent, &reply, out->reply, sizeof out->reply, &request);
        if (out->reply_n) out->verdict = CN_ICE_ANSWER;
    } else if (status == STUN_VALIDATION_SUCCESS) {
        answer_request(ice, out, &request, from);
    }
}
