// An archive's names and a scanner's key file, as the unpacker plans with them. The first byte says how many bytes are the key file; the rest
// are the names of entries, one a line. What a plan says is unpacked below one folder, each under a name of its own.
// covers: viewer/parts/plan.c viewer/parts/names.c viewer/parts/keys.c
#include <stdint.h>
#include <string.h>

#include "viewer/parts/names.h"
#include "viewer/parts/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int good)
{
    if (!good) __builtin_trap();
}

static void name_keeps_its_promises(const char *bytes, size_t len)
{
    char path[CN_NAME_BYTES];
    cn_name_kind kind = cn_name_read(bytes, len, path);
    if (kind != CN_NAME_FILE && kind != CN_NAME_FOLDER) return;
    must(path[0] && path[0] != '/' && strlen(path) < sizeof(path) && !strstr(path, "//") && !strchr(path, '\\'));
    for (const char *part = path; part; part = strchr(part, '/')) {
        if (*part == '/') part++;
        size_t n = strcspn(part, "/");
        must(n > 0 && n <= 255 && !(n == 2 && memcmp(part, "..", 2) == 0));
    }
    cn_name_is_litter(path);
}

static void plan_keeps_its_promises(const cn_parts *plan)
{
    for (size_t i = 0; i < cn_parts_count(plan); i++) {
        const char *to = cn_parts_to(plan, i);
        if (!to) continue;
        const char *slash = strchr(to, '/');
        must(!slash || (strncmp(to, "slide/", 6) == 0 && !strchr(slash + 1, '/')));
        const char *name = slash ? slash + 1 : to;
        must(cn_name_is_plain(name, strlen(name)));
    }
    must(cn_parts_bytes(plan) >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cn_parts *plan = NULL;
    cn_zip_refusal refusal = CN_ZIP_FINE;
    if (size < 1 || cn_parts_new(&plan) != CN_OK) return 0;
    size_t keys = data[0] < size - 1 ? data[0] : size - 1;
    const char *text = (const char *)data + 1, *at = text + keys, *end = (const char *)data + size;
    cn_err err = CN_OK;
    while (err == CN_OK && at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t n = (size_t)((stop ? stop : end) - at);
        name_keeps_its_promises(at, n);
        err = cn_parts_add(plan, at, n, false, (int64_t)n, &refusal);
        at += n + (stop ? 1 : 0);
    }
    if (err == CN_OK) err = cn_parts_find(plan, &refusal);
    if (err == CN_OK && cn_parts_keys(plan) >= 0) err = cn_parts_take(plan, text, keys, &refusal);
    must((err == CN_ERR_INVALID) == (refusal != CN_ZIP_FINE));
    must(*cn_zip_word(refusal) ? *cn_zip_text(refusal) : refusal == CN_ZIP_FINE);
    if (err == CN_OK) plan_keeps_its_promises(plan);
    cn_parts_free(plan);
    return 0;
}
