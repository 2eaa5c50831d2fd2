#include "signaling/dicom_door.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "signaling/dicom_intake.h"
#include "viewer/dicom/peers.h"

#define COPY (1 << 20)
#define NOTES 10 /* refusals a minute that are written to the audit log; the rest is counted in /metrics */

struct cn_dicom_door {
    cn_app *app;
    cn_dicom_net *net;
    char title[CN_NET_TITLE];
    cn_dicom_peer peers[CN_PEERS_MAX];
    size_t peers_n;
    pthread_mutex_t lock;
    int64_t notes_minute; /* under the lock */
    unsigned notes;
};

/* Who sends: one association. */
typedef struct sender {
    cn_actor actor;
    cn_dicom_reader *reader;
} sender;

/* ---- who calls ---- */

static cn_err account_of(cn_consult *consult, const char *username, char id[CN_ID_TEXT])
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_conn_acquire(consult->db, &conn));
    CN_TRY(cn_db_query(conn, &rows, "SELECT id FROM users WHERE username = $1", cn_text(username)));
    if (!cn_rows_next(rows)) return CN_ERR_NOTFOUND;
    return cn_strcpy(id, CN_ID_TEXT, cn_rows_text(rows, 0)) ? CN_OK : CN_ERR_CORRUPT;
}

static bool may_note(cn_dicom_door *door)
{
    const int64_t minute = cn_wall_ms() / 60000;
    pthread_mutex_lock(&door->lock);
    if (minute != door->notes_minute) door->notes = 0;
    door->notes_minute = minute;
    bool may = door->notes++ < NOTES;
    pthread_mutex_unlock(&door->lock);
    return may;
}

static uint32_t refuse(cn_dicom_door *door, const cn_net_hello *hello, const char *address, uint32_t status)
{
    cn_actor nobody = {.rights = 0};
    char object[48];
    if (!may_note(door)) return status;
    cn_strcpy(nobody.address, sizeof(nobody.address), address);
    cn_fmt(object, sizeof(object), "title:%s", hello->calling);
    cn_audit_note(cn_app_consult(door->app), &nobody, "dicom.associate", object, "denied", NULL);
    cn_warn("dicom", "an association from %s is refused: %s", address,
            status == CN_NET_MISMATCH ? "the called title is not ours" : "dicom.peers does not name its title there");
    return status;
}

static uint32_t greet(void *ctx, const cn_net_hello *hello, const char *address, void **out, char why[CN_NET_WHY])
{
    cn_dicom_door *door = ctx;
    char id[CN_ID_TEXT];
    if (strcmp(hello->called, door->title) != 0) return refuse(door, hello, address, CN_NET_MISMATCH);
    const cn_dicom_peer *peer = cn_peers_find(door->peers, door->peers_n, hello->calling, address);
    if (!peer) return refuse(door, hello, address, CN_NET_FORBIDDEN);
    sender *who = CN_NEW(sender);
    if (!who) return CN_NET_NO_ROOM;
    cn_err err = account_of(cn_app_consult(door->app), peer->account, id);
    if (err == CN_OK) err = cn_actor_load(cn_app_consult(door->app), id, &who->actor);
    if (err == CN_OK) err = cn_dicom_reader_open(cn_app_dicom(door->app), &who->reader);
    if (err != CN_OK) {
        cn_warn("dicom", "the account %s of a peer in dicom.peers cannot store: %s", peer->account, cn_err_text(err));
        cn_strcpy(why, CN_NET_WHY, cn_err_text(err));
        free(who);
        return err == CN_ERR_NOTFOUND || err == CN_ERR_UNAUTH ? CN_NET_FORBIDDEN : CN_NET_NO_ROOM;
    }
    cn_strcpy(who->actor.address, sizeof(who->actor.address), address);
    *out = who;
    return CN_NET_TAKEN;
}

static void bye(void *ctx, void *given)
{
    (void)ctx;
    sender *who = given;
    cn_dicom_reader_close(who->reader);
    free(who);
}

/* ---- what arrived ---- */

static uint32_t status_of(cn_err err)
{
    switch (err) {
    case CN_OK: return CN_NET_TAKEN;
    case CN_ERR_FORBIDDEN:
    case CN_ERR_STATE:
    case CN_ERR_NOTFOUND:
    case CN_ERR_UNAUTH: return CN_NET_FORBIDDEN;
    case CN_ERR_UNSUPPORTED:
    case CN_ERR_CORRUPT: return CN_NET_NOT_UNDERSTOOD;
    default: return CN_NET_NO_ROOM;
    }
}

/* The process that wrote it may still have it open, so that what is kept is a copy. */
static cn_err copy(cn_files *files, const char *part, int fd)
{
    CN_AUTO_FREE char *bytes = malloc(COPY);
    int64_t at = 0;
    ssize_t got;
    if (!bytes) return CN_ERR_NOMEM;
    CN_TRY(cn_part_begin(files, part));
    while ((got = pread(fd, bytes, COPY, at)) > 0) {
        CN_TRY(cn_part_append(files, part, at, bytes, (size_t)got));
        at += got;
    }
    return got < 0 ? CN_ERR_IO : CN_OK;
}

