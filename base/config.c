#include "base/config.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"

/* inih cuts lines silently at 200 bytes and gives no line numbers, so the few rules of INI stand here. */

#define FILE_MAX_BYTES ((size_t)1 << 20)

enum kind { STR, INT, BOOL };

typedef struct entry {
    const char *section, *key;
    enum kind kind;
    const char *fallback;
    int64_t min, max;
    const char *what;
} entry;

static const entry table[] = {
#define X(section, key, kind, fallback, min, max, what) {#section, #key, kind, fallback, min, max, what},
    CN_CONFIG_TABLE(X)
#undef X
};

#define TABLE_N (sizeof table / sizeof *table)

struct cn_config {
    char *text[TABLE_N];
    int64_t number[TABLE_N];
    unsigned line[TABLE_N]; /* where it was set; 0: default */
};

/* Index in the table; TABLE_N when there is no such key. A NULL key asks for the section alone. */
static size_t find(const char *section, const char *key)
{
    size_t i = 0;
    while (i < TABLE_N && (strcmp(table[i].section, section) != 0 || (key && strcmp(table[i].key, key) != 0))) i++;
    return i;
}

static bool parse_bool(const char *value, int64_t *out)
{
    static const char *const words[2][4] = {{"false", "no", "off", "0"}, {"true", "yes", "on", "1"}};
    for (int on = 0; on < 2; on++)
        for (int i = 0; i < 4; i++)
            if (strcmp(value, words[on][i]) == 0) {
                *out = on;
                return true;
            }
    return false;
}

static cn_err set(cn_config *c, size_t i, const char *value, unsigned line, cn_problem *p)
{
    const entry *e = &table[i];
    char field[sizeof p->field];
    cn_fmt(field, sizeof field, "%s.%s", e->section, e->key);
    if (e->kind == INT && !cn_parse_i64(value, e->min, e->max, &c->number[i]))
        return cn_problem_set(p, CN_ERR_INVALID, field,
                              "Line %u: must be a whole number from %" PRId64 " to %" PRId64 ".", line, e->min, e->max);
    if (e->kind == BOOL && !parse_bool(value, &c->number[i]))
        return cn_problem_set(p, CN_ERR_INVALID, field, "Line %u: must be true or false.", line);
    char *copy = cn_strdup(value);
    if (!copy) return cn_problem_set(p, CN_ERR_NOMEM, field, "Out of memory.");
    cn_free_secret(c->text[i], c->text[i] ? strlen(c->text[i]) : 0); /* a connection string may hold a password */
    c->text[i] = copy;
    c->line[i] = line;
    return CN_OK;
}

static cn_err set_defaults(cn_config *c, cn_problem *p)
{
    for (size_t i = 0; i < TABLE_N; i++) CN_TRY(set(c, i, table[i].fallback, 0, p));
    return CN_OK;
}

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* Cuts blanks off both ends, in place. */
static char *trim(char *s)
{
    while (blank(*s)) s++;
    size_t n = strlen(s);
    while (n && blank(s[n - 1])) n--;
    s[n] = 0;
    return s;
}

typedef struct reader {
    cn_config *config;
    const char *section; /* into the table; NULL before the first one */
    unsigned line;
    cn_problem *problem;
} reader;

static cn_err read_section(reader *r, char *s)
{
    size_t n = strlen(s);
    if (s[n - 1] != ']')
        return cn_problem_set(r->problem, CN_ERR_PARSE, "", "Line %u: a section needs a closing bracket.", r->line);
    s[n - 1] = 0;
    char *name = trim(s + 1);
    size_t i = find(name, NULL);
    if (i == TABLE_N)
        return cn_problem_set(r->problem, CN_ERR_INVALID, name, "Line %u: there is no such section.", r->line);
    r->section = table[i].section;
    return CN_OK;
}

static cn_err read_pair(reader *r, char *s)
{
    char *equals = strchr(s, '=');
    if (!equals) return cn_problem_set(r->problem, CN_ERR_PARSE, "", "Line %u: expected key = value.", r->line);
    *equals = 0;
    char *key = trim(s), *value = trim(equals + 1);
    if (!r->section)
        return cn_problem_set(r->problem, CN_ERR_PARSE, key, "Line %u: a key needs a [section] above it.", r->line);
    char field[sizeof r->problem->field];
    cn_fmt(field, sizeof field, "%s.%s", r->section, key);
    size_t i = find(r->section, key);
    if (i == TABLE_N)
        return cn_problem_set(r->problem, CN_ERR_INVALID, field, "Line %u: there is no such key.", r->line);
    if (r->config->line[i])
        return cn_problem_set(r->problem, CN_ERR_INVALID, field, "Line %u: already set in line %u.", r->line,
                              r->config->line[i]);
    return set(r->config, i, value, r->line, r->problem);
}

