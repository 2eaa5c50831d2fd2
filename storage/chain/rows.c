#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "storage/chain/chain_private.h"

#define TEXT_MAX 4096

#define AUDIT_COLUMNS "at_ms, actor, action, object, outcome, address, detail"
#define LEDGER_COLUMNS                                                                                             \
    "room_id, request_id, participant_id, user_id, hospital_id, kind, start_ms, duration_ms, area_sum, area_max, " \
    "tier_aggregate, tier_max, rule_version, end_cause"

static const cn_chain_def defs[] = {
    [CN_CHAIN_AUDIT] =
        {.name = "audit",
         .kinds = "itttttt",
         .insert = "INSERT INTO audit_log (node, boot, counter, " AUDIT_COLUMNS ", link) "
                   "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
         .tail = "SELECT counter, link FROM audit_log WHERE node = $1 AND boot = $2 ORDER BY counter DESC LIMIT 1",
         .chains = "SELECT DISTINCT node, boot FROM audit_log ORDER BY node, boot",
         .page = "SELECT counter, " AUDIT_COLUMNS ", link FROM audit_log "
                 "WHERE node = $1 AND boot = $2 AND counter > $3 ORDER BY counter LIMIT 1000"},
    [CN_CHAIN_LEDGER] =
        {.name = "ledger",
         .kinds = "ttttttiiiiiiit",
         .insert = "INSERT INTO minute_ledger (node, boot, counter, " LEDGER_COLUMNS ", link) "
                   "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
         .tail = "SELECT counter, link FROM minute_ledger WHERE node = $1 AND boot = $2 ORDER BY counter DESC LIMIT 1",
         .chains = "SELECT DISTINCT node, boot FROM minute_ledger ORDER BY node, boot",
         .page = "SELECT counter, " LEDGER_COLUMNS ", link FROM minute_ledger "
                 "WHERE node = $1 AND boot = $2 AND counter > $3 ORDER BY counter LIMIT 1000"},
};

const cn_chain_def *cn_chain_def_of(cn_chain_log log)
{
    return &defs[log];
}

static cn_val text_or_empty(const char *text)
{
    return cn_text(text ? text : "");
}

void cn_chain_audit_values(const cn_audit_row *row, cn_val out[CN_CHAIN_VALUES_MAX])
{
    out[0] = cn_int(row->at_ms ? row->at_ms : cn_wall_ms());
    out[1] = text_or_empty(row->actor);
    out[2] = text_or_empty(row->action);
    out[3] = text_or_empty(row->object);
    out[4] = text_or_empty(row->outcome);
    out[5] = text_or_empty(row->address);
    out[6] = text_or_empty(row->detail);
}

void cn_chain_ledger_values(const cn_ledger_row *row, cn_val out[CN_CHAIN_VALUES_MAX])
{
    out[0] = text_or_empty(row->room);
    out[1] = text_or_empty(row->request);
    out[2] = text_or_empty(row->participant);
    out[3] = text_or_empty(row->user);
    out[4] = text_or_empty(row->hospital);
    out[5] = text_or_empty(row->kind);
    out[6] = cn_int(row->start_ms);
    out[7] = cn_int(row->duration_ms);
    out[8] = cn_int(row->area_sum);
    out[9] = cn_int(row->area_max);
    out[10] = cn_int(row->tier_aggregate);
    out[11] = cn_int(row->tier_max);
    out[12] = cn_int(row->rule_version);
    out[13] = text_or_empty(row->end_cause);
}

cn_err cn_chain_values_check(const cn_chain_def *chain_def, const cn_val *values)
{
    for (size_t i = 0; chain_def->kinds[i]; i++) {
        if (chain_def->kinds[i] != 't') continue;
        size_t n = strnlen(values[i].s, TEXT_MAX + 1);
        if (n > TEXT_MAX || !cn_utf8_valid(values[i].s, n)) return CN_ERR_INVALID;
    }
    return CN_OK;
}

static void add_int(cn_buf *buf, int64_t value)
{
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++) bytes[i] = (uint8_t)((uint64_t)value >> (56 - 8 * i));
    cn_buf_add(buf, bytes, sizeof bytes);
}

static void add_text(cn_buf *buf, const char *text)
{
    size_t n = text ? strlen(text) : 0;
    add_int(buf, (int64_t)n);
    cn_buf_add(buf, text ? text : "", n);
}

cn_err cn_chain_link(const cn_chain_def *chain_def, const uint8_t key[32], const uint8_t prev[CN_CHAIN_LINK],
                     const cn_chain_place *at, const cn_val *values, uint8_t out[CN_CHAIN_LINK])
{
    cn_buf buf = {0};
    cn_buf_add(&buf, prev, CN_CHAIN_LINK);
    add_text(&buf, chain_def->name);
    add_text(&buf, at->node);
    add_text(&buf, at->boot);
    add_int(&buf, at->counter);
    for (size_t i = 0; chain_def->kinds[i]; i++) {
        if (chain_def->kinds[i] == 't')
            add_text(&buf, values[i].s);
        else
            add_int(&buf, values[i].i);
    }
    cn_err err = buf.err;
    if (err == CN_OK) cn_hmac_sha256(key, 32, buf.p, buf.n, out);
    cn_buf_free(&buf);
    return err;
}
