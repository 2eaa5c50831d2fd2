#include "signaling/app.h"

#include <openssl/crypto.h>
#include <stdatomic.h>
#include <string.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "consult/sums.h"
#include "signaling/convert.h"
#include "storage/vault/master.h"
#include "viewer/document/plain.h"

#define RETRY_MS 60000u
#define HOUR_MS 3600000u
#define SUMS_MS 10000u

/* A copy that is not there yet is the start's to make, so that it holds what the first file has. */
static cn_err open_copy(cn_app *app)
{
    const char *copy = cn_config_str(app->config, "audit", "heads_copy"),
               *root = cn_config_str(app->config, "files", "root");
    bool fits = *copy ? cn_strcpy(app->heads_copy, sizeof app->heads_copy, copy)
                      : cn_fmt(app->heads_copy, sizeof app->heads_copy, "%s/chain-heads.log", root);
    if (!fits) return CN_ERR_TOOBIG;
    CN_TRY(cn_chain_heads_copy(app->audit, app->heads_copy));
    return cn_chain_heads_copy(app->ledger, app->heads_copy);
}

static cn_err open_storage(cn_app *app)
{
    const cn_config *config = app->config;
    const char *url = cn_config_str(config, "database", "url"), *heads = cn_config_str(config, "audit", "heads");
    const char *node = cn_config_str(config, "server", "node");
    CN_AUTO_FREE char *opened = NULL; /* the connection string may hold a password */
    CN_TRY(cn_master_key_open_url(cn_config_str(config, "keys", "master"), url, &opened));
    cn_err err = cn_db_open(&app->db, opened, (unsigned)cn_config_int(config, "database", "connections"));
    OPENSSL_cleanse(opened, strlen(opened));
    CN_TRY(err);
    CN_TRY(cn_vault_open(&app->vault, app->db, cn_config_str(config, "keys", "master")));
    CN_TRY(cn_chain_open(&app->audit, CN_CHAIN_AUDIT, app->db, app->vault, node, heads));
    CN_TRY(cn_chain_open(&app->ledger, CN_CHAIN_LEDGER, app->db, app->vault, node, heads));
    CN_TRY(cn_files_open(&app->files, cn_config_str(config, "files", "root")));
    return open_copy(app);
}

cn_err cn_app_open(cn_app *app, const cn_config *config)
{
    *app = (cn_app){.config = config};
    cn_looks_init(&app->looks);
    cn_err err = open_storage(app);
    if (err != CN_OK) {
        cn_app_close(app);
        return err;
    }
    app->consult = (cn_consult){.db = app->db,
                                .vault = app->vault,
                                .files = app->files,
                                .audit = app->audit,
                                .ledger = app->ledger,
                                .zone_minutes = (int)cn_config_int(config, "server", "time_zone_minutes")};
    return CN_OK;
}

cn_chain_proof cn_app_proof(const cn_app *app)
{
    return (cn_chain_proof){.heads = cn_config_str(app->config, "audit", "heads"),
                            .copy = app->heads_copy,
                            .node = cn_config_str(app->config, "server", "node")};
}

void cn_app_close(cn_app *app)
{
    cn_files_close(app->files);
    cn_chain_close(app->ledger);
    cn_chain_close(app->audit);
    cn_vault_close(app->vault);
    cn_db_close(app->db);
    cn_looks_end(&app->looks);
    *app = (cn_app){.config = NULL};
}

cn_login_limits cn_app_login_limits(const cn_app *app)
{
    return (cn_login_limits){.idle_ms = cn_config_int(app->config, "server", "idle_minutes") * 60000,
                             .life_ms = cn_config_int(app->config, "server", "login_hours") * 3600000};
}

cn_consult *cn_app_consult(cn_app *app)
{
    return &app->consult;
}

cn_dicom_shelf *cn_app_dicom_shelf(const cn_app *app)
{
    return app->dicom_shelf;
}

