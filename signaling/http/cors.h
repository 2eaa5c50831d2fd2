/* Pages of other origins (Fetch §3.2): who may call the routes that are meant for them. Pure. */
#ifndef CN_SIGNALING_CORS_H
#define CN_SIGNALING_CORS_H

/** Value of Access-Control-Allow-Origin for a request's Origin, or NULL. `origins`: "*", or some separated by commas. */
const char *cn_cors_allowed(const char *origins, const char *origin);

#endif
