#include "support_consult.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"
#include "support_db.h"

static void must(cn_err err, const char *what)
{
    if (err == CN_OK) return;
    fprintf(stderr, "support_consult: %s: %s\n", what, cn_err_text(err));
    abort();
}

static void add_user(support_consult *s, const char *username, const char *const *roles, cn_actor *out)
{
    const cn_actor system = cn_actor_system();
    char name[64];
    cn_fmt(name, sizeof(name), "Dr %s", username);
    const cn_user_new u = {.username = username,
                           .name = name,
                           .title = "主任医师",
                           .hospital = s->hospital,
                           .department = s->department,
                           .roles = roles,
                           .password = SUPPORT_PASSWORD};
    *out = (cn_actor){.user = ""};
    must(cn_user_add(&s->c, &system, &u, out->user, NULL), username);
    for (size_t i = 0; roles[i]; i++) out->rights |= cn_role_rights(roles[i]);
    cn_strcpy(out->hospital, sizeof(out->hospital), s->hospital);
    cn_strcpy(out->department, sizeof(out->department), s->department);
    cn_strcpy(out->address, sizeof(out->address), "127.0.0.1");
}

static void open_all(support_consult *s, cn_db_kind kind)
{
    static unsigned counter;
    char key[512];
    counter++;
    cn_fmt(key, sizeof(key), "%s/master%u.key", support_dir(), counter);
    cn_fmt(s->heads, sizeof(s->heads), "%s/heads%u.log", support_dir(), counter);
    cn_fmt(s->files, sizeof(s->files), "%s/files%u", support_dir(), counter);
    must(cn_db_open(&s->c.db, support_db_url(kind), 4), "database");
    must(cn_master_key_create(key), "master key");
    must(cn_vault_open(&s->vault, s->c.db, key), "vault");
    s->c.vault = s->vault;
    s->c.zone_minutes = 480;
    must(cn_files_open(&s->c.files, s->files), "files");
    must(cn_chain_open(&s->c.audit, CN_CHAIN_AUDIT, s->c.db, s->vault, "test", s->heads), "audit");
    must(cn_chain_open(&s->c.ledger, CN_CHAIN_LEDGER, s->c.db, s->vault, "test", s->heads), "ledger");
}

support_consult *support_consult_new(cn_db_kind kind)
{
    static const char *const referrer[] = {"referrer", NULL}, *const expert[] = {"expert", NULL},
                             *const admin[] = {"consult_admin", NULL};
    const cn_actor system = cn_actor_system();
    support_consult *s = CN_NEW(support_consult);
    if (!s) abort();
    open_all(s, kind);
    must(cn_hospital_add(&s->c, &system, "County hospital", "Test", s->hospital), "hospital");
    must(cn_department_add(&s->c, &system, s->hospital, "Pathology", "P", s->department), "department");
    add_user(s, "referrer1", referrer, &s->referrer);
    add_user(s, "referrer2", referrer, &s->other_referrer);
    add_user(s, "expert1", expert, &s->lead);
    add_user(s, "expert2", expert, &s->expert);
    add_user(s, "expert3", expert, &s->stranger);
    add_user(s, "admin1", admin, &s->admin);
    return s;
}

void support_consult_free(support_consult *s)
{
    cn_chain_close(s->c.audit);
    cn_chain_close(s->c.ledger);
    cn_files_close(s->c.files);
    cn_vault_close(s->vault);
    cn_db_close(s->c.db);
    free(s);
}
