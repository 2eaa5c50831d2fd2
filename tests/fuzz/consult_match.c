/* A value and what is asked of it, with a zero between: any text, any wildcards, ends with yes or no. What matches itself is found. */
// covers: consult/imaging/match.c
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "consult/imaging/match.h"
#include "input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const tags[] = {"00100010", "00081030", "00080020", "00080016", "00200013"};
    if (size < 2) return 0;
    char *text = malloc(size);
    must(text != NULL);
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    const char *tag = tags[data[0] % 5], *asked = strlen(text) < size - 1 ? text + strlen(text) + 1 : "";
    const char *key = cn_dicom_key(text, CN_IMAGING_INSTANCES);
    must(!key || strlen(key) == 8);
    json_t *item = json_pack("{s:{s:[s, {s:s}]}}", tag, "Value", text, "Alphabetic", text);
    if (item) {
        if (cn_dicom_askable(tag, asked)) (void)cn_dicom_matches(item, tag, asked);
        if (!cn_dicom_is_wild(text) && strcmp(tag, "00081030") == 0) must(cn_dicom_matches(item, tag, text));
        json_decref(item);
    }
    free(text);
    return 0;
}