static cn_err read_line(reader *r, char *s)
{
    s = trim(s);
    if (!*s || *s == '#' || *s == ';') return CN_OK;
    return *s == '[' ? read_section(r, s) : read_pair(r, s);
}

/* Checks that hold for the whole text, so that the line reader can trust its strings. */
static cn_err check_text(const char *text, size_t n, cn_problem *p)
{
    if (n > FILE_MAX_BYTES) return cn_problem_set(p, CN_ERR_TOOBIG, "", "The configuration is larger than 1 MiB.");
    unsigned line = 1;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '\n') line++;
        if ((c < 0x20 && c != '\n' && c != '\r' && c != '\t') || c == 0x7f)
            return cn_problem_set(p, CN_ERR_PARSE, "", "Line %u holds a control character.", line);
    }
    if (!cn_utf8_valid(text, n)) return cn_problem_set(p, CN_ERR_PARSE, "", "The configuration is not valid UTF-8.");
    return CN_OK;
}

static cn_err read_lines(cn_config *c, char *text, cn_problem *p)
{
    reader r = {.config = c, .problem = p};
    if (strncmp(text, "\xef\xbb\xbf", 3) == 0) text += 3; /* the mark that Windows editors put in front */
    while (text) {
        char *line = text, *end = strchr(text, '\n');
        if (end) *end = 0;
        text = end ? end + 1 : NULL;
        r.line++;
        CN_TRY(read_line(&r, line));
    }
    return CN_OK;
}

cn_err cn_config_parse(cn_config **out, const char *text, size_t n, cn_problem *p)
{
    CN_TRY(check_text(text, n, p));
    cn_config *c = CN_NEW(cn_config);
    char *copy = cn_strndup(n ? text : "", n);
    cn_err err = c && copy ? set_defaults(c, p) : cn_problem_set(p, CN_ERR_NOMEM, "", "Out of memory.");
    if (!err) err = read_lines(c, copy, p);
    cn_free_secret(copy, copy ? n : 0);
    if (err) {
        cn_config_free(c);
        return err;
    }
    *out = c;
    return CN_OK;
}

cn_err cn_config_load(cn_config **out, const char *path, cn_problem *p)
{
    char *text = NULL;
    size_t n = 0;
    cn_err err = cn_file_read(path, FILE_MAX_BYTES, &text, &n);
    if (err) return cn_problem_set(p, err, "", "The configuration file %s cannot be read: %s.", path, cn_err_text(err));
    err = cn_config_parse(out, text, n, p);
    cn_free_secret(text, n);
    return err;
}

/* A name that is not in the table is a slip in the program, not in the file. */
static size_t must_find(const char *section, const char *key)
{
    size_t i = find(section, key);
    assert(i < TABLE_N);
    return i;
}

const char *cn_config_str(const cn_config *c, const char *section, const char *key)
{
    size_t i = must_find(section, key);
    return i < TABLE_N ? c->text[i] : "";
}

int64_t cn_config_int(const cn_config *c, const char *section, const char *key)
{
    size_t i = must_find(section, key);
    return i < TABLE_N ? c->number[i] : 0;
}

void cn_config_print_reference(FILE *to)
{
    const char *section = "";
    for (size_t i = 0; i < TABLE_N; i++) {
        const entry *e = &table[i];
        if (strcmp(section, e->section) != 0) {
            fprintf(to, "%s[%s]\n", i ? "\n" : "", e->section);
            section = e->section;
        }
        fprintf(to, "# %s", e->what);
        if (e->kind == INT) fprintf(to, " (%" PRId64 " to %" PRId64 ")", e->min, e->max);
        fprintf(to, "\n%s =%s%s\n", e->key, *e->fallback ? " " : "", e->fallback);
    }
}

void cn_config_free(cn_config *c)
{
    if (!c) return;
    for (size_t i = 0; i < TABLE_N; i++) cn_free_secret(c->text[i], c->text[i] ? strlen(c->text[i]) : 0);
    free(c);
}
