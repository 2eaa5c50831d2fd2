/* 12-lead ECG Waveform Storage, or General ECG where it is longer (PS3.3 A.34.3, A.34.4): a rhythm, and a median beat apart. */
#include <stdlib.h>

#include "base/mem.h"
#include "viewer/demo/dicom/part10.h"
#include "viewer/demo/ecg/heart.h"

#define ROOT "2.25.299054826174093826458720315702646103"

static void code(cn_set *set, uint32_t tag, const char *value, const char *scheme, const char *meaning)
{
    cn_set item = {.count = 0};
    cn_set_text(&item, 0x00080100, "SH", value);
    cn_set_text(&item, 0x00080102, "SH", scheme);
    cn_set_text(&item, 0x00080104, "LO", meaning);
    cn_set_item(set, tag, &item);
}

static void channel(cn_set *group, unsigned lead)
{
    static const unsigned numbers[CN_HEART_ALL] = {1, 2, 3, 4, 5, 6, 7, 8, 61, 62, 63, 64};
    char value[16], meaning[32];
    cn_set item = {.count = 0};
    cn_fmt(value, sizeof(value), "5.6.3-9-%u", numbers[lead]);
    cn_fmt(meaning, sizeof(meaning), "Lead %s", cn_heart_lead[lead]);
    code(&item, 0x003a0208, value, "SCPECG", meaning);
    cn_set_number(&item, 0x003a0210, "DS", CN_HEART_STEP);
    code(&item, 0x003a0211, "uV", "UCUM", "microvolt");
    cn_set_number(&item, 0x003a0212, "DS", 1);
    cn_set_number(&item, 0x003a0213, "DS", 0);
    cn_set_number(&item, 0x003a0215, "DS", 0);
    cn_set_us(&item, 0x003a021a, 16);
    cn_set_number(&item, 0x003a0220, "DS", 0.05);
    cn_set_number(&item, 0x003a0221, "DS", 150);
    cn_set_item(group, 0x003a0200, &item);
}

static cn_err group(cn_set *set, const char *origin, const char *label, double seconds, size_t n)
{
    cn_set item = {.count = 0};
    CN_AUTO_FREE int16_t *one = cn_calloc(n, sizeof(*one));
    CN_AUTO_FREE int16_t *all = cn_calloc(n * CN_HEART_ALL, sizeof(*all));
    if (!one || !all) return CN_ERR_NOMEM;
    for (unsigned lead = 0; lead < CN_HEART_ALL; lead++) {
        channel(&item, lead);
        if (n == CN_HEART_MEDIAN && origin[0] == 'D')
            cn_heart_median(lead, one);
        else
            cn_heart_samples(lead, seconds, n, one);
        for (size_t i = 0; i < n; i++) all[i * CN_HEART_ALL + lead] = one[i];
    }
    cn_set_text(&item, 0x003a0004, "CS", origin);
    cn_set_us(&item, 0x003a0005, CN_HEART_ALL);
    cn_set_ul(&item, 0x003a0010, (uint32_t)n);
    cn_set_number(&item, 0x003a001a, "DS", CN_HEART_RATE);
    cn_set_text(&item, 0x003a0020, "SH", label);
    cn_set_us(&item, 0x54001004, 16);
    cn_set_text(&item, 0x54001006, "CS", "SS");
    cn_set_bytes(&item, 0x54001010, "OW", all, n * CN_HEART_ALL * sizeof(*all));
    cn_set_item(set, 0x54000100, &item);
    return CN_OK;
}

static void said(cn_set *set, const char *text)
{
    cn_set item = {.count = 0};
    cn_set_text(&item, 0x00700006, "ST", text);
    cn_set_us(&item, 0x0040a180, 1);
    cn_set_item(set, 0x0040b020, &item);
}

static void measured(cn_set *set, const char *value, const char *meaning, const char *unit, double number)
{
    cn_set item = {.count = 0};
    code(&item, 0x0040a043, value, "MDC", meaning);
    code(&item, 0x004008ea, unit, "UCUM", unit);
    cn_set_number(&item, 0x0040a30a, "DS", number);
    cn_set_us(&item, 0x0040a180, 1);
    cn_set_item(set, 0x0040b020, &item);
}

cn_err cn_heart_dicom(const char *path, double seconds)
{
    const char *sop_class = seconds > 10 ? "1.2.840.10008.5.1.4.1.1.9.1.2" : "1.2.840.10008.5.1.4.1.1.9.1.1";
    cn_set set = {.count = 0};
    cn_set_text(&set, 0x00080005, "CS", "ISO_IR 192");
    cn_set_text(&set, 0x00080016, "UI", sop_class);
    cn_set_text(&set, 0x00080018, "UI", ROOT ".3");
    cn_set_text(&set, 0x00080020, "DA", "20261130");
    cn_set_text(&set, 0x00080030, "TM", "081500");
    cn_set_text(&set, 0x0008002a, "DT", "20261130081500");
    cn_set_text(&set, 0x00080060, "CS", "ECG");
    cn_set_text(&set, 0x00080070, "LO", "Consilium");
    cn_set_text(&set, 0x00081090, "LO", "Demo heart");
    cn_set_text(&set, 0x00100010, "PN", "Demo^Heart");
    cn_set_text(&set, 0x00100020, "LO", "DEMO");
    cn_set_text(&set, 0x0020000d, "UI", ROOT ".1");
    cn_set_text(&set, 0x0020000e, "UI", ROOT ".2");
    said(&set, "Sinus rhythm");
    measured(&set, "2:16016", "Ventricular Heart Rate", "/min", 75);
    measured(&set, "2:15872", "PR Interval", "ms", 160);
    measured(&set, "2:16156", "QRS Duration", "ms", 90);
    measured(&set, "2:16160", "QT Interval", "ms", 360);
    measured(&set, "2:16132", "QRS Axis", "deg", 53);
    cn_err err = group(&set, "ORIGINAL", "RHYTHM", seconds, (size_t)(seconds * CN_HEART_RATE));
    if (err == CN_OK) err = group(&set, "DERIVED", "MEDIAN BEAT", seconds, CN_HEART_MEDIAN);
    if (err == CN_OK) err = cn_set_write(&set, path, sop_class, ROOT ".3");
    cn_set_clear(&set);
    return err;
}
