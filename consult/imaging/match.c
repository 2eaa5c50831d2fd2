#include "consult/imaging/match.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"

typedef enum key_kind { KEY_TEXT, KEY_NAME, KEY_RANGE, KEY_UID, KEY_NUMBER } key_kind;

/* Tables 10.6.1-5 of PS3.18: what a row keeps of them. */
static const struct {
    const char *name, *tag;
    cn_imaging_level level;
    key_kind kind;
} keys[] = {
    {"StudyDate", "00080020", CN_IMAGING_STUDIES, KEY_RANGE},
    {"StudyTime", "00080030", CN_IMAGING_STUDIES, KEY_RANGE},
    {"AccessionNumber", "00080050", CN_IMAGING_STUDIES, KEY_TEXT},
    {"ReferringPhysicianName", "00080090", CN_IMAGING_STUDIES, KEY_NAME},
    {"StudyDescription", "00081030", CN_IMAGING_STUDIES, KEY_TEXT},
    {"PatientName", "00100010", CN_IMAGING_STUDIES, KEY_NAME},
    {"PatientID", "00100020", CN_IMAGING_STUDIES, KEY_TEXT},
    {"PatientBirthDate", "00100030", CN_IMAGING_STUDIES, KEY_RANGE},
    {"PatientSex", "00100040", CN_IMAGING_STUDIES, KEY_TEXT},
    {"StudyID", "00200010", CN_IMAGING_STUDIES, KEY_TEXT},
    {"SeriesDate", "00080021", CN_IMAGING_SERIES, KEY_RANGE},
    {"SeriesTime", "00080031", CN_IMAGING_SERIES, KEY_RANGE},
    {"SeriesDescription", "0008103E", CN_IMAGING_SERIES, KEY_TEXT},
    {"BodyPartExamined", "00180015", CN_IMAGING_SERIES, KEY_TEXT},
    {"SeriesNumber", "00200011", CN_IMAGING_SERIES, KEY_NUMBER},
    {"Laterality", "00200060", CN_IMAGING_SERIES, KEY_TEXT},
    {"SOPClassUID", "00080016", CN_IMAGING_INSTANCES, KEY_UID},
    {"InstanceNumber", "00200013", CN_IMAGING_INSTANCES, KEY_NUMBER},
    {"Rows", "00280010", CN_IMAGING_INSTANCES, KEY_NUMBER},
    {"Columns", "00280011", CN_IMAGING_INSTANCES, KEY_NUMBER},
    {"NumberOfFrames", "00280008", CN_IMAGING_INSTANCES, KEY_NUMBER},
};
#define KEYS (sizeof(keys) / sizeof(keys[0]))

const char *cn_dicom_key(const char *name, cn_imaging_level level)
{
    for (size_t i = 0; i < KEYS; i++)
        if (level >= keys[i].level && (strcmp(keys[i].name, name) == 0 || strcasecmp(keys[i].tag, name) == 0))
            return keys[i].tag;
    return NULL;
}

static key_kind kind_of(const char *tag)
{
    for (size_t i = 0; i < KEYS; i++)
        if (strcmp(keys[i].tag, tag) == 0) return keys[i].kind;
    return KEY_TEXT;
}

bool cn_dicom_is_wild(const char *asked)
{
    return strpbrk(asked, "*?") != NULL;
}

static bool is_everything(const char *asked)
{
    return asked[strspn(asked, "*")] == '\0';
}

/* ---- what can be asked ---- */

/* Digits, and one - at most. */
static bool is_range(const char *asked, size_t n)
{
    const char *dash = strchr(asked, '-');
    return strspn(asked, "0123456789.-") == n && n > (dash ? 1u : 0u) && (!dash || !strchr(dash + 1, '-'));
}

bool cn_dicom_askable(const char *tag, const char *asked)
{
    int64_t number;
    size_t n = strlen(asked);
    if (is_everything(asked)) return true;
    switch (kind_of(tag)) {
    case KEY_RANGE: return is_range(asked, n);
    case KEY_UID: return strspn(asked, "0123456789.,\\") == n;
    case KEY_NUMBER: return cn_parse_i64(asked, -2147483648, 2147483647, &number);
    default: return cn_utf8_valid(asked, n);
    }
}

/* ---- matching ---- */

static bool same(char a, char b, bool folded)
{
    return folded ? tolower((unsigned char)a) == tolower((unsigned char)b) : a == b;
}

/* ? is one character, of however many bytes. */
static size_t character(const char *text)
{
    size_t n = 1;
    while (((unsigned char)text[n] & 0xc0) == 0x80) n++;
    return n;
}

/* One star remembered is enough: what an earlier one may take, the later one may as well. */
static bool wild(const char *text, const char *asked, bool folded)
{
    const char *star = NULL, *from = NULL;
    while (*text) {
        if (*asked == '*') {
            star = asked++;
            from = text;
        } else if (*asked == '?') {
            text += character(text);
            asked++;
        } else if (*asked && same(*text, *asked, folded)) {
            text++;
            asked++;
        } else if (star) {
            from += character(from);
            text = from;
            asked = star + 1;
        } else
            return false;
    }
    return is_everything(asked);
}

/* "20260101-20260131", "-20260131", "1030-": what is asked less exactly takes all of it in. */
static bool in_range(const char *text, const char *asked)
{
    size_t n = strcspn(asked, "-");
    const char *end = asked[n] == '-' ? asked + n + 1 : asked;
    if (!*text) return false;
    if (n && strncmp(text, asked, n) < 0) return false;
    return !*end || strncmp(text, end, strlen(end)) <= 0;
}

static bool in_list(const char *text, const char *asked)
{
    size_t len = strlen(text);
    for (const char *at = asked; *at;) {
        size_t n = strcspn(at, ",\\");
        if (n == len && memcmp(at, text, n) == 0) return true;
        at += n + (at[n] != '\0');
    }
    return false;
}

static bool text_matches(const char *text, const char *asked, key_kind kind)
{
    switch (kind) {
    case KEY_RANGE: return in_range(text, asked);
    case KEY_UID: return in_list(text, asked);
    default: return wild(text, asked, kind == KEY_NAME);
    }
}

static bool value_matches(const json_t *value, const char *asked, key_kind kind)
{
    const char *way;
    json_t *name;
    if (json_is_string(value) && kind == KEY_NUMBER)
        return strtod(json_string_value(value), NULL) == strtod(asked, NULL);
    if (json_is_string(value)) return text_matches(json_string_value(value), asked, kind);
    if (json_is_number(value)) return json_number_value(value) == strtod(asked, NULL);
    json_object_foreach((json_t *)value, way, name) if (json_is_string(name) &&
                                                        text_matches(json_string_value(name), asked, kind)) return true;
    return false;
}

bool cn_dicom_matches(const json_t *item, const char *tag, const char *asked)
{
    const json_t *values = json_object_get(json_object_get(item, tag), "Value");
    if (is_everything(asked)) return true;
    for (size_t i = 0; i < json_array_size(values); i++)
        if (value_matches(json_array_get(values, i), asked, kind_of(tag))) return true;
    return false;
}
