/* HL7 v3 Annotated ECG (aECG, release 1, schema PORT_MT020001): sequences of digits with origin and scale, annotations with MDC codes. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/str.h"
#include "viewer/ecg/reader/readers.h"
#include "viewer/ecg/reader/xml.h"

static bool code_of(xmlNode *node, char *out, size_t size)
{
    return cn_xml_attribute(cn_xml_at(node, "code"), "code", out, size);
}

/* Seconds, or microvolts, of one of a unit; 0: another one. */
static double unit_of(const char *unit)
{
    static const struct {
        const char *name;
        double factor;
    } units[] = {{"s", 1}, {"ms", 1e-3}, {"us", 1e-6}, {"uV", 1}, {"mV", 1e3}, {"V", 1e6}, {"nV", 1e-3}};
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (strcmp(unit, units[i].name) == 0) return units[i].factor;
    return 0;
}

static double quantity(xmlNode *node)
{
    char value[64], unit[16];
    cn_xml_attribute(node, "value", value, sizeof(value));
    cn_xml_attribute(node, "unit", unit, sizeof(unit));
    return cn_xml_number(value, NAN) * unit_of(unit);
}

/* Samples a second of a set; 0: not said. */
static double rate_of(xmlNode *set)
{
    char code[64];
    for (xmlNode *at = cn_xml_next(set->children, "component"); at; at = cn_xml_next(at->next, "component")) {
        xmlNode *sequence = cn_xml_at(at, "sequence");
        if (!sequence || !code_of(sequence, code, sizeof(code)) || strncasecmp(code, "TIME_", 5) != 0) continue;
        double increment = quantity(cn_xml_at(sequence, "value/increment"));
        return increment > 0 ? 1 / increment : 0;
    }
    return 0;
}

/* Whole numbers with blanks between; what is none ("NaN") is absent. */
static cn_err read_digits(const char *text, int32_t **out, size_t *n)
{
    size_t room = strlen(text) / 2 + 1;
    *out = cn_calloc(room, sizeof(**out));
    if (!*out) return CN_ERR_NOMEM;
    for (*n = 0;;) {
        char *end = NULL;
        text += strspn(text, " \t\r\n");
        if (!*text) return CN_OK;
        long value = strtol(text, &end, 10);
        bool number = end != text && (*end == 0 || strchr(" \t\r\n", *end));
        if (!number) end = (char *)text + strcspn(text, " \t\r\n");
        if (number && (value > 1 << 24 || value < -(1 << 24))) return CN_ERR_CORRUPT;
        (*out)[(*n)++] = number ? (int32_t)value : INT32_MAX;
        text = end;
    }
}

static cn_err read_lead(xmlNode *sequence, const char *code, cn_ecg *ecg, cn_ecg_leads *leads)
{
    char name[32];
    xmlNode *value = cn_xml_at(sequence, "value");
    double step = quantity(cn_xml_at(value, "scale")), origin = quantity(cn_xml_at(value, "origin"));
    if (!(step > 0)) {
        ecg->calibrated = false;
        step = 1;
    }
    double offset = isfinite(origin) ? origin / step : 0;
    if (!(fabs(offset) < 1e6)) return CN_ERR_CORRUPT;
    CN_AUTO_FREE char *text = cn_xml_text(cn_xml_at(value, "digits"));
    CN_AUTO_FREE int32_t *values = NULL;
    size_t n = 0;
    if (!text) return CN_ERR_CORRUPT;
    CN_TRY(read_digits(text, &values, &n));
    for (size_t i = 0; i < n && lround(offset); i++)
        if (values[i] != INT32_MAX) values[i] += (int32_t)lround(offset);
    cn_ecg_lead_name(name, sizeof(name), code);
    return cn_ecg_add(ecg, leads, name, values, n, step, INT32_MAX);
}

static cn_err read_set(xmlNode *set, cn_ecg *ecg, cn_ecg_leads *leads)
{
    char code[64];
    double rate = rate_of(set);
    if (leads->n && fabs(leads->rate - rate) > 1e-6) return CN_OK; /* of several rates the first is shown */
    leads->rate = rate;
    for (xmlNode *at = cn_xml_next(set->children, "component"); at; at = cn_xml_next(at->next, "component")) {
        xmlNode *sequence = cn_xml_at(at, "sequence");
        if (sequence && code_of(sequence, code, sizeof(code)) && strncasecmp(code, "TIME_", 5) != 0)
            CN_TRY(read_lead(sequence, code, ecg, leads));
    }
    return CN_OK;
}

/* "20021122091000.000-0500": the device's own time. */
static void read_time(xmlNode *series, cn_ecg *ecg)
{
    char time[32];
    if (!cn_xml_attribute(cn_xml_at(series, "effectiveTime/low"), "value", time, sizeof(time)))
        cn_xml_attribute(cn_xml_at(series, "effectiveTime/center"), "value", time, sizeof(time));
    if (strspn(time, "0123456789") >= 14)
        cn_fmt(ecg->acquired, sizeof(ecg->acquired), "%.4s-%.2s-%.2sT%.2s:%.2s:%.2s", time, time + 4, time + 6,
               time + 8, time + 10, time + 12);
}

