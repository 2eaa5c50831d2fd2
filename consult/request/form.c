#include "consult/request/form.h"

#include <string.h>

#include "base/json.h"

#define LINE_CHARS 200 /* of a draft; wider than the form's own bounds: what is wrong with it is said when it is sent */
#define TEXT_CHARS 8000

cn_err cn_form_read(const json_t *body, int64_t now_ms, cn_form *out, cn_problem *problem)
{
    const char *kind = "C";
    json_t *patient = NULL;
    *out = (cn_form){.question = "", .urgency = "ordinary"};
    CN_TRY(cn_json_line(body, "kind", false, 1, 1, &kind, problem));
    if (strcmp(kind, "C") != 0)
        return cn_problem_set(problem, CN_ERR_UNSUPPORTED, "kind", "only live consultations (C) can be requested");
    CN_TRY(cn_json_line(body, "urgency", false, 1, 10, &out->urgency, problem));
    if (strcmp(out->urgency, "ordinary") != 0 && strcmp(out->urgency, "urgent") != 0)
        return cn_problem_field(problem, CN_WRONG_FORMAT, "urgency", "must be ordinary or urgent");
    CN_TRY(cn_json_obj(body, "patient", true, &patient, problem));
    cn_err err = cn_patient_read(patient, now_ms, &out->patient, problem);
    if (err != CN_OK) cn_problem_within(problem, "patient");
    CN_TRY(err);
    /* an urgent one can be accepted as soon as it is there: it has its age from the beginning */
    if (strcmp(out->urgency, "urgent") == 0 && !out->patient.birth[0])
        return cn_problem_field(problem, CN_WRONG_MISSING, "patient.birth_date", "is missing");
    CN_TRY(cn_json_str(body, "diagnosis", true, 1, 2000, &out->diagnosis, problem));
    return cn_json_str(body, "question", false, 0, 4000, &out->question, problem);
}

static cn_err copy_text(const json_t *from, const char *name, bool lines, json_t *to, cn_problem *problem)
{
    const char *text = "";
    CN_TRY(lines ? cn_json_str(from, name, false, 0, TEXT_CHARS, &text, problem)
                 : cn_json_line(from, name, false, 0, LINE_CHARS, &text, problem));
    return json_object_set_new(to, name, json_string(text)) == 0 ? CN_OK : CN_ERR_NOMEM;
}

cn_err cn_form_copy(const json_t *from, json_t *to, cn_problem *problem)
{
    static const char *const lines[] = {"name", "sex", "birth_date", "identity_number", "phone"};
    json_t *patient = NULL, *kept = json_object();
    CN_TRY(json_object_set_new(to, "patient", kept) == 0 ? CN_OK : CN_ERR_NOMEM);
    CN_TRY(copy_text(from, "urgency", false, to, problem));
    CN_TRY(copy_text(from, "diagnosis", true, to, problem));
    CN_TRY(copy_text(from, "question", true, to, problem));
    CN_TRY(cn_json_obj(from, "patient", false, &patient, problem));
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        cn_err err = copy_text(patient, lines[i], false, kept, problem);
        if (err != CN_OK) cn_problem_within(problem, "patient");
        CN_TRY(err);
    }
    return CN_OK;
}
