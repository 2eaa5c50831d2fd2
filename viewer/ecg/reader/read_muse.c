/* "RestingECG" XML as GE's MUSE exports it (from public descriptions): leads as Base64 of 16-bit little-endian samples; III and the augmented leads follow. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/str.h"
#include "viewer/ecg/reader/readers.h"
#include "viewer/ecg/reader/xml.h"

static double number_at(xmlNode *node, const char *path)
{
    char words[64];
    cn_xml_words(cn_xml_at(node, path), words, sizeof(words));
    return cn_xml_number(words, NAN);
}

static cn_err read_samples(xmlNode *data, int16_t **out, size_t *n)
{
    CN_AUTO_FREE char *text = cn_xml_text(data);
    size_t len = 0, bytes = 0;
    if (!text) return CN_ERR_CORRUPT;
    for (const char *c = text; *c; c++)
        if (!strchr(" \t\r\n=", *c)) text[len++] = *c;
    *out = cn_calloc(len / 2 + 2, sizeof(**out));
    if (!*out) return CN_ERR_NOMEM;
    if (!cn_unb64(text, len, *out, len + 4, &bytes)) return CN_ERR_CORRUPT;
    *n = bytes / 2;
    return CN_OK;
}

static cn_err read_lead(xmlNode *data, cn_ecg *ecg, cn_ecg_leads *leads)
{
    char id[32], name[32], unit[32];
    cn_xml_words(cn_xml_at(data, "LeadID"), id, sizeof(id));
    cn_xml_words(cn_xml_at(data, "LeadAmplitudeUnits"), unit, sizeof(unit));
    double step = number_at(data, "LeadAmplitudeUnitsPerBit");
    if (strcasecmp(unit, "MILLIVOLTS") == 0) step *= 1000;
    if (!(step > 0)) {
        ecg->calibrated = false;
        step = 1;
    }
    CN_AUTO_FREE int16_t *samples = NULL;
    size_t n = 0;
    CN_TRY(read_samples(cn_xml_at(data, "WaveFormData"), &samples, &n));
    cn_ecg_lead_name(name, sizeof(name), id);
    int16_t *taken = samples;
    samples = NULL;
    return cn_ecg_take(ecg, leads, name, taken, n, step);
}

static void say_filters(xmlNode *waveform, cn_ecg *ecg)
{
    static const char *const kinds[][2] = {
        {"HighPassFilter", "high-pass"}, {"LowPassFilter", "low-pass"}, {"ACFilter", "notch"}};
    char words[64];
    for (size_t i = 0; i < 3; i++) {
        double value = number_at(waveform, kinds[i][0]);
        if (!(value > 0)) continue;
        cn_fmt(words, sizeof(words), "%g Hz %s", i == 0 ? value / 100 : value, kinds[i][1]); /* in hundredths */
        cn_ecg_filter(ecg, words);
    }
}

static cn_err read_waveform(xmlNode *waveform, cn_ecg *ecg)
{
    char type[32];
    cn_xml_words(cn_xml_at(waveform, "WaveformType"), type, sizeof(type));
    cn_ecg_leads *leads = strcasecmp(type, "Median") == 0 ? &ecg->median : &ecg->rhythm;
    double rate = number_at(waveform, "SampleBase"), exponent = number_at(waveform, "SampleExponent");
    if (exponent >= -3 && exponent <= 3) rate *= pow(10, exponent);
    if (leads->n && leads->rate != rate) return CN_OK;
    leads->rate = rate;
    if (leads == &ecg->rhythm && leads->n == 0) say_filters(waveform, ecg);
    for (xmlNode *at = cn_xml_next(waveform->children, "LeadData"); at; at = cn_xml_next(at->next, "LeadData"))
        CN_TRY(read_lead(at, ecg, leads));
    return CN_OK;
}

/* 11-30-2026 and 08:15:00. */
static void read_time(xmlNode *root, cn_ecg *ecg)
{
    char date[16], time[16];
    cn_xml_words(cn_xml_at(root, "TestDemographics/AcquisitionDate"), date, sizeof(date));
    cn_xml_words(cn_xml_at(root, "TestDemographics/AcquisitionTime"), time, sizeof(time));
    if (strlen(date) == 10 && date[2] == '-' && date[5] == '-' && strspn(date, "0123456789-") == 10)
        cn_fmt(ecg->acquired, sizeof(ecg->acquired), "%.4s-%.2s-%.2sT%.8s", date + 6, date, date + 3,
               strlen(time) == 8 && strspn(time, "0123456789:") == 8 ? time : "00:00:00");
}

/* One statement is several texts, the last of which ends its line. */
static void read_statements(xmlNode *diagnosis, cn_ecg *ecg)
{
    char line[CN_ECG_TEXT] = "", words[CN_ECG_TEXT];
    if (!diagnosis) return;
    for (xmlNode *at = cn_xml_next(diagnosis->children, "DiagnosisStatement"); at;
         at = cn_xml_next(at->next, "DiagnosisStatement")) {
        bool ends = false;
        for (xmlNode *flag = cn_xml_next(at->children, "StmtFlag"); flag; flag = cn_xml_next(flag->next, "StmtFlag")) {
            cn_xml_words(flag, words, sizeof(words));
            ends = ends || strcmp(words, "ENDSLINE") == 0;
        }
        cn_xml_words(cn_xml_at(at, "StmtText"), words, sizeof(words));
        size_t used = strlen(line);
        if (*words) cn_fmt(line + used, sizeof(line) - used, "%s%s", used ? " " : "", words);
        if (!ends) continue;
        cn_ecg_state(ecg, line);
        line[0] = 0;
    }
    cn_ecg_state(ecg, line);
}

static cn_err read_root(xmlNode *root, cn_ecg *ecg)
{
    xmlNode *measured = cn_xml_at(root, "RestingECGMeasurements");
    for (xmlNode *at = cn_xml_next(root->children, "Waveform"); at; at = cn_xml_next(at->next, "Waveform"))
        CN_TRY(read_waveform(at, ecg));
    read_time(root, ecg);
    cn_xml_words(cn_xml_at(root, "TestDemographics/AcquisitionDevice"), ecg->device, sizeof(ecg->device));
    ecg->measured = (cn_ecg_measured){.rate = number_at(measured, "VentricularRate"),
                                      .pr = number_at(measured, "PRInterval"),
                                      .qrs = number_at(measured, "QRSDuration"),
                                      .qt = number_at(measured, "QTInterval"),
                                      .qtc = number_at(measured, "QTCorrected"),
                                      .axis = number_at(measured, "RAxis")};
    read_statements(cn_xml_at(root, "Diagnosis"), ecg);
    return CN_OK;
}

cn_err cn_ecg_read_muse(const uint8_t *bytes, size_t len, cn_ecg *ecg, const char **why)
{
    xmlDoc *document = NULL;
    *why = "the XML is damaged";
    CN_TRY(cn_xml_open(bytes, len, &document));
    *why = "the XML has a lead whose samples, units or rate cannot be";
    cn_err err = read_root(xmlDocGetRootElement(document), ecg);
    xmlFreeDoc(document);
    CN_TRY(err);
    CN_TRY(cn_ecg_derive(ecg, &ecg->rhythm));
    return cn_ecg_derive(ecg, &ecg->median);
}
