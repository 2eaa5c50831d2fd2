/* A whole domain on an empty database: keys, files, chains, two hospitals, a referrer, two experts, an administrator..
 */
#ifndef CN_SUPPORT_CONSULT_H
#define CN_SUPPORT_CONSULT_H

#include "consult/people/accounts.h"
#include "storage/db/backend.h"

#define SUPPORT_PASSWORD "correct-horse-7"

typedef struct support_consult {
    cn_consult c;
    cn_vault *vault;
    char heads[512]; /* file of the logs' heads */
    char files[512]; /* folder of the files */
    char hospital[CN_ID_TEXT], department[CN_ID_TEXT];
    cn_actor referrer, other_referrer, lead, expert, stranger, admin;
} support_consult;

/** Aborts the test on any failure. */
support_consult *support_consult_new(cn_db_kind kind);
void support_consult_free(support_consult *support);

#endif
