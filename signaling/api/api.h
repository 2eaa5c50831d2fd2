/* The tables of routes that routes.c puts together, one file each. */
#ifndef CN_SIGNALING_API_H
#define CN_SIGNALING_API_H

#include "signaling/http/http.h"

extern const cn_route cn_account_routes[]; /* account.c: login, session, directory */
extern const cn_route cn_request_routes[]; /* requests.c: requests, reports, minutes */
extern const cn_route cn_file_routes[];    /* files.c: files of a request */
extern const cn_route cn_figure_routes[];  /* figures.c: pictures of places on slides for a report */
extern const cn_route cn_mark_routes[];    /* marks.c: drawings and measures on a file's picture */
extern const cn_route cn_upload_routes[];  /* uploads.c: tus */
extern const cn_route cn_slide_routes[];   /* slides.c: Deep Zoom */
extern const cn_route cn_iiif_routes[];    /* iiif.c: IIIF Image API 3 */
extern const cn_route cn_dicom_routes[];   /* dicom.c: QIDO-RS, WADO-RS */
extern const cn_route cn_stow_routes[];    /* dicom_store.c: STOW-RS */
extern const cn_route cn_meta_routes[];    /* meta.c: the description of the interface */
extern const cn_route cn_room_routes[];    /* whip.c: WHIP, WHEP, who is in a room */
extern const cn_route cn_quality_routes[]; /* quality.c: how well rooms run, for the administrator */
extern const cn_route cn_health_routes[];  /* health.c: healthz, readyz */

extern const cn_route *const cn_management_tables[];

#endif
