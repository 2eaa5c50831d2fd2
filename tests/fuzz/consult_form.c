/* Any JSON as a request's form: what is taken is within its bounds, and what is kept of a draft is text of the form's fields only. */
// covers: consult/request/form.c consult/request/patient.c
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "consult/request/form.h"
#include "input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void text(const char *value, size_t characters)
{
    size_t n = 0;
    must(value != NULL);
    for (const char *p = value; *p; p++) n += ((unsigned char)*p & 0xc0) != 0x80;
    must(n <= characters);
}

static void taken(const cn_form *form)
{
    const cn_patient *patient = &form->patient;
    bool urgent = strcmp(form->urgency, "urgent") == 0;
    must(urgent || strcmp(form->urgency, "ordinary") == 0);
    must(!urgent || *patient->birth);
    must(*patient->name && *form->diagnosis);
    text(patient->name, 60);
    text(form->diagnosis, 2000);
    text(form->question, 4000);
    text(patient->identity, 30);
    must(!*patient->birth || strlen(patient->birth) == 10);
    must(!*patient->phone || cn_phone_valid(patient->phone));
}

static void kept(json_t *draft)
{
    const char *key;
    json_t *value;
    json_object_foreach(draft, key, value)
    {
        must(strcmp(key, "patient") == 0 ? json_is_object(value) : json_is_string(value));
        if (json_is_object(value)) kept(value);
    }
    must(json_object_size(draft) <= 5);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cn_problem problem = {.err = CN_OK};
    cn_form form;
    json_t *body = NULL, *draft = json_object();
    char *bytes = malloc(size + 1);
    if (bytes && draft) {
        if (size) memcpy(bytes, data, size);
        bytes[size] = '\0';
        (void)cn_phone_valid(bytes);
        if (cn_json_object(&body, bytes, size, &problem) == CN_OK) {
            cn_err err = cn_form_copy(body, draft, &problem);
            if (err == CN_OK) kept(draft);
            err = cn_form_read(body, 1800000000000, &form, &problem);
            if (err == CN_OK)
                taken(&form);
            else
                must(err == CN_ERR_INVALID || err == CN_ERR_UNSUPPORTED);
        }
    }
    json_decref(body);
    json_decref(draft);
    free(bytes);
    return 0;
}
