/* The tables of routes that routes.c puts together, one file each. */
#ifndef CN_SIGNALING_API_H
#define CN_SIGNALING_API_H

#include "signaling/http/http.h"

extern const cn_route cn_account_routes[]; /* api_account.c: login, session, directory */
extern const cn_route cn_request_routes[]; /* api_requests.c: requests, reports, minutes */
extern const cn_route cn_file_routes[];    /* api_files.c: files of a request */
extern const cn_route cn_upload_routes[];  /* api_uploads.c: tus */
extern const cn_route cn_slide_routes[];   /* api_slides.c: Deep Zoom */
extern const cn_route cn_meta_routes[];    /* api_meta.c: the description of the interface */
extern const cn_route cn_room_routes[];    /* api_whip.c: WHIP, WHEP, who is in a room */
extern const cn_route cn_quality_routes[]; /* api_quality.c: how well rooms run, for the administrator */
extern const cn_route cn_health_routes[];  /* api_health.c: healthz, readyz */
extern const cn_route cn_metrics_routes[]; /* metrics.c: the management listener's */

extern const cn_route *const cn_management_tables[];

#endif
