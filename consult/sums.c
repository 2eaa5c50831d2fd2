#include "consult/sums.h"

#include <pthread.h>
#include <string.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"

#define SUMS 512
#define SPARE 16 /* of them for what finds no place: one per action */

typedef struct sum {
    bool open;
    int64_t since_ms; /* monotonic: when the last row was written */
    uint64_t count;   /* since then */
    cn_consult *consult;
    char user[CN_ID_TEXT], address[CN_ADDRESS_TEXT], action[32], object[96], outcome[16], detail[256];
} sum;

static struct {
    pthread_mutex_t lock;
    sum rows[SUMS];
} sums = {.lock = PTHREAD_MUTEX_INITIALIZER};

static bool same(const sum *left, const sum *right)
{
    bool one = left->open && left->consult == right->consult && strcmp(left->action, right->action) == 0 &&
               strcmp(left->address, right->address) == 0 && strcmp(left->user, right->user) == 0;
    if (!one || !*left->user) return one;
    return strcmp(left->object, right->object) == 0 && strcmp(left->detail, right->detail) == 0;
}

static sum *find_locked(const sum *wanted, size_t from, size_t upto)
{
    sum *free_one = NULL;
    for (size_t i = from; i < upto; i++) {
        if (same(&sums.rows[i], wanted)) return &sums.rows[i];
        if (!sums.rows[i].open && !free_one) free_one = &sums.rows[i];
    }
    return free_one;
}

static void write_row(const sum *done)
{
    char detail[320];
    cn_actor actor = {.user = ""};
    cn_strcpy(actor.user, sizeof actor.user, done->user);
    cn_strcpy(actor.address, sizeof actor.address, done->address);
    const char *rest = strlen(done->detail) > 2 ? done->detail + 1 : "}";
    if (!done->count)
        cn_strcpy(detail, sizeof detail, done->detail);
    else
        cn_fmt(detail, sizeof detail, "{\"count\":%llu%s%s", (unsigned long long)done->count, *rest == '}' ? "" : ",",
               rest);
    cn_audit_note(done->consult, &actor, done->action, done->object, done->outcome, detail);
}

/* Takes what is to be written out of the table; false: nothing. */
static bool count_locked(sum *wanted, int64_t now)
{
    sum *row = find_locked(wanted, 0, SUMS - SPARE);
    if (!row) {
        cn_strcpy(wanted->address, sizeof wanted->address, "others");
        *wanted->user = '\0';
        row = find_locked(wanted, SUMS - SPARE, SUMS);
    }
    if (!row) return false;
    if (!row->open) {
        wanted->open = true;
        wanted->since_ms = now;
        *row = *wanted;
        return true;
    }
    row->count++;
    if (now - row->since_ms < CN_SUM_MS) return false;
    *wanted = *row;
    row->since_ms = now;
    row->count = 0;
    return true;
}

void cn_audit_sum(cn_consult *consult, const cn_actor *actor, const char *action, const char *object,
                  const char *outcome, const char *detail)
{
    sum wanted = {.consult = consult};
    cn_strcpy(wanted.user, sizeof wanted.user, actor->user);
    cn_address_neighbour(actor->address, wanted.address);
    cn_strcpy(wanted.action, sizeof wanted.action, action);
    cn_strcpy(wanted.object, sizeof wanted.object, object);
    cn_strcpy(wanted.outcome, sizeof wanted.outcome, outcome);
    if (!cn_strcpy(wanted.detail, sizeof wanted.detail, detail ? detail : "{}"))
        cn_strcpy(wanted.detail, sizeof wanted.detail, "{}");
    pthread_mutex_lock(&sums.lock);
    bool write = count_locked(&wanted, (int64_t)cn_mono_ms());
    pthread_mutex_unlock(&sums.lock);
    if (write) write_row(&wanted);
}

/* A sum to which nothing came for a minute is closed: the next one is a row at once again. */
static bool take_locked(cn_consult *consult, size_t at, int64_t now, bool all, sum *out)
{
    sum *row = &sums.rows[at];
    if (!row->open || row->consult != consult || (!all && now - row->since_ms < CN_SUM_MS)) return false;
    *out = *row;
    row->open = row->count > 0 && !all;
    row->count = 0;
    row->since_ms = now;
    return out->count > 0;
}

void cn_audit_sums_write(cn_consult *consult, bool all)
{
    int64_t now = (int64_t)cn_mono_ms();
    for (size_t i = 0; i < SUMS; i++) {
        sum done;
        pthread_mutex_lock(&sums.lock);
        bool write = take_locked(consult, i, now, all, &done);
        pthread_mutex_unlock(&sums.lock);
        if (write) write_row(&done);
    }
}
