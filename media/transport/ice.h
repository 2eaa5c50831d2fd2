/*
 * ICE-lite's share (RFC 8445 §2.5, §7.3): judges one STUN message and writes the answer, with libnice's STUN library.
 * No sockets, no state beyond the credentials that `find` knows. Owner thread.
 */
#ifndef CN_MEDIA_ICE_H
#define CN_MEDIA_ICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "media/transport/address.h"

#define CN_ICE_UFRAG 8       /* characters that we make: 48 random bits (RFC 8445 §5.3 asks for 24) */
#define CN_ICE_PWD 24        /* 144 random bits (RFC 8445 asks for 128) */
#define CN_ICE_TEXT_MAX 256  /* longest ufrag or pwd of a peer (RFC 8839 §5.4) */
#define CN_ICE_REPLY_MAX 256 /* bytes of an answer */

typedef struct cn_ice cn_ice;

cn_err cn_ice_new(cn_ice **out);
/** NULL allowed. */
void cn_ice_free(cn_ice *ice);

/** Random ice-chars (RFC 8839 §5.4) with a terminating zero. */
void cn_ice_text_new(char *out, size_t len);

/** Whether `text` is min…256 ice-chars: a peer's ufrag (min 4) or pwd (min 22). */
bool cn_ice_text_valid(const char *text, size_t min);

/** The password that belongs to a local ufrag (zero-terminated), NULL when there is none. The result is used before
 * the next call. */
typedef const char *(*cn_ice_find_fn)(void *arg, const char *ufrag, size_t len);

typedef enum cn_ice_verdict {
    CN_ICE_IGNORE,   /* malformed, not a binding request, unknown user or wrong password: no answer */
    CN_ICE_ANSWER,   /* authentic, but not a check that counts: `reply` is an error response (487, 420) */
    CN_ICE_CHECKED,  /* a valid check: `reply` is the success response */
    CN_ICE_KEEPALIVE /* a binding indication (RFC 8445 §11): no answer, no effect, since it is not authenticated */
} cn_ice_verdict;

typedef struct cn_ice_check {
    cn_ice_verdict verdict;
    bool use_candidate;
    bool role_conflict;
    size_t reply_n; /* 0: nothing to send */
    uint8_t reply[CN_ICE_REPLY_MAX];
} cn_ice_check;

/** `bytes` passed cn_demux as STUN. Errors are answered only to authentic requests: whoever knows no password draws
 * nothing. */
void cn_ice_receive(cn_ice *ice, cn_ice_check *out, const uint8_t *bytes, size_t len, const cn_sockaddr *from,
                    cn_ice_find_fn find, void *arg);

#endif
