/*
 * Refusals that somebody can repeat without bound: the audit log cannot be shortened, so that they are counted and summed up
 * before they become rows. Any thread.
 */
#ifndef CN_CONSULT_SUMS_H
#define CN_CONSULT_SUMS_H

#include "consult/consult.h"

#define CN_SUM_MS 60000

/**
 * Notes a refusal: a row at once, then one a minute with how many there were since ("count" in its detail), for as long as
 * they come. A stranger's are summed by address and action, those of somebody who is logged in by object and detail too.
 * When 512 sums are open, further ones become one sum per action without address. Rows are written like cn_audit_note's.
 */
void cn_audit_sum(cn_consult *consult, const cn_actor *actor, const char *action, const char *object,
                  const char *outcome, const char *detail);
/** Writes the sums whose minute is over, or all of them (at the end). Blocking: job threads only. */
void cn_audit_sums_write(cn_consult *consult, bool all);

#endif
