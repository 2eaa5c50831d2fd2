#include "signaling/live/params.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

#define OFFER_MAX (200 * 1024)
#define SECTIONS_MAX 128

static cn_err read_sections(const json_t *params, cn_offer_params *out, cn_problem *problem)
{
    json_t *sections, *what;
    const char *mid;
    CN_TRY(cn_json_obj(params, "sections", true, &sections, problem));
    if (json_object_size(sections) == 0 || json_object_size(sections) > SECTIONS_MAX)
        return cn_problem_set(problem, CN_ERR_INVALID, "sections", "1 to %d entries", SECTIONS_MAX);
    out->sections = cn_calloc(json_object_size(sections), sizeof *out->sections);
    if (!out->sections) return CN_ERR_NOMEM;
    json_object_foreach(sections, mid, what)
    {
        cn_section *section = &out->sections[out->count];
        const char *name = json_string_value(what);
        section->source = name ? cn_source_parse(name) : CN_SOURCE_NONE;
        if (!name || (section->source == CN_SOURCE_NONE && strcmp(name, "slot") != 0))
            return cn_problem_set(problem, CN_ERR_INVALID, "sections", "each is mic, camera, screen, device or slot");
        if (!*mid || !cn_strcpy(section->mid, sizeof section->mid, mid))
            return cn_problem_set(problem, CN_ERR_INVALID, "sections", "a mid is empty or too long");
        out->count++;
    }
    return CN_OK;
}

/* SDP has line ends, which the usual reader of texts does not let pass. */
static cn_err read_sdp(const json_t *params, cn_offer_params *out, cn_problem *problem)
{
    const json_t *offer = json_object_get(params, "offer");
    size_t n = json_string_length(offer);
    if (!json_is_string(offer) || n == 0 || n > OFFER_MAX || strlen(json_string_value(offer)) != n)
        return cn_problem_set(problem, CN_ERR_INVALID, "offer", "must be an SDP text of at most %d bytes", OFFER_MAX);
    out->sdp = cn_strdup(json_string_value(offer));
    return out->sdp ? CN_OK : CN_ERR_NOMEM;
}

cn_err cn_offer_params_read(const json_t *params, cn_offer_params *out, cn_problem *problem)
{
    *out = (cn_offer_params){.sdp = NULL};
    CN_TRY(read_sdp(params, out, problem));
    return read_sections(params, out, problem);
}

void cn_offer_params_free(cn_offer_params *params)
{
    free(params->sdp);
    free(params->sections);
    *params = (cn_offer_params){.sdp = NULL};
}

static bool room_name_valid(const char *text)
{
    return text[strspn(text, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_")] == '\0';
}

cn_err cn_join_params_read(const json_t *params, cn_join_params *out, cn_problem *problem)
{
    const char *room, *device = "desktop", *resume = "", *former = "", *elsewhere = "";
    CN_TRY(cn_json_line(params, "room", true, 1, 63, &room, problem));
    CN_TRY(cn_json_line(params, "device", false, 1, 16, &device, problem));
    CN_TRY(cn_json_line(params, "resume", false, 0, CN_SESSION_TOKEN - 1, &resume, problem));
    CN_TRY(cn_json_line(params, "former", false, 0, CN_SESSION_TOKEN - 1, &former, problem));
    CN_TRY(cn_json_line(params, "elsewhere", false, 1, 8, &elsewhere, problem));
    if (strcmp(device, "desktop") != 0 && strcmp(device, "phone") != 0)
        return cn_problem_set(problem, CN_ERR_INVALID, "device", "desktop or phone");
    if (*elsewhere && strcmp(elsewhere, "ask") != 0 && strcmp(elsewhere, "move") != 0)
        return cn_problem_set(problem, CN_ERR_INVALID, "elsewhere", "ask or move");
    if (!room_name_valid(room)) return cn_problem_set(problem, CN_ERR_NOTFOUND, "room", "no such room");
    *out = (cn_join_params){.elsewhere = *elsewhere == 'a'   ? CN_ELSEWHERE_ASK
                                         : *elsewhere == 'm' ? CN_ELSEWHERE_MOVE
                                                             : CN_ELSEWHERE_BESIDE};
    cn_strcpy(out->room, sizeof out->room, room);
    cn_strcpy(out->resume, sizeof out->resume, resume);
    cn_strcpy(out->former, sizeof out->former, former);
    return CN_OK;
}