static void read_device(xmlNode *series, cn_ecg *ecg)
{
    char maker[64], model[64];
    xmlNode *author = cn_xml_at(series, "author/seriesAuthor");
    cn_xml_words(cn_xml_at(author, "manufacturerOrganization/name"), maker, sizeof(maker));
    cn_xml_words(cn_xml_at(author, "manufacturedSeriesDevice/manufacturerModelName"), model, sizeof(model));
    cn_fmt(ecg->device, sizeof(ecg->device), "%s%s%s", maker, *maker && *model ? " " : "", model);
}

static void read_filter(xmlNode *variable, const char *code, cn_ecg *ecg)
{
    static const char *const kinds[][2] = {{"LOW_PASS", "low-pass"}, {"HIGH_PASS", "high-pass"}, {"NOTCH", "notch"}};
    char value[32], words[64];
    for (size_t i = 0; i < 3; i++) {
        if (!strstr(code, kinds[i][0])) continue;
        for (xmlNode *at = variable; at; at = cn_xml_walk(variable, at)) {
            if (!cn_xml_attribute(cn_xml_at(at, "value"), "value", value, sizeof(value))) continue;
            cn_fmt(words, sizeof(words), "%g Hz %s", cn_xml_number(value, 0), kinds[i][1]);
            cn_ecg_filter(ecg, words);
            return;
        }
    }
}

static void read_annotation(xmlNode *annotation, const char *code, cn_ecg *ecg)
{
    const struct {
        const char *code;
        double *to, factor;
    } known[] = {{"MDC_ECG_HEART_RATE", &ecg->measured.rate, 1}, {"MDC_ECG_TIME_PD_PR", &ecg->measured.pr, 1},
                 {"MDC_ECG_TIME_PD_QRS", &ecg->measured.qrs, 1}, {"MDC_ECG_TIME_PD_QT", &ecg->measured.qt, 1},
                 {"MDC_ECG_TIME_PD_QTc", &ecg->measured.qtc, 1}, {"MDC_ECG_ANGLE_QRS_FRONT", &ecg->measured.axis, 1},
                 {"MDC_ECG_TIME_PD_QTcB", &ecg->measured.qtc, 1}};
    char value[64], unit[16], words[CN_ECG_TEXT];
    xmlNode *node = cn_xml_at(annotation, "value");
    if (strncasecmp(code, "MDC_ECG_INTERPRETATION", 22) == 0) {
        cn_xml_words(node, words, sizeof(words));
        cn_ecg_state(ecg, words);
    }
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcasecmp(code, known[i].code) != 0 || !isnan(*known[i].to)) continue;
        cn_xml_attribute(node, "value", value, sizeof(value));
        cn_xml_attribute(node, "unit", unit, sizeof(unit));
        *known[i].to = cn_xml_number(value, NAN) * (strcmp(unit, "s") == 0 ? 1000 : 1);
    }
}

/* Everything in the order of the document: what is below a derived series are median beats. */
static bool is_derived(const xmlNode *node)
{
    for (; node; node = node->parent)
        if (node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, "derivedSeries") == 0) return true;
    return false;
}

static bool named(const xmlNode *node, const char *name)
{
    return strcmp((const char *)node->name, name) == 0;
}

static cn_err read_tree(xmlNode *root, cn_ecg *ecg)
{
    char code[96];
    for (xmlNode *at = root; at; at = cn_xml_walk(root, at)) {
        if (named(at, "sequenceSet")) CN_TRY(read_set(at, ecg, is_derived(at) ? &ecg->median : &ecg->rhythm));
        if (named(at, "series") && !ecg->acquired[0]) {
            read_time(at, ecg);
            read_device(at, ecg);
        }
        if (named(at, "controlVariable") && code_of(at, code, sizeof(code)) && !is_derived(at))
            read_filter(at, code, ecg);
        if (named(at, "annotation") && code_of(at, code, sizeof(code))) read_annotation(at, code, ecg);
    }
    return CN_OK;
}

cn_err cn_ecg_read_aecg(const uint8_t *bytes, size_t len, cn_ecg *ecg, const char **why)
{
    xmlDoc *document = NULL;
    *why = "the XML is damaged";
    CN_TRY(cn_xml_open(bytes, len, &document));
    *why = "the XML has a lead whose digits, scale or sampling interval cannot be";
    cn_err err = read_tree(xmlDocGetRootElement(document), ecg);
    xmlFreeDoc(document);
    CN_TRY(err);
    CN_TRY(cn_ecg_derive(ecg, &ecg->rhythm));
    return cn_ecg_derive(ecg, &ecg->median);
}
