/* Any bytes as a configuration file: either a configuration with every value inside its bounds, or a problem that names
 * itself. */
// covers: base/config.c
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static FILE *sink;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!sink) {
        sink = fopen("/dev/null", "we");
        if (!sink) abort();
        cn_config_print_reference(sink);
    }
    cn_config *c = NULL;
    cn_problem p = {0};
    cn_err err = cn_config_parse(&c, (const char *)data, size, &p);
    if (err) {
        if (c || p.err != err || !*p.detail) abort();
        return 0;
    }
    int64_t port = cn_config_int(c, "server", "port");
    if (port < 0 || port > 65535 || strchr(cn_config_str(c, "database", "url"), '\n')) abort();
    cn_config_free(c);
    return 0;
}
