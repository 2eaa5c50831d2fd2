/* Starting and ending the server. */
#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/child.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "consult/sums.h"
#include "signaling/app.h"
#include "signaling/dicom_door.h"
#include "signaling/convert.h"
#include "signaling/slide_file.h"
#include "signaling/api/api.h"
#include "viewer/document/documents.h"
#include "viewer/parts/unpack.h"
#include "viewer/scratch.h"

#define DB_WAITING 512
#define TILE_WAITING 1024
#define PICTURES_MB 32
#define PICTURE_THREADS 2
#define PICTURES_WAITING 256
#define DESCRIPTORS 16384
#define ADOPTED_ROWS 64 /* more than any process has under way */

/* Where the built web app lies when the configuration does not say: beside the program, or in the source tree that it
 * was built in. */
static cn_err load_web(cn_app *app)
{
    static const char *const places[] = {"web", "../share/consilium/web", "../../viewer/web/dist"};
    const char *root = cn_config_str(app->config, "server", "web_root");
    char dir[1024], path[1200];
    if (*root) {
        cn_err err = cn_statics_load(&app->statics, root);
        if (err != CN_OK) cn_warn("signaling", "the web app at %s cannot be read: %s", root, cn_err_text(err));
        return err == CN_ERR_NOTFOUND ? CN_OK : err;
    }
    CN_TRY(cn_program_dir(dir, sizeof dir));
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (cn_fmt(path, sizeof path, "%s/%s", dir, places[i]) && cn_statics_load(&app->statics, path) == CN_OK)
            return CN_OK;
    cn_warn("signaling", "no web app found: only the interfaces are served");
    return CN_OK;
}

static cn_err open_viewer(cn_app *app)
{
    char dir[1024], path[1200];
    const char *decoder = cn_config_str(app->config, "viewer", "decoder");
    if (!*decoder) {
        CN_TRY(cn_program_dir(dir, sizeof dir));
        if (!cn_fmt(path, sizeof path, "%s/consilium-decoder", dir)) return CN_ERR_TOOBIG;
        decoder = path;
    }
    cn_err err = cn_slides_new(&app->slides, decoder, (unsigned)cn_config_int(app->config, "viewer", "decoders"),
                               (size_t)cn_config_int(app->config, "viewer", "cache_mb") << 20);
    if (err != CN_OK) {
        cn_error("signaling", "%s cannot be started: %s", decoder, cn_err_text(err));
        return err;
    }
    return cn_slides_whose(app->slides, cn_slide_file_share, &app->consult);
}

/* Each sender of images and each reading of one has a worker of its own meanwhile. */
static cn_err open_dicom(cn_app *app)
{
    char dir[1024], path[1200];
    CN_TRY(cn_program_dir(dir, sizeof dir));
    if (!cn_fmt(path, sizeof path, "%s/consilium-dicom", dir)) return CN_ERR_TOOBIG;
    cn_err err =
        cn_dicom_readers_new(&app->dicom, path, 4 * (unsigned)cn_config_int(app->config, "viewer", "decoders"));
    if (err != CN_OK) {
        cn_error("signaling", "%s cannot be started: %s", path, cn_err_text(err));
        return err;
    }
    return cn_dicom_shelf_new(&app->dicom_shelf, app->consult.files, app->dicom);
}

static cn_err open_pictures(cn_app *app)
{
    char path[1024];
    if (!cn_fmt(path, sizeof path, "%s/scratch", cn_config_str(app->config, "files", "root"))) return CN_ERR_TOOBIG;
    CN_TRY(cn_mkdirs(path));
    char *real = realpath(path, NULL);
    bool fits = real && cn_strcpy(app->scratch, sizeof app->scratch, real);
    free(real);
    if (!fits) return CN_ERR_IO;
    app->convert_stop = eventfd(0, EFD_CLOEXEC);
    if (app->convert_stop < 0) return cn_err_from_errno(errno);
    cn_scratch_sweep(app->scratch);
    cn_documents_bound((unsigned)cn_config_int(app->config, "viewer", "convert_seconds"),
                       (size_t)cn_config_int(app->config, "viewer", "convert_mb") << 20);
    cn_unpack_bound(cn_config_int(app->config, "files", "max_upload_mb") << 20);
    CN_TRY(cn_convert_line_new(&app->line));
    CN_TRY(cn_jobs_new(&app->converter, "convert", CN_CONVERTERS, CN_CONVERTERS));
    CN_TRY(cn_jobs_new(&app->leveller, "levels", 1, 1));
    return cn_pictures_new(&app->pictures, app->scratch, (size_t)PICTURES_MB << 20);
}

