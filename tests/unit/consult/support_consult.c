#include "support_consult.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"
#include "storage/vault/master.h"
#include "support_db.h"

static void must(cn_err err, const char *what)
{
    if (err == CN_OK) return;
    fprintf(stderr, "support_consult: %s: %s\n", what, cn_err_text(err));
    abort();
}

static void add_user(support_consult *support, const char *username, const char *const *roles, cn_actor *out)
{
    const cn_actor system = cn_actor_system();
    char name[64];
    cn_fmt(name, sizeof(name), "Dr %s", username);
    const cn_user_new user = {.username = username,
                              .name = name,
                              .title = "主任医师",
                              .hospital = support->hospital,
                              .department = support->department,
                              .roles = roles,
                              .password = SUPPORT_PASSWORD};
    *out = (cn_actor){.user = ""};
    must(cn_user_add(&support->c, &system, &user, out->user, NULL), username);
    for (size_t i = 0; roles[i]; i++) out->rights |= cn_role_rights(roles[i]);
    cn_strcpy(out->hospital, sizeof(out->hospital), support->hospital);
    cn_strcpy(out->department, sizeof(out->department), support->department);
    cn_strcpy(out->address, sizeof(out->address), "127.0.0.1");
}

static void open_all(support_consult *support, cn_db_kind kind)
{
    static unsigned counter;
    char key[512];
    counter++;
    cn_fmt(key, sizeof(key), "%s/master%u.key", support_dir(), counter);
    cn_fmt(support->heads, sizeof(support->heads), "%s/heads%u.log", support_dir(), counter);
    cn_fmt(support->files, sizeof(support->files), "%s/files%u", support_dir(), counter);
    must(cn_db_open(&support->c.db, support_db_url(kind), 4), "database");
    must(cn_master_key_create(key), "master key");
    must(cn_vault_open(&support->vault, support->c.db, key), "vault");
    support->c.vault = support->vault;
    support->c.zone_minutes = 480;
    must(cn_files_open(&support->c.files, support->files), "files");
    must(cn_chain_open(&support->c.audit, CN_CHAIN_AUDIT, support->c.db, support->vault, "test", support->heads),
         "audit");
    must(cn_chain_open(&support->c.ledger, CN_CHAIN_LEDGER, support->c.db, support->vault, "test", support->heads),
         "ledger");
}

support_consult *support_consult_new(cn_db_kind kind)
{
    static const char *const referrer[] = {"referrer", NULL}, *const expert[] = {"expert", NULL},
                             *const admin[] = {"consult_admin", NULL};
    const cn_actor system = cn_actor_system();
    support_consult *support = CN_NEW(support_consult);
    if (!support) abort();
    open_all(support, kind);
    must(cn_hospital_add(&support->c, &system, "County hospital", "Test", support->hospital), "hospital");
    must(cn_department_add(&support->c, &system, support->hospital, "Pathology", "P", support->department),
         "department");
    add_user(support, "referrer1", referrer, &support->referrer);
    add_user(support, "referrer2", referrer, &support->other_referrer);
    add_user(support, "expert1", expert, &support->lead);
    add_user(support, "expert2", expert, &support->expert);
    add_user(support, "expert3", expert, &support->stranger);
    add_user(support, "admin1", admin, &support->admin);
    return support;
}

void support_consult_free(support_consult *support)
{
    cn_chain_close(support->c.audit);
    cn_chain_close(support->c.ledger);
    cn_files_close(support->c.files);
    cn_vault_close(support->vault);
    cn_db_close(support->c.db);
    free(support);
}
