/*
 * What all of SRTP stands on: the profiles, a master key, and how many SSRCs a peer may have.
 */
#ifndef CN_MEDIA_SRTP_TYPES_H
#define CN_MEDIA_SRTP_TYPES_H

#include <stddef.h>
#include <stdint.h>

#define CN_SRTP_KEY 16
#define CN_SRTP_SALT_MAX 14
#define CN_SRTP_SSRCS_IN 128  /* inbound SSRCs at most; further ones are refused */
#define CN_SRTP_SSRCS_OUT 256 /* outbound SSRCs at most */

typedef enum cn_srtp_profile {
    CN_SRTP_NONE = 0,
    CN_SRTP_AES128_CM_SHA1_80 = 1, /* the numbers of RFC 5764 §4.1.2 and RFC 7714 §14.2 */
    CN_SRTP_AEAD_AES_128_GCM = 7
} cn_srtp_profile;

typedef struct cn_srtp_master {
    uint8_t key[CN_SRTP_KEY];
    uint8_t salt[CN_SRTP_SALT_MAX];
} cn_srtp_master;

/** Bytes of the master salt; 0 for a profile outside the list. */
size_t cn_srtp_profile_salt(cn_srtp_profile profile);

#endif
