/* HL7 aECG and MUSE-like XML of the same heart. */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"
#include "viewer/demo/ecg/heart.h"

static cn_err closed(FILE *out)
{
    bool bad = ferror(out);
    return fclose(out) == 0 && !bad ? CN_OK : CN_ERR_IO;
}

/* ---- aECG ---- */

static cn_err digits(FILE *out, unsigned lead, double seconds, size_t n)
{
    CN_AUTO_FREE int16_t *samples = cn_calloc(n, sizeof(*samples));
    if (!samples) return CN_ERR_NOMEM;
    if (n == CN_HEART_MEDIAN)
        cn_heart_median(lead, samples);
    else
        cn_heart_samples(lead, seconds, n, samples);
    fprintf(out,
            "<component><sequence><code code=\"MDC_ECG_LEAD_%s\" codeSystem=\"2.16.840.1.113883.6.24\"/>"
            "<value xsi:type=\"SLIST_PQ\"><origin value=\"0\" unit=\"uV\"/><scale value=\"%g\" unit=\"uV\"/><digits>",
            lead >= 9 ? (const char *const[]){"AVR", "AVL", "AVF"}[lead - 9] : cn_heart_lead[lead], CN_HEART_STEP);
    for (size_t i = 0; i < n; i++) fprintf(out, "%s%d", i ? " " : "", samples[i]);
    fputs("</digits></value></sequence></component>\n", out);
    return CN_OK;
}

static cn_err sequence_set(FILE *out, const char *time, double seconds, size_t n)
{
    fprintf(out,
            "<component><sequenceSet><component><sequence><code code=\"%s\" codeSystem=\"2.16.840.1.113883.5.4\"/>"
            "<value xsi:type=\"GLIST_TS\"><head value=\"20261130081500.000\"/><increment value=\"%g\" unit=\"s\"/>"
            "</value></sequence></component>\n",
            time, 1.0 / CN_HEART_RATE);
    for (unsigned lead = 0; lead < CN_HEART_ALL; lead++) CN_TRY(digits(out, lead, seconds, n));
    fputs("</sequenceSet></component>\n", out);
    return CN_OK;
}

static void annotation(FILE *out, const char *code, const char *unit, double value)
{
    fprintf(out,
            "<component><annotation><code code=\"%s\" codeSystem=\"2.16.840.1.113883.6.24\"/>"
            "<value xsi:type=\"PQ\" value=\"%g\" unit=\"%s\"/></annotation></component>\n",
            code, value, unit);
}

static cn_err write_aecg(FILE *out, double seconds)
{
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<AnnotatedECG xmlns=\"urn:hl7-org:v3\" "
          "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><component><series>"
          "<effectiveTime><low value=\"20261130081500.000\"/></effectiveTime>"
          "<author><seriesAuthor><manufacturedSeriesDevice><manufacturerModelName>Demo heart</manufacturerModelName>"
          "</manufacturedSeriesDevice><manufacturerOrganization><name>Consilium</name></manufacturerOrganization>"
          "</seriesAuthor></author>\n"
          "<controlVariable><controlVariable><code code=\"MDC_ECG_CTL_VBL_ATTR_FILTER_LOW_PASS\"/><component>"
          "<controlVariable><code code=\"MDC_ECG_CTL_VBL_ATTR_FILTER_CUTOFF_FREQ\"/>"
          "<value xsi:type=\"PQ\" value=\"150\" "
          "unit=\"Hz\"/></controlVariable></component></controlVariable></controlVariable>\n",
          out);
    CN_TRY(sequence_set(out, "TIME_ABSOLUTE", seconds, (size_t)(seconds * CN_HEART_RATE)));
    fputs("<subjectOf><annotationSet>\n", out);
    annotation(out, "MDC_ECG_HEART_RATE", "bpm", 75);
    annotation(out, "MDC_ECG_TIME_PD_PR", "ms", 160);
    annotation(out, "MDC_ECG_TIME_PD_QRS", "ms", 90);
    annotation(out, "MDC_ECG_TIME_PD_QT", "s", 0.36);
    annotation(out, "MDC_ECG_ANGLE_QRS_FRONT", "deg", 53);
    fputs("<component><annotation><code code=\"MDC_ECG_INTERPRETATION\"/><component><annotation>"
          "<code code=\"MDC_ECG_INTERPRETATION_STATEMENT\"/><value "
          "xsi:type=\"ST\">窦性心律</value></annotation></component>"
          "</annotation></component></annotationSet></subjectOf>\n<derivation><derivedSeries>",
          out);
    CN_TRY(sequence_set(out, "TIME_RELATIVE", seconds, CN_HEART_MEDIAN));
    fputs("</derivedSeries></derivation></series></component></AnnotatedECG>\n", out);
    return CN_OK;
}