/* "a, b" as two texts inside `buffer`; how many. */
static size_t split(char *buffer, const char *out[CN_MEDIA_ADDRESSES])
{
    size_t n = 0;
    for (char *at = buffer; n < CN_MEDIA_ADDRESSES;) {
        at += strspn(at, ", ");
        if (!*at) break;
        out[n++] = at;
        at += strcspn(at, ", ");
        if (*at) *at++ = '\0';
    }
    return n;
}

/* ICE-TCP takes a descriptor per participant; many systems grant 1,024 unless asked. */
static void descriptors_raise(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) || files.rlim_cur >= DESCRIPTORS) return;
    files.rlim_cur = files.rlim_max < DESCRIPTORS ? files.rlim_max : DESCRIPTORS;
    (void)setrlimit(RLIMIT_NOFILE, &files);
}

static cn_err open_media(cn_app *app)
{
    const cn_config *c = app->config;
    char listen[1024], announce[1024];
    cn_media_config config = {.port = (uint16_t)cn_config_int(c, "media", "port"),
                              .workers = (unsigned)cn_config_int(c, "media", "workers"),
                              .timeout_s = (unsigned)cn_config_int(c, "media", "timeout_s"),
                              .blind_bps = (uint32_t)cn_config_int(c, "media", "blind_kbps") * 1000};
    if (!cn_strcpy(listen, sizeof listen, cn_config_str(c, "media", "listen")) ||
        !cn_strcpy(announce, sizeof announce, cn_config_str(c, "media", "announce")))
        return CN_ERR_TOOBIG;
    if (!cn_media_codec_valid(cn_config_str(c, "media", "codec"))) {
        cn_error("signaling", "media.codec: '%s' is none of vp8, h264, vp9, av1", cn_config_str(c, "media", "codec"));
        return CN_ERR_INVALID;
    }
    config.addresses = split(listen, config.listen);
    if (split(announce, config.announce) > config.addresses) {
        cn_error("signaling", "media.announce names more addresses than media.listen");
        return CN_ERR_INVALID;
    }
    cn_err err = cn_media_new(&app->media, &config, &cn_live_events, app->live);
    if (err != CN_OK)
        cn_error("signaling", "media cannot listen on %s port %u: %s", cn_config_str(c, "media", "listen"), config.port,
                 err == CN_ERR_CONFLICT ? "another program has this port, or one of the next" : cn_err_text(err));
    return err;
}

static void request_changed(void *ctx, const char *request, const char *state, bool urgent)
{
    const cn_app *app = ctx;
    cn_live_request_changed(app->live, request, state, urgent);
}

static void room_ends(void *ctx, const char *request, const char *reason)
{
    cn_app *app = ctx;
    cn_live_room_ends(app->live, request, reason);
}

static void part_ends(void *ctx, const char *request, const char *user)
{
    const cn_app *app = ctx;
    cn_live_part_ends(app->live, request, user);
}

static cn_err look_into(void *ctx, const char *path, const char *type, cn_problem *problem)
{
    const cn_app *app = ctx;
    return cn_convert_look(path, type, app->scratch, problem);
}

static cn_err open_live(cn_app *app)
{
    CN_TRY(cn_turn_open(&app->turn, app->config));
    const cn_live_config config = {.consult = &app->consult,
                                   .jobs = app->db_jobs,
                                   .turn = app->turn,
                                   .codec = cn_config_str(app->config, "media", "codec"),
                                   .video_max = cn_config_int(app->config, "media", "room_video_max"),
                                   .voice_max = cn_config_int(app->config, "media", "room_voice_max"),
                                   .farewell_ms =
                                       (uint64_t)cn_config_int(app->config, "room", "farewell_seconds") * 1000,
                                   .login = cn_app_login_limits(app)};
    return cn_live_new(&app->live, &config);
}

