#include "viewer/parts/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "viewer/parts/keys.h"
#include "viewer/parts/names.h"

typedef struct entry {
    char *name; /* UTF-8; NULL: a folder or litter */
    char *to;   /* NULL: left out */
    int64_t size;
} entry;

struct cn_parts {
    entry *entries;
    size_t n, room;
    entry **sorted; /* those with a name */
    size_t names;
    entry *main, *keys; /* the slide's file; what names its parts, NULL: nothing does */
    bool folder;        /* MRXS: parts lie beside the key file and go into a folder */
};

const char *cn_zip_word(cn_zip_refusal refusal)
{
    static const char *const words[] = {
#define X(name, word, text) word,
        CN_ZIP_TABLE(X)
#undef X
    };
    return refusal < CN_ZIP_REFUSALS ? words[refusal] : "";
}

const char *cn_zip_text(cn_zip_refusal refusal)
{
    static const char *const texts[] = {
#define X(name, word, text) text,
        CN_ZIP_TABLE(X)
#undef X
    };
    return refusal < CN_ZIP_REFUSALS ? texts[refusal] : "";
}

static cn_err refuse(cn_zip_refusal *refusal, cn_zip_refusal why)
{
    *refusal = why;
    return CN_ERR_INVALID;
}

cn_err cn_parts_new(cn_parts **out)
{
    *out = CN_NEW(cn_parts);
    return *out ? CN_OK : CN_ERR_NOMEM;
}

void cn_parts_free(cn_parts *plan)
{
    if (!plan) return;
    for (size_t i = 0; i < plan->n; i++) {
        free(plan->entries[i].name);
        free(plan->entries[i].to);
    }
    free(plan->entries);
    free(plan->sorted);
    free(plan);
}

static cn_err make_room(cn_parts *plan)
{
    if (plan->n < plan->room) return CN_OK;
    size_t room = plan->room ? 2 * plan->room : 64;
    entry *more = reallocarray(plan->entries, room, sizeof(entry));
    if (!more) return CN_ERR_NOMEM;
    plan->entries = more;
    plan->room = room;
    return CN_OK;
}

cn_err cn_parts_add(cn_parts *plan, const char *bytes, size_t len, bool folder, int64_t size, cn_zip_refusal *refusal)
{
    char name[CN_NAME_BYTES];
    cn_name_kind kind = cn_name_read(bytes, len, name);
    if (kind == CN_NAME_OUTSIDE) return refuse(refusal, CN_ZIP_OUTSIDE);
    if (kind == CN_NAME_BAD) return refuse(refusal, CN_ZIP_NAME);
    if (plan->n == CN_PLAN_ENTRIES) return refuse(refusal, CN_ZIP_MANY);
    CN_TRY(make_room(plan));
    entry *it = &plan->entries[plan->n];
    *it = (entry){.size = size > 0 ? size : 0};
    if (!folder && kind == CN_NAME_FILE && !cn_name_is_litter(name) && !(it->name = cn_strdup(name)))
        return CN_ERR_NOMEM;
    plan->n++;
    return CN_OK;
}

/* ---- finding the slide ---- */

static int by_name(const void *left, const void *right)
{
    return strcasecmp((*(entry *const *)left)->name, (*(entry *const *)right)->name);
}

static cn_err sort_names(cn_parts *plan, cn_zip_refusal *refusal)
{
    plan->sorted = calloc(plan->n ? plan->n : 1, sizeof(entry *));
    if (!plan->sorted) return CN_ERR_NOMEM;
    for (size_t i = 0; i < plan->n; i++)
        if (plan->entries[i].name) plan->sorted[plan->names++] = &plan->entries[i];
    qsort(plan->sorted, plan->names, sizeof(entry *), by_name);
    for (size_t i = 1; i < plan->names; i++)
        if (by_name(&plan->sorted[i - 1], &plan->sorted[i]) == 0) return refuse(refusal, CN_ZIP_TWICE);
    return CN_OK;
}

static entry *find(const cn_parts *plan, const char *name)
{
    entry wanted = {.name = (char *)name}, *key = &wanted;
    entry **found = bsearch(&key, plan->sorted, plan->names, sizeof(entry *), by_name);
    return found ? *found : NULL;
}

static const char *ending_of(const char *name)
{
    const char *slash = strrchr(name, '/'), *dot = strrchr(name, '.');
    return dot && (!slash || dot > slash) ? dot + 1 : "";
}

static bool ends_with(const char *name, const char *const *endings)
{
    for (size_t i = 0; endings[i]; i++)
        if (strcasecmp(ending_of(name), endings[i]) == 0) return true;
    return false;
}

/* How many have one of these endings; the last of them. */
static size_t count(const cn_parts *plan, const char *const *endings, entry **last)
{
    size_t found = 0;
    for (size_t i = 0; i < plan->names; i++) {
        if (!ends_with(plan->sorted[i]->name, endings)) continue;
        *last = plan->sorted[i];
        found++;
    }
    return found;
}

static bool has_slidedat(const cn_parts *plan)
{
    static const char word[] = "slidedat.ini";
    for (size_t i = 0; i < plan->names; i++) {
        const char *slash = strrchr(plan->sorted[i]->name, '/');
        if (strcasecmp(slash ? slash + 1 : plan->sorted[i]->name, word) == 0) return true;
    }
    return false;
}