cn_dicom_readers *cn_app_dicom(const cn_app *app)
{
    return app->dicom;
}
const char *cn_app_scratch(const cn_app *app)
{
    return app->scratch;
}
cn_slides *cn_app_slides(const cn_app *app)
{
    return app->slides;
}

int64_t cn_app_config_int(const cn_app *app, const char *section, const char *key)
{
    return cn_config_int(app->config, section, key);
}

const char *cn_app_config_str(const cn_app *app, const char *section, const char *key)
{
    return cn_config_str(app->config, section, key);
}

cn_pictures *cn_app_pictures(const cn_app *app)
{
    return app->pictures;
}

static void wait_with(cn_app *app, cn_err err)
{
    if (err == CN_OK || err == CN_ERR_CLOSED) return;
    cn_error("signaling.convert", "files wait until it can go on: %s", cn_err_text(err));
    atomic_store(&app->convert_again, true);
}

static void make_levels(void *arg)
{
    cn_app *app = arg;
    wait_with(app, cn_convert_levels(&app->consult, app->slides, app->scratch, app->convert_stop));
}

static void convert(void *arg)
{
    cn_app *app = arg;
    if (!cn_child_permitted()) return; /* they wait for another kernel, or for who allows it */
    wait_with(app, cn_convert_waiting(app->line, &app->consult, app->slides, app->scratch, app->convert_stop));
    (void)cn_jobs_add(app->leveller, make_levels, app); /* full: as below */
}

void cn_app_convert_soon(cn_app *app)
{
    /* full: one that has not begun is in line already and will see this file too */
    for (int i = 0; i < CN_CONVERTERS; i++) (void)cn_jobs_add(app->converter, convert, app);
}

static void expire_uploads(void *arg)
{
    cn_app *app = arg;
    cn_err err = cn_upload_expire(&app->consult, cn_wall_ms());
    if (err != CN_OK) cn_warn("signaling.upkeep", "old uploads stay for now: %s", cn_err_text(err));
}

static void retry_stuck(void *arg)
{
    cn_app *app = arg;
    cn_err err = cn_file_retry(&app->consult, false);
    if (err != CN_OK) cn_warn("signaling.upkeep", "files that are stuck stay so for now: %s", cn_err_text(err));
    cn_app_convert_soon(app);
}

static void hourly_tick(void *arg)
{
    cn_app *app = arg;
    /* full: an hour later */
    (void)cn_jobs_add(app->db_jobs, expire_uploads, app);
    (void)cn_jobs_add(app->db_jobs, retry_stuck, app);
}

static void write_sums(void *arg)
{
    cn_app *app = arg;
    cn_audit_sums_write(&app->consult, false);
}

static void sums_tick(void *arg)
{
    cn_app *app = arg;
    (void)cn_jobs_add(app->db_jobs, write_sums, app); /* full: ten seconds later */
}

static void retry_tick(void *arg)
{
    cn_app *app = arg;
    if (atomic_exchange(&app->convert_again, false)) cn_app_convert_soon(app);
}

cn_err cn_app_upkeep(cn_app *app)
{
    CN_TRY(cn_file_sweep(&app->consult, CN_LEVELS_NAME));
    CN_TRY(cn_file_sweep(&app->consult, CN_PYRAMID_NAME));
    CN_TRY(cn_file_retry(&app->consult, true));
    CN_TRY(cn_door_every(app->door, HOUR_MS, hourly_tick, app));
    CN_TRY(cn_door_every(app->door, RETRY_MS, retry_tick, app));
    CN_TRY(cn_door_every(app->door, SUMS_MS, sums_tick, app));
    return cn_jobs_add(app->db_jobs, expire_uploads, app);
}

cn_live *cn_app_live(const cn_app *app)
{
    return app->live;
}

const cn_turn *cn_app_turn(const cn_app *app)
{
    return app->turn;
}
