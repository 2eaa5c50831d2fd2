/* Runs consilium-printer, which draws reports and their pictures. Blocking: some 0.1 s. */
#ifndef CN_CONSULT_PRESS_H
#define CN_CONSULT_PRESS_H

#include <jansson.h>

#include "base/str.h"

/** Gives a process of its own the job (printer/main.c) and appends what it made of it. CN_ERR_TIMEOUT, CN_ERR_CRASHED. Any
 * job thread, several at once. */
cn_err cn_press(const json_t *job, cn_buf *out);

#endif
