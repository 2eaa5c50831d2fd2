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

enum value_kind { STR, INT, BOOL };

typedef struct config_key {
    const char *section, *key;
    enum value_kind kind;
    const char *fallback;
    int64_t min, max;
    const char *what;
} config_key;

static const config_key table[] = {
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

static cn_err set(cn_config *config, size_t index, const char *value, unsigned line, cn_problem *problem)
{
    const config_key *row = &table[index];
    char field[sizeof problem->field];
    cn_fmt(field, sizeof field, "%s.%s", row->section, row->key);
    if (row->kind == INT && !cn_parse_i64(value, row->min, row->max, &config->number[index]))
        return cn_problem_set(problem, CN_ERR_INVALID, field,
                              "Line %u: must be a whole number from %" PRId64 " to %" PRId64 ".", line, row->min,
                              row->max);
    if (row->kind == BOOL && !parse_bool(value, &config->number[index]))
        return cn_problem_set(problem, CN_ERR_INVALID, field, "Line %u: must be true or false.", line);
    char *copy = cn_strdup(value);
    if (!copy) return cn_problem_set(problem, CN_ERR_NOMEM, field, "Out of memory.");
    cn_free_secret(config->text[index],
                   config->text[index] ? strlen(config->text[index]) : 0); /* a connection string may hold a password */
    config->text[index] = copy;
    config->line[index] = line;
    return CN_OK;
}

static cn_err set_defaults(cn_config *config, cn_problem *problem)
{
    for (size_t i = 0; i < TABLE_N; i++) CN_TRY(set(config, i, table[i].fallback, 0, problem));
    return CN_OK;
}

static bool blank(char ch)
{
    return ch == ' ' || ch == '\t' || ch == '\r';
}

/* Cuts blanks off both ends, in place. */
static char *trim(char *text)
{
    while (blank(*text)) text++;
    size_t n = strlen(text);
    while (n && blank(text[n - 1])) n--;
    text[n] = 0;
    return text;
}

typedef struct reader {
    cn_config *config;
    const char *section; /* into the table; NULL before the first one */
    unsigned line;
    cn_problem *problem;
} reader;

static cn_err read_section(reader *input, char *text)
{
    size_t n = strlen(text);
    if (text[n - 1] != ']')
        return cn_problem_set(input->problem, CN_ERR_PARSE, "", "Line %u: a section needs a closing bracket.",
                              input->line);
    text[n - 1] = 0;
    char *name = trim(text + 1);
    size_t i = find(name, NULL);
    if (i == TABLE_N)
        return cn_problem_set(input->problem, CN_ERR_INVALID, name, "Line %u: there is no such section.", input->line);
    input->section = table[i].section;
    return CN_OK;
}

static cn_err read_pair(reader *input, char *text)
{
    char *equals = strchr(text, '=');
    if (!equals) return cn_problem_set(input->problem, CN_ERR_PARSE, "", "Line %u: expected key = value.", input->line);
    *equals = 0;
    char *key = trim(text), *value = trim(equals + 1);
    if (!input->section)
        return cn_problem_set(input->problem, CN_ERR_PARSE, key, "Line %u: a key needs a [section] above it.",
                              input->line);
    char field[sizeof input->problem->field];
    cn_fmt(field, sizeof field, "%s.%s", input->section, key);
    size_t i = find(input->section, key);
    if (i == TABLE_N)
        return cn_problem_set(input->problem, CN_ERR_INVALID, field, "Line %u: there is no such key.", input->line);
    if (input->config->line[i])
        return cn_problem_set(input->problem, CN_ERR_INVALID, field, "Line %u: already set in line %u.", input->line,
                              input->config->line[i]);
    return set(input->config, i, value, input->line, input->problem);
}

static cn_err read_line(reader *input, char *text)
{
    text = trim(text);
    if (!*text || *text == '#' || *text == ';') return CN_OK;
    return *text == '[' ? read_section(input, text) : read_pair(input, text);
}

/* Checks that hold for the whole text, so that the line reader can trust its strings. */
static cn_err check_text(const char *text, size_t len, cn_problem *problem)
{
    if (len > FILE_MAX_BYTES)
        return cn_problem_set(problem, CN_ERR_TOOBIG, "", "The configuration is larger than 1 MiB.");
    unsigned line = 1;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '\n') line++;
        if ((c < 0x20 && c != '\n' && c != '\r' && c != '\t') || c == 0x7f)
            return cn_problem_set(problem, CN_ERR_PARSE, "", "Line %u holds a control character.", line);
    }
    if (!cn_utf8_valid(text, len))
        return cn_problem_set(problem, CN_ERR_PARSE, "", "The configuration is not valid UTF-8.");
    return CN_OK;
}

static cn_err read_lines(cn_config *config, char *text, cn_problem *problem)
{
    reader input = {.config = config, .problem = problem};
    if (strncmp(text, "\xef\xbb\xbf", 3) == 0) text += 3; /* the mark that Windows editors put in front */
    while (text) {
        char *line = text, *end = strchr(text, '\n');
        if (end) *end = 0;
        text = end ? end + 1 : NULL;
        input.line++;
        CN_TRY(read_line(&input, line));
    }
    return CN_OK;
}

cn_err cn_config_parse(cn_config **out, const char *text, size_t len, cn_problem *problem)
{
    CN_TRY(check_text(text, len, problem));
    cn_config *config = CN_NEW(cn_config);
    char *copy = cn_strndup(len ? text : "", len);
    cn_err err =
        config && copy ? set_defaults(config, problem) : cn_problem_set(problem, CN_ERR_NOMEM, "", "Out of memory.");
    if (!err) err = read_lines(config, copy, problem);
    cn_free_secret(copy, copy ? len : 0);
    if (err) {
        cn_config_free(config);
        return err;
    }
    *out = config;
    return CN_OK;
}

cn_err cn_config_load(cn_config **out, const char *path, cn_problem *problem)
{
    char *text = NULL;
    size_t n = 0;
    cn_err err = cn_file_read(path, FILE_MAX_BYTES, &text, &n);
    if (err)
        return cn_problem_set(problem, err, "", "The configuration file %s cannot be read: %s.", path,
                              cn_err_text(err));
    err = cn_config_parse(out, text, n, problem);
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

const char *cn_config_str(const cn_config *config, const char *section, const char *key)
{
    size_t i = must_find(section, key);
    return i < TABLE_N ? config->text[i] : "";
}

int64_t cn_config_int(const cn_config *config, const char *section, const char *key)
{
    size_t i = must_find(section, key);
    return i < TABLE_N ? config->number[i] : 0;
}

void cn_config_print_reference(FILE *to)
{
    const char *section = "";
    for (size_t i = 0; i < TABLE_N; i++) {
        const config_key *row = &table[i];
        if (strcmp(section, row->section) != 0) {
            fprintf(to, "%s[%s]\n", i ? "\n" : "", row->section);
            section = row->section;
        }
        fprintf(to, "# %s", row->what);
        if (row->kind == INT) fprintf(to, " (%" PRId64 " to %" PRId64 ")", row->min, row->max);
        fprintf(to, "\n%s =%s%s\n", row->key, *row->fallback ? " " : "", row->fallback);
    }
}

void cn_config_free(cn_config *config)
{
    if (!config) return;
    for (size_t i = 0; i < TABLE_N; i++) cn_free_secret(config->text[i], config->text[i] ? strlen(config->text[i]) : 0);
    free(config);
}
