/* Private to the door: how an exchange is run, sent and streamed. The exchange itself: http/exchange_state.h. */
#ifndef CN_SIGNALING_EXCHANGE_H
#define CN_SIGNALING_EXCHANGE_H

#include "signaling/http/exchange_state.h"

/** Job thread: authenticates, parses JSON, runs the handler, composes; hands the exchange back to the door. */
void cn_exchange_run(void *exchange);
/** The part of it before the answer: what a stream does before its first byte. */
cn_err cn_exchange_enter(cn_http *http);

/** Door's thread: tries the route's quick way; true: it is answered. */
bool cn_exchange_quick(cn_http *http);

#endif
