#include "consult/consult.h"

#include "base/log.h"

void cn_audit_note(cn_consult *consult, const cn_actor *actor, const char *action, const char *object,
                   const char *outcome, const char *detail)
{
    const cn_audit_row row = {.actor = actor->user,
                              .action = action,
                              .object = object,
                              .outcome = outcome,
                              .address = actor->address,
                              .detail = detail};
    cn_err err = cn_chain_audit(consult->audit, &row);
    if (err != CN_OK)
        cn_error("consult.audit", "%s of %s could not be written to the audit log: %s", action, object,
                 cn_err_text(err));
}

cn_err cn_act_begin(cn_act *act, cn_consult *consult, const cn_actor *actor)
{
    *act = (cn_act){.c = consult, .actor = actor};
    CN_TRY(cn_conn_acquire(consult->db, &act->conn));
    cn_err err = cn_tx_begin(act->conn);
    if (err != CN_OK) cn_conn_release(act->conn);
    return err;
}

cn_err cn_act_answer(cn_act *act, cn_err err, const char *request, cn_answer *answer)
{
    if (err != CN_OK || !answer) return err;
    err = answer->read(act->c, act->conn, act->actor, request, &answer->json);
    /* who gave his part up with this act has done it all the same; so has who acts on what the vault cannot read */
    return err == CN_ERR_NOTFOUND || err == CN_ERR_CRYPTO || err == CN_ERR_CORRUPT ? CN_OK : err;
}

cn_err cn_act_end(cn_act *act, cn_err err, const char *action, const char *object, const char *detail)
{
    const cn_audit_row row = {.actor = act->actor->user,
                              .action = action,
                              .object = object,
                              .outcome = "ok",
                              .address = act->actor->address,
                              .detail = detail};
    if (err == CN_OK) {
        err = cn_chain_audit_tx(act->c->audit, act->conn, &row);
        if (err == CN_OK) err = cn_chain_commit(act->c->audit, act->conn);
        if (err != CN_OK) cn_tx_rollback(act->conn);
        cn_conn_release(act->conn);
        return err;
    }
    cn_tx_rollback(act->conn);
    cn_conn_release(act->conn);
    bool denied = err == CN_ERR_FORBIDDEN || err == CN_ERR_NOTFOUND || err == CN_ERR_UNAUTH;
    cn_audit_note(act->c, act->actor, action, object, denied ? "denied" : "failed", detail);
    return err;
}