static cn_err open_door(cn_app *app)
{
    const cn_config *c = app->config;
    cn_problem problem = {.err = CN_OK};
    cn_err err = cn_proxies_parse(&app->proxies, cn_config_str(c, "server", "trusted_proxies"),
                                  cn_config_str(c, "server", "proxy_header"), &problem);
    if (err != CN_OK) {
        cn_error("signaling", "%s: %s", problem.field, problem.detail);
        return err;
    }
    const cn_door_config config = {.listen = cn_config_str(c, "server", "listen"),
                                   .port = (int)cn_config_int(c, "server", "port"),
                                   .tls_cert = cn_config_str(c, "server", "tls_cert"),
                                   .tls_key = cn_config_str(c, "server", "tls_key"),
                                   .tls_ciphers = cn_config_str(c, "server", "tls_ciphers"),
                                   .cors_origins = cn_config_str(c, "server", "cors_origins"),
                                   .proxies = &app->proxies,
                                   .management_listen = cn_config_str(c, "server", "management_listen"),
                                   .management_port = (int)cn_config_int(c, "server", "management_port"),
                                   .routes = cn_route_tables,
                                   .management_routes = cn_management_tables,
                                   .db_jobs = app->db_jobs,
                                   .tile_jobs = app->tile_jobs,
                                   .picture_jobs = app->picture_jobs,
                                   .statics = app->statics,
                                   .app = app,
                                   .authenticate = cn_app_authenticate,
                                   .recall = cn_app_recall,
                                   .ws = &cn_live_hooks,
                                   .ws_ctx = app->live};
    return cn_door_new(&app->door, &config);
}

static cn_err write_ports(const cn_app *app)
{
    const char *path = cn_config_str(app->config, "server", "port_file");
    if (!*path) return CN_OK;
    CN_AUTO_FREE char *text = NULL;
    json_t *media = json_array();
    for (unsigned i = 0; i < (unsigned)cn_config_int(app->config, "media", "workers"); i++)
        json_array_append_new(media, json_integer(cn_media_port(app->media, i)));
    json_t *object = json_pack("{s:i, s:i, s:i, s:o}", "port", cn_door_port(app->door), "management_port",
                               cn_door_management_port(app->door), "dicom",
                               app->dicom_net ? cn_dicom_net_port(app->dicom_net) : 0, "media", media);
    text = object ? json_dumps(object, JSON_COMPACT) : NULL;
    json_decref(object);
    return text ? cn_file_write_durable(path, text, strlen(text), 0644) : CN_ERR_NOMEM;
}

/* A process that was killed leaves a few rows without a head. Job thread. */
static void adopt_rows(void *arg)
{
    cn_app *app = arg;
    static const char *const names[] = {[CN_CHAIN_AUDIT] = "audit", [CN_CHAIN_LEDGER] = "ledger"};
    const cn_chain_proof proof = cn_app_proof(app);
    const cn_actor system = cn_actor_system();
    for (int log = CN_CHAIN_AUDIT; log <= CN_CHAIN_LEDGER; log++) {
        int64_t rows = 0;
        char object[32], detail[48];
        cn_err err = cn_chain_adopt((cn_chain_log)log, app->db, app->vault, &proof, ADOPTED_ROWS, &rows);
        if (err != CN_OK) cn_warn("signaling", "the heads of the %s log: %s", names[log], cn_err_text(err));
        if (err != CN_OK || rows == 0) continue;
        cn_warn("signaling", "%lld rows of the %s log had no head since the last end, and have one now",
                (long long)rows, names[log]);
        cn_fmt(object, sizeof object, "log:%s", names[log]);
        cn_fmt(detail, sizeof detail, "{\"rows\":%lld}", (long long)rows);
        cn_audit_note(&app->consult, &system, "log.adopt", object, "ok", detail);
    }
}