static cn_err set_to(entry *it, const char *folder, const char *name, size_t len)
{
    char path[CN_NAME_BYTES];
    if (!cn_fmt(path, sizeof(path), "%s%.*s", folder, (int)len, name)) return CN_ERR_INVALID;
    free(it->to);
    it->to = cn_strdup(path);
    return it->to ? CN_OK : CN_ERR_NOMEM;
}

static cn_err set_main(cn_parts *plan)
{
    char name[64];
    size_t n = 0;
    if (!cn_fmt(name, sizeof(name), CN_PARTS_STEM ".%s", ending_of(plan->main->name))) return CN_ERR_INVALID;
    for (n = 0; name[n]; n++)
        if (name[n] >= 'A' && name[n] <= 'Z') name[n] = (char)(name[n] - 'A' + 'a');
    return set_to(plan->main, "", name, n);
}

static cn_err find_mrxs(cn_parts *plan, cn_zip_refusal *refusal)
{
    char name[CN_NAME_BYTES + 16];
    const char *main = plan->main->name;
    if (!cn_fmt(name, sizeof(name), "%.*s/Slidedat.ini", (int)(ending_of(main) - 1 - main), main))
        return refuse(refusal, CN_ZIP_NO_FOLDER);
    plan->folder = true;
    plan->keys = find(plan, name);
    if (!plan->keys) return refuse(refusal, CN_ZIP_NO_FOLDER);
    return set_to(plan->keys, CN_PARTS_STEM "/", "Slidedat.ini", strlen("Slidedat.ini"));
}

cn_err cn_parts_find(cn_parts *plan, cn_zip_refusal *refusal)
{
    static const char *const mrxs[] = {"mrxs", NULL}, *const vms[] = {"vms", "vmu", NULL};
    static const char *const whole[] = {"mrxs", "vms", "vmu", NULL};
    static const char *const single[] = {"svs", "tif", "tiff", "ndpi", "scn", "bif", NULL};
    CN_TRY(sort_names(plan, refusal));
    size_t found = count(plan, whole, &plan->main);
    if (found == 0) {
        if (has_slidedat(plan)) return refuse(refusal, CN_ZIP_NO_MRXS);
        found = count(plan, single, &plan->main);
    }
    if (found != 1) return refuse(refusal, found ? CN_ZIP_SEVERAL : CN_ZIP_NO_SLIDE);
    if (ends_with(plan->main->name, mrxs)) CN_TRY(find_mrxs(plan, refusal));
    if (ends_with(plan->main->name, vms)) plan->keys = plan->main;
    return set_main(plan);
}

/* ---- its parts ---- */

int64_t cn_parts_keys(const cn_parts *plan)
{
    return plan->keys ? plan->keys - plan->entries : -1;
}

/* What it cannot be opened without; all else that it names, and that is there, is taken too. */
static bool is_needed(const cn_keys_line *line)
{
    if (cn_keys_is(line->section, "HIERARCHICAL")) return cn_keys_is(line->key, "INDEXFILE");
    if (cn_keys_is(line->section, "DATAFILE"))
        return cn_keys_begins(line->key, "FILE_") && !cn_keys_is(line->key, "FILE_COUNT");
    return cn_keys_begins(line->key, "ImageFile") || cn_keys_is(line->key, "MapFile");
}

/* What lies beside the key file under that name. */
static entry *beside(const cn_parts *plan, cn_keys_text value)
{
    char name[CN_NAME_BYTES], path[2 * CN_NAME_BYTES];
    const char *slash = strrchr(plan->keys->name, '/');
    int folder = slash ? (int)(slash + 1 - plan->keys->name) : 0;
    if (!cn_name_is_plain(value.p, value.n) || cn_name_read(value.p, value.n, name) != CN_NAME_FILE) return NULL;
    if (!cn_fmt(path, sizeof(path), "%.*s%s", folder, plan->keys->name, name)) return NULL;
    return find(plan, path);
}

/* Of two names for one file the first is kept; "slide.…" is the main file's alone. */
static cn_err take(cn_parts *plan, const cn_keys_line *line, bool *lacks)
{
    entry *part = beside(plan, line->value);
    if (!part && is_needed(line) && line->value.n) *lacks = true;
    if (!part || part->to) return CN_OK;
    if (!plan->folder && line->value.n > strlen(CN_PARTS_STEM) &&
        strncasecmp(line->value.p, CN_PARTS_STEM ".", strlen(CN_PARTS_STEM ".")) == 0) {
        *lacks = *lacks || is_needed(line);
        return CN_OK;
    }
    return set_to(part, plan->folder ? CN_PARTS_STEM "/" : "", line->value.p, line->value.n);
}

cn_err cn_parts_take(cn_parts *plan, const char *text, size_t len, cn_zip_refusal *refusal)
{
    cn_keys keys;
    cn_keys_line line;
    bool lacks = false;
    cn_keys_begin(&keys, text, len);
    while (cn_keys_next(&keys, &line)) CN_TRY(take(plan, &line, &lacks));
    return lacks ? refuse(refusal, CN_ZIP_LACKS) : CN_OK;
}

size_t cn_parts_count(const cn_parts *plan)
{
    return plan->n;
}

const char *cn_parts_to(const cn_parts *plan, size_t i)
{
    return i < plan->n ? plan->entries[i].to : NULL;
}

int64_t cn_parts_bytes(const cn_parts *plan)
{
    int64_t sum = 0;
    for (size_t i = 0; i < plan->n; i++)
        if (plan->entries[i].to && __builtin_add_overflow(sum, plan->entries[i].size, &sum)) return INT64_MAX;
    return sum;
}