/* The request that the accession number names (docs/operations.md), if the peer's account may add to it. */
static cn_err store(cn_dicom_door *door, const sender *who, const cn_dicom_index *index, int fd, cn_problem *problem)
{
    cn_consult *consult = cn_app_consult(door->app);
    char part[CN_ID_TEXT];
    CN_AUTO_FREE cn_intake *intake = CN_NEW(cn_intake);
    if (!intake) return CN_ERR_NOMEM;
    const char *number = cn_dicom_json_text(index->tags, "00080050");
    if (!*number)
        return cn_problem_set(problem, CN_ERR_NOTFOUND, "request", "AccessionNumber (0008,0050) names no request");
    intake->app = door->app;
    intake->actor = &who->actor;
    CN_TRY(cn_imaging_request(consult, &who->actor, number, intake->request, problem));
    cn_id_new(part);
    cn_err err = copy(consult->files, part, fd);
    if (err != CN_OK) {
        cn_part_remove(consult->files, part);
        return err;
    }
    CN_TRY(cn_intake_add(intake, part, index));
    err = cn_intake_store(intake, problem);
    cn_intake_forget(intake);
    return err;
}

static uint32_t take(void *ctx, void *given, const cn_net_file *file, int fd, char why[CN_NET_WHY])
{
    sender *who = given;
    char words[256] = "";
    cn_problem problem = {.err = CN_OK};
    cn_dicom_index index = {.tags = NULL};
    uint32_t status;
    cn_err err = cn_dicom_reader_index(who->reader, fd, &index, words, sizeof(words));
    if (err == CN_OK) err = cn_intake_check(&index, words, sizeof(words));
    if (err == CN_OK &&
        (strcmp(index.instance, file->instance) != 0 || strcmp(index.sop_class, file->sop_class) != 0)) {
        cn_strcpy(words, sizeof(words), "the file has another SOP class or instance UID");
        status = CN_NET_MISMATCH;
    } else {
        if (err == CN_OK) err = store(ctx, who, &index, fd, &problem);
        status = status_of(err);
    }
    cn_strcpy(why, CN_NET_WHY, *words ? words : *problem.detail ? problem.detail : cn_err_text(err));
    cn_dicom_index_clear(&index);
    return status;
}

static const cn_dicom_net_ops ops = {greet, take, bye};

/* ---- start and end ---- */

static cn_err read_setting(cn_dicom_door *door, cn_problem *problem)
{
    const cn_config *config = door->app->config;
    if (!cn_strcpy(door->title, sizeof(door->title), cn_config_str(config, "dicom", "title")) || !door->title[0])
        return cn_problem_set(problem, CN_ERR_INVALID, "dicom.title", "a title has 1 to 16 characters");
    return cn_peers_parse(cn_config_str(config, "dicom", "peers"), door->peers, &door->peers_n, problem);
}

static cn_err start(cn_dicom_door *door)
{
    const cn_config *config = door->app->config;
    char dir[1024], program[1200], root[4096];
    cn_dicom_net_order order = {.program = program,
                                .address = cn_config_str(config, "dicom", "listen"),
                                .port = (uint16_t)cn_config_int(config, "dicom", "port"),
                                .spool = root,
                                .idle_s = (unsigned)cn_config_int(config, "dicom", "idle_seconds"),
                                .associations = (unsigned)cn_config_int(config, "dicom", "associations"),
                                .per_address = (unsigned)cn_config_int(config, "dicom", "per_address"),
                                .bytes_max = cn_config_int(config, "files", "max_upload_mb") << 20};
    CN_TRY(cn_program_dir(dir, sizeof(dir)));
    if (!cn_fmt(program, sizeof(program), "%s/consilium-dicom-listener", dir)) return CN_ERR_TOOBIG;
    CN_AUTO_FREE char *real = realpath(cn_config_str(config, "files", "root"), NULL);
    if (!real) return CN_ERR_IO;
    if (!cn_fmt(root, sizeof(root), "%s/spool/dicom", real)) return CN_ERR_TOOBIG;
    return cn_dicom_net_start(&door->net, &order, &ops, door);
}

cn_err cn_dicom_door_open(cn_app *app)
{
    cn_problem problem = {.err = CN_OK};
    const char *address = cn_config_str(app->config, "dicom", "listen");
    if (!*address) return CN_OK;
    cn_dicom_door *door = app->dicom_door = CN_NEW(cn_dicom_door);
    if (!door) return CN_ERR_NOMEM;
    door->app = app;
    pthread_mutex_init(&door->lock, NULL);
    cn_err err = read_setting(door, &problem);
    if (err != CN_OK) {
        cn_error("dicom", "%s: %s", problem.field, problem.detail);
        return err;
    }
    err = start(door);
    if (err != CN_OK)
        cn_error("dicom", "cannot listen at dicom.listen %s, port %lld: %s", address,
                 (long long)cn_config_int(app->config, "dicom", "port"), cn_err_text(err));
    app->dicom_net = door->net;
    return err;
}

void cn_dicom_door_close(cn_app *app)
{
    cn_dicom_door *door = app->dicom_door;
    if (!door) return;
    cn_dicom_net_stop(door->net);
    pthread_mutex_destroy(&door->lock);
    free(door);
    app->dicom_door = NULL;
    app->dicom_net = NULL;
}
