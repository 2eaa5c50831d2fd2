/* docs/openapi.json as the build embedded it. */
#ifndef CN_SIGNALING_OPENAPI_H
#define CN_SIGNALING_OPENAPI_H

#include <stddef.h>

extern const unsigned char cn_openapi[];
extern const size_t cn_openapi_n;

#endif
