#include "consult/request/patient.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"

#define EARLIEST_ZONE_MS (14 * 3600000LL) /* UTC+14: where a day begins first */

static bool only(const char *text, const char *allowed)
{
    return text[strspn(text, allowed)] == 0;
}

static int digits(const char *text, size_t n)
{
    int value = 0;
    for (size_t i = 0; i < n; i++) value = value * 10 + (text[i] - '0');
    return value;
}

/* "YYYYMMDD", digits only */
static bool day_exists(const char day[8])
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int y = digits(day, 4), m = digits(day + 4, 2), d = digits(day + 6, 2);
    if (y < 1850 || y > 2200 || m < 1 || m > 12 || d < 1) return false;
    bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
    return d <= lengths[m - 1] + (m == 2 && leap);
}

/* "YYYY-MM-DD" as eight digits */
static bool date_read(const char *text, char day[9])
{
    if (strlen(text) != 10 || text[4] != '-' || text[7] != '-') return false;
    cn_fmt(day, 9, "%.4s%.2s%.2s", text, text + 5, text + 8);
    return only(day, "0123456789") && day_exists(day);
}

static cn_err check_birth(const char *birth, int64_t now_ms, cn_problem *problem)
{
    char day[9], today[CN_TIME_TEXT];
    if (!birth[0]) return CN_OK;
    if (!date_read(birth, day))
        return cn_problem_field(problem, CN_WRONG_FORMAT, "birth_date", "must be a date YYYY-MM-DD");
    cn_time_format(now_ms + EARLIEST_ZONE_MS, today);
    if (strncmp(birth, today, 10) > 0)
        return cn_problem_field(problem, CN_WRONG_FUTURE, "birth_date", "has not come yet");
    return CN_OK;
}

/* ISO 7064 MOD 11-2 over 17 digits */
static char check_digit(const char *number)
{
    static const int weights[] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
    int sum = 0;
    for (size_t i = 0; i < 17; i++) sum += weights[i] * (number[i] - '0');
    return "10X98765432"[sum % 11];
}

static cn_err check_citizen(const cn_patient *patient, cn_problem *problem)
{
    const char *number = patient->identity;
    char day[9];
    char last = number[17] == 'x' ? 'X' : number[17];
    if (check_digit(number) != last || !day_exists(number + 6))
        return cn_problem_field(problem, CN_WRONG_CHECKSUM, "identity_number", "has a wrong digit");
    const char *sex = (number[16] - '0') % 2 ? "male" : "female";
    if (strcmp(patient->sex, "unknown") != 0 && strcmp(patient->sex, sex) != 0)
        return cn_problem_field(problem, CN_WRONG_OTHER_SEX, "identity_number", "says another sex");
    if (date_read(patient->birth, day) && strncmp(day, number + 6, 8) != 0)
        return cn_problem_field(problem, CN_WRONG_OTHER_BIRTH, "identity_number", "says another date of birth");
    return CN_OK;
}

/* Passports and permits of other places come in many forms; a citizen's number has only one. */
static cn_err check_identity(const cn_patient *patient, cn_problem *problem)
{
    const char *number = patient->identity;
    size_t n = strlen(number), head = strspn(number, "0123456789");
    if (!only(number, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-()"))
        return cn_problem_field(problem, CN_WRONG_FORMAT, "identity_number", "may hold letters and digits only");
    bool citizen = head == n || (head + 1 == n && (number[head] == 'X' || number[head] == 'x'));
    if (!citizen || n < 16) return CN_OK;
    if (n != 18 || head < 17) return cn_problem_field(problem, CN_WRONG_CHECKSUM, "identity_number", "has 18 digits");
    return check_citizen(patient, problem);
}

/* Without the country's code: digits only. */
static bool chinese(const char *number)
{
    size_t n = strlen(number);
    if (number[0] == '1') return n == 11 && number[1] >= '3';
    if (number[0] == '0') return n >= 10 && n <= 18; /* area code and number, then perhaps an extension */
    if (strncmp(number, "400", 3) == 0 || strncmp(number, "800", 3) == 0) return n == 10;
    return n == 7 || n == 8;
}

bool cn_phone_valid(const char *text)
{
    char number[32];
    size_t n = 0;
    text += strspn(text, " ");
    bool abroad = *text == '+';
    for (text += abroad; *text; text++) {
        if (strchr(" -()", *text)) continue;
        if (*text < '0' || *text > '9' || n + 1 == sizeof number) return false;
        number[n++] = *text;
    }
    number[n] = '\0';
    const char *rest = number;
    if (!abroad && strncmp(number, "00", 2) == 0) {
        abroad = true;
        rest += 2;
    }
    if (!abroad) return chinese(rest);
    if (strncmp(rest, "86", 2) != 0) return strlen(rest) >= 7 && strlen(rest) <= 15 && rest[0] != '0';
    rest += 2;
    /* abroad the area code's 0 is left out */
    return chinese(rest) || (strlen(rest) >= 9 && strlen(rest) <= 11 && rest[0] != '1') ||
           (strncmp(rest, "10", 2) == 0 && strlen(rest) == 10);
}

cn_err cn_patient_read(const json_t *patient, int64_t now_ms, cn_patient *out, cn_problem *problem)
{
    *out = (cn_patient){.name = "", .sex = "", .birth = "", .identity = "", .phone = ""};
    CN_TRY(cn_json_line(patient, "name", true, 1, 60, &out->name, problem));
    CN_TRY(cn_json_line(patient, "sex", true, 1, 10, &out->sex, problem));
    CN_TRY(cn_json_line(patient, "birth_date", false, 0, 10, &out->birth, problem));
    CN_TRY(cn_json_line(patient, "identity_number", false, 0, 30, &out->identity, problem));
    CN_TRY(cn_json_line(patient, "phone", false, 0, 30, &out->phone, problem));
    if (strcmp(out->sex, "male") != 0 && strcmp(out->sex, "female") != 0 && strcmp(out->sex, "unknown") != 0)
        return cn_problem_field(problem, CN_WRONG_FORMAT, "sex", "must be male, female or unknown");
    CN_TRY(check_birth(out->birth, now_ms, problem));
    CN_TRY(check_identity(out, problem));
    if (out->phone[0] && !cn_phone_valid(out->phone))
        return cn_problem_field(problem, CN_WRONG_FORMAT, "phone", "must be a telephone number");
    return CN_OK;
}
