/* Everything the server holds, made and ended in one place, in order. */
#ifndef CN_SIGNALING_APP_H
#define CN_SIGNALING_APP_H

#include "base/config.h"
#include "base/jobs.h"
#include "consult/people/accounts.h"
#include "consult/people/lifetime.h"
#include "consult/consult.h"
#include "signaling/convert.h"
#include "signaling/door/door.h"
#include "signaling/live/live.h"
#include "signaling/looks.h"
#include "signaling/live/turn.h"
#include "viewer/dicom/net.h"
#include "viewer/dicom/shelf.h"
#include "viewer/document/pictures.h"
#include "viewer/slide/slides.h"

struct cn_app {
    const cn_config *config;
    cn_db *db;
    cn_vault *vault;
    cn_files *files;
    cn_chain *audit, *ledger;
    cn_consult consult;
    cn_slides *slides;
    cn_dicom_readers *dicom;
    cn_dicom_shelf *dicom_shelf;
    struct cn_dicom_door *dicom_door; /* NULL: closed */
    cn_dicom_net *dicom_net;          /* its listener */
    cn_pictures *pictures;
    cn_jobs *converter;    /* documents and slides after their upload */
    cn_convert_line *line; /* whose are being converted */
    cn_jobs *leveller;     /* one thread: levels that slides lack */
    int convert_stop;      /* can be read as soon as both are to end */
    _Atomic bool convert_again;
    char scratch[1024]; /* folder for temporary files, absolute */
    cn_jobs *db_jobs, *tile_jobs, *picture_jobs;
    cn_statics *statics;
    char heads_copy[1024]; /* the second file of heads */
    cn_proxies proxies;
    cn_door *door;
    cn_live *live;
    cn_media *media;
    cn_turn *turn; /* NULL: no relay */
    bool serving;
    cn_looks looks;
};

/** Opens database, keys, logs, files: what every command needs. On error `app` is closed again. */
cn_err cn_app_open(cn_app *app, const cn_config *config);
void cn_app_close(cn_app *app);
/** Where the heads of this node's logs are. */
cn_chain_proof cn_app_proof(const cn_app *app);

/** Serves until SIGTERM or SIGINT. */
cn_err cn_app_serve(cn_app *app);

/* What handlers ask for. */
cn_consult *cn_app_consult(cn_app *app);
cn_slides *cn_app_slides(const cn_app *app);
cn_dicom_readers *cn_app_dicom(const cn_app *app);
cn_dicom_shelf *cn_app_dicom_shelf(const cn_app *app);
cn_live *cn_app_live(const cn_app *app);
/** NULL without a relay. */
const cn_turn *cn_app_turn(const cn_app *app);
cn_pictures *cn_app_pictures(const cn_app *app);
/** Folder for temporary files, absolute. */
const char *cn_app_scratch(const cn_app *app);
/** Files were uploaded: the converter looks for those that wait. Any thread. */
void cn_app_convert_soon(cn_app *app);
/** What is to be done from time to time while it serves: uploads that nobody finished, files that could not be
 * converted. Before the door starts. */
cn_err cn_app_upkeep(cn_app *app);
int64_t cn_app_config_int(const cn_app *app, const char *section, const char *key);
const char *cn_app_config_str(const cn_app *app, const char *section, const char *key);
/** How long a login lasts. */
cn_login_limits cn_app_login_limits(const cn_app *app);

/** The door's question who acts (job threads). */
cn_err cn_app_authenticate(cn_http *http, cn_actor *actor);
/** The same from memory (the door's thread). */
bool cn_app_recall(cn_http *http, cn_actor *actor);

#endif
