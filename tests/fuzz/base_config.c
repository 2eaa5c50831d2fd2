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
    cn_config *config = NULL;
    cn_problem problem = {0};
    cn_err err = cn_config_parse(&config, (const char *)data, size, &problem);
    if (err) {
        if (config || problem.err != err || !*problem.detail) abort();
        return 0;
    }
    int64_t port = cn_config_int(config, "server", "port");
    if (port < 0 || port > 65535 || strchr(cn_config_str(config, "database", "url"), '\n')) abort();
    cn_config_free(config);
    return 0;
}
