/* Who takes part in a consultation, before and after a change; and what else the same people have to do then. */
#ifndef CN_CONSULT_REQUEST_LINEUP_H
#define CN_CONSULT_REQUEST_LINEUP_H

#include "base/mem.h"
#include "consult/scope.h"

#define CN_EXPERTS_MAX 30

typedef struct cn_lineup {
    size_t n;
    struct {
        char id[CN_ID_TEXT], name[100];
        bool lead;
    } who[CN_EXPERTS_MAX];
} cn_lineup;

cn_err cn_lineup_load(cn_conn *conn, const char *request, cn_lineup *out);

/** "+ " who came, "− " who went, "★ " who leads now and did not before: names for people, ids for the audit log. */
void cn_lineup_changes(const cn_lineup *before, const cn_lineup *after, cn_buf *names, cn_buf *ids);

/** Those of `before` who are not in `after`. */
void cn_lineup_gone(const cn_lineup *before, const cn_lineup *after, cn_lineup *gone);

/** Whether one of the request's experts has another consultation that touches its time. In whole minutes, as
 * everybody reads them: what begins when the other ends does not. */
cn_err cn_lineup_booked(cn_conn *conn, const char *request, bool *booked);

#endif