/* Programs that read what strangers sent are to be locked in: said once, at the start. */
static void look_at_kernel(const cn_app *app)
{
    cn_child_unconfined(cn_config_int(app->config, "viewer", "unconfined"));
    const char *missing = cn_child_missing();
    if (*missing)
        cn_warn("signaling", "the kernel has no %s, and helper programs cannot be confined: uploaded files are %s",
                missing,
                cn_child_permitted() ? "read all the same (viewer.unconfined)" : "not read, see viewer.unconfined");
    if (geteuid() == 0) cn_warn("signaling", "serving as root: server.user names an account to change to");
}

static cn_err start(cn_app *app)
{
    const cn_config *config = app->config;
    look_at_kernel(app);
    descriptors_raise(); /* first: the door makes its table of connections by the limit that it finds */
    CN_TRY(cn_jobs_new(&app->db_jobs, "db", (unsigned)cn_config_int(config, "server", "job_threads"), DB_WAITING));
    CN_TRY(
        cn_jobs_new(&app->tile_jobs, "tile", (unsigned)cn_config_int(config, "server", "tile_threads"), TILE_WAITING));
    CN_TRY(cn_jobs_add(app->db_jobs, adopt_rows, app)); /* beside the rest: it looks through the logs */
    CN_TRY(cn_jobs_new(&app->picture_jobs, "picture", PICTURE_THREADS, PICTURES_WAITING));
    cn_jobs_share(app->picture_jobs, PICTURE_THREADS - 1);
    CN_TRY(load_web(app));
    CN_TRY(open_viewer(app));
    CN_TRY(open_dicom(app));
    CN_TRY(open_pictures(app));
    CN_TRY(open_live(app));
    CN_TRY(open_door(app));
    CN_TRY(open_media(app));
    cn_live_attach(app->live, app->door, app->media);
    app->consult.changed = request_changed;
    app->consult.room_ends = room_ends;
    app->consult.part_ends = part_ends;
    app->consult.look = look_into;
    app->consult.ctx = app;
    CN_TRY(cn_app_upkeep(app));
    CN_TRY(cn_dicom_door_open(app));
    CN_TRY(cn_door_start(app->door));
    app->serving = true;
    cn_app_convert_soon(app); /* what an earlier run left */
    return write_ports(app);
}

/* What is not converted yet is converted after the next start. */
static void stop_converter(cn_app *app)
{
    if (app->convert_stop > 0 && eventfd_write(app->convert_stop, 1) < 0)
        cn_warn("signaling", "the converter ends only when its work is done");
    cn_jobs_free(app->converter); /* first: it gives the other one work */
    cn_jobs_free(app->leveller);
    cn_convert_line_free(app->line);
    if (app->convert_stop > 0) cn_fd_close(&app->convert_stop);
}

/* Everything that may call the door ends before the door's memory goes. */
static void stop(cn_app *app)
{
    /* minutes: media's last words, then the ledger, while door and jobs still run */
    if (app->serving) {
        cn_door_quiesce(app->door);
        cn_live_close(app->live);
    }
    cn_dicom_door_close(app); /* what it takes is a row before the jobs end */
    cn_media_free(app->media);
    if (app->serving) cn_live_drain(app->live);
    cn_door_stop(app->door);
    stop_converter(app);
    cn_jobs_free(app->tile_jobs);
    cn_jobs_free(app->picture_jobs);
    cn_jobs_free(app->db_jobs);
    cn_audit_sums_write(&app->consult, true);
    cn_door_free(app->door);
    cn_live_free(app->live);
    cn_turn_close(app->turn);
    cn_pictures_free(app->pictures);
    cn_slides_free(app->slides);
    cn_dicom_shelf_free(app->dicom_shelf);
    cn_dicom_readers_free(app->dicom);
    cn_statics_free(app->statics);
}

cn_err cn_app_serve(cn_app *app)
{
    sigset_t ends;
    int sig = 0;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, NULL); /* before any thread is made */
    signal(SIGPIPE, SIG_IGN);
    cn_err err = start(app);
    if (err == CN_OK) {
        cn_info("signaling", "serving on %s port %u", cn_config_str(app->config, "server", "listen"),
                cn_door_port(app->door));
        sigwait(&ends, &sig);
        cn_info("signaling", "ending (%s)", sig == SIGTERM ? "SIGTERM" : "SIGINT");
    }
    stop(app);
    return err;
}
