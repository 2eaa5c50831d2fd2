#include "media/secure/srtp_types.h"

size_t cn_srtp_profile_salt(cn_srtp_profile profile)
{
    switch (profile) {
    case CN_SRTP_AEAD_AES_128_GCM: return 12;
    case CN_SRTP_AES128_CM_SHA1_80: return 14;
    default: return 0;
    }
}