cn_err cn_heart_aecg(const char *path, double seconds)
{
    FILE *out = fopen(path, "we");
    if (!out) return CN_ERR_IO;
    cn_err err = write_aecg(out, seconds);
    cn_err end = closed(out);
    return err == CN_OK ? end : err;
}

/* ---- MUSE ---- */

static cn_err base64(FILE *out, const void *bytes, size_t len)
{
    CN_AUTO_FREE char *text = cn_b64url_new(bytes, len);
    if (!text) return CN_ERR_NOMEM;
    for (size_t i = 0; text[i]; i++) {
        fputc(text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i], out);
        if (i % 76 == 75) fputc('\n', out);
    }
    for (size_t i = len; i % 3; i++) fputc('=', out);
    return CN_OK;
}

static cn_err waveform(FILE *out, const char *type, double seconds, size_t n)
{
    CN_AUTO_FREE int16_t *samples = cn_calloc(n, sizeof(*samples));
    if (!samples) return CN_ERR_NOMEM;
    fprintf(
        out,
        "<Waveform><WaveformType>%s</WaveformType><HighPassFilter>5</HighPassFilter><LowPassFilter>150</LowPassFilter>"
        "<ACFilter>50</ACFilter><SampleBase>%d</SampleBase><SampleExponent>0</SampleExponent>\n",
        type, CN_HEART_RATE);
    for (unsigned lead = 0; lead < CN_HEART_LEADS; lead++) {
        if (type[0] == 'M')
            cn_heart_median(lead, samples);
        else
            cn_heart_samples(lead, seconds, n, samples);
        fprintf(
            out,
            "<LeadData><LeadByteCountTotal>%zu</LeadByteCountTotal><LeadSampleCountTotal>%zu</LeadSampleCountTotal>"
            "<LeadAmplitudeUnitsPerBit>%g</LeadAmplitudeUnitsPerBit><LeadAmplitudeUnits>MICROVOLTS</LeadAmplitudeUnits>"
            "<LeadID>%s</LeadID><WaveFormData>",
            n * 2, n, CN_HEART_STEP, cn_heart_lead[lead]);
        CN_TRY(base64(out, samples, n * sizeof(*samples)));
        fputs("</WaveFormData></LeadData>\n", out);
    }
    fputs("</Waveform>\n", out);
    return CN_OK;
}

static cn_err write_muse(FILE *out, double seconds)
{
    fputs(
        "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n<!DOCTYPE RestingECG SYSTEM \"restecg.dtd\">\n<RestingECG>\n"
        "<TestDemographics><DataType>RESTING</DataType><AcquisitionDevice>Demo heart</AcquisitionDevice>"
        "<AcquisitionTime>08:15:00</AcquisitionTime><AcquisitionDate>11-30-2026</AcquisitionDate></TestDemographics>\n"
        "<RestingECGMeasurements><VentricularRate>75</VentricularRate><PRInterval>160</PRInterval><QRSDuration>90</"
        "QRSDuration>"
        "<QTInterval>360</QTInterval><QTCorrected>402</QTCorrected><RAxis>53</RAxis></RestingECGMeasurements>\n"
        "<Diagnosis><DiagnosisStatement><StmtText>Sinus</StmtText></DiagnosisStatement><DiagnosisStatement>"
        "<StmtFlag>ENDSLINE</StmtFlag><StmtText>rhythm</StmtText></DiagnosisStatement></Diagnosis>\n",
        out);
    CN_TRY(waveform(out, "Median", seconds, CN_HEART_MEDIAN));
    CN_TRY(waveform(out, "Rhythm", seconds, (size_t)(seconds * CN_HEART_RATE)));
    fputs("</RestingECG>\n", out);
    return CN_OK;
}

cn_err cn_heart_muse(const char *path, double seconds)
{
    FILE *out = fopen(path, "we");
    if (!out) return CN_ERR_IO;
    cn_err err = write_muse(out, seconds);
    cn_err end = closed(out);
    return err == CN_OK ? end : err;
}
