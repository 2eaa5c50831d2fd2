/* One synthetic heart written as every format is read as the same samples, and what the device said with them; good files with something wrong in them end
 * with a refusal in words, or a record that lies within its bounds. 500 seeded mutations, 10,000 with CONSILIUM_LONG. */
#include "cn_test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "viewer/demo/ecg/heart.h"
#include "viewer/ecg/reader/form.h"
#include "viewer/ecg/reader/read.h"
#include "viewer/ecg/reader/trend.h"

#define SECONDS 10
#define REAL_FILE CN_SOURCE_DIR "/../shared/data/dicom/pydicom/waveform_ecg.dcm"

static char folder[] = "/tmp/consilium-test-ecg-XXXXXX";
static char path[128];
static cn_ecg ecg;

static cn_err dicom(const char *to, double seconds)
{
    return cn_heart_dicom(to, seconds);
}
static cn_err plain(const char *to, double seconds)
{
    return cn_heart_scp(to, seconds, CN_HEART_SCP_PLAIN);
}
static cn_err huffman(const char *to, double seconds)
{
    return cn_heart_scp(to, seconds, CN_HEART_SCP_HUFFMAN);
}
static cn_err tables(const char *to, double seconds)
{
    return cn_heart_scp(to, seconds, CN_HEART_SCP_TABLES);
}
static cn_err residues(const char *to, double seconds)
{
    return cn_heart_scp(to, seconds, CN_HEART_SCP_RESIDUES);
}

static const struct {
    const char *name;
    cn_err (*write)(const char *to, double seconds);
} formats[] = {{"DICOM", dicom},          {"aECG", cn_heart_aecg},     {"MUSE", cn_heart_muse},    {"SCP", plain},
               {"SCP, Huffman", huffman}, {"SCP, own tables", tables}, {"SCP, residues", residues}};
#define FORMATS (sizeof(formats) / sizeof(formats[0]))

static char *made(size_t format, double seconds, size_t *len)
{
    char *bytes = NULL;
    assert_ok(formats[format].write(path, seconds));
    assert_ok(cn_file_read(path, (size_t)64 << 20, &bytes, len));
    return bytes;
}

static cn_err read_bytes(const char *bytes, size_t len, const char **why)
{
    cn_ecg_clear(&ecg);
    return cn_ecg_read((const uint8_t *)bytes, len, &ecg, why);
}

/* Leads that the file holds are as they were; those that follow from two lie within a step. */
static void compare(const cn_ecg_leads *leads, bool median)
{
    assert_int_equal(leads->n, CN_HEART_ALL);
    assert_true(fabs(leads->rate - CN_HEART_RATE) < 1e-9);
    size_t n = median ? CN_HEART_MEDIAN : SECONDS * CN_HEART_RATE;
    for (unsigned lead = 0; lead < CN_HEART_ALL; lead++) {
        const cn_ecg_lead *found = NULL;
        for (size_t i = 0; i < leads->n; i++)
            if (strcmp(leads->lead[i].name, cn_heart_lead[lead]) == 0) found = &leads->lead[i];
        assert_non_null(found);
        assert_int_equal(found->count, n);
        CN_AUTO_FREE int16_t *samples = cn_calloc(n, sizeof(*samples));
        if (median)
            cn_heart_median(lead, samples);
        else
            cn_heart_samples(lead, SECONDS, n, samples);
        double most = lead < CN_HEART_LEADS ? 1e-9 : CN_HEART_STEP + 1e-9;
        for (size_t i = 0; i < n; i++)
            assert_true(fabs(found->samples[i] * found->step - samples[i] * CN_HEART_STEP) <= most);
    }
}

static void every_format_gives_the_same_samples(void **state)
{
    (void)state;
    for (size_t i = 0; i < FORMATS; i++) {
        const char *why = "";
        size_t len = 0;
        CN_AUTO_FREE char *bytes = made(i, SECONDS, &len);
        cn_err err = read_bytes(bytes, len, &why);
        if (err != CN_OK) print_message("%s: %s\n", formats[i].name, why);
        assert_ok(err);
        compare(&ecg.rhythm, false);
        compare(&ecg.median, true);
        assert_true(ecg.calibrated);
        assert_string_equal(ecg.acquired, "2026-11-30T08:15:00");
    }
}

static void what_the_device_measured_comes_along(void **state)
{
    (void)state;
    for (size_t i = 0; i < FORMATS; i++) {
        const char *why = "";
        size_t len = 0;
        CN_AUTO_FREE char *bytes = made(i, SECONDS, &len);
        assert_ok(read_bytes(bytes, len, &why));
        assert_true(fabs(ecg.measured.rate - 75) < 1e-6);
        assert_true(fabs(ecg.measured.pr - 160) < 1e-6);
        assert_true(fabs(ecg.measured.qrs - 90) < 1e-6);
        assert_true(fabs(ecg.measured.qt - 360) < 1e-6);
        assert_true(fabs(ecg.measured.axis - 53) < 1e-6);
        assert_int_equal(ecg.statements, 1);
        assert_string_equal(ecg.statement[0], strcmp(formats[i].name, "aECG") == 0 ? "窦性心律" : "Sinus rhythm");
    }
}

static void a_long_recording_is_read(void **state)
{
    (void)state;
    const char *why = "";
    size_t len = 0;
    CN_AUTO_FREE char *bytes = made(0, 600, &len);
    assert_ok(read_bytes(bytes, len, &why));
    assert_int_equal(ecg.rhythm.lead[0].count, 600 * CN_HEART_RATE);
}

/* The heart's rate goes up and down by a fifth of 75 in ten minutes. */
static void the_trend_follows_the_rate(void **state)
{
    (void)state;
    const char *why = "";
    size_t len = 0;
    cn_ecg_trend *trend = cn_calloc(1, sizeof(*trend));
    CN_AUTO_FREE char *bytes = made(0, 600, &len);
    assert_ok(read_bytes(bytes, len, &why));
    assert_ok(cn_ecg_trend_make(&ecg, trend));
    assert_true(trend->n >= 55);
    for (size_t i = 0; i < trend->n; i++) {
        double wanted = 75 * (1 + 0.2 * sin(2 * 3.14159265358979 * trend->point[i].second / 600));
        assert_true(fabs(trend->point[i].rate / wanted - 1) < 0.02);
    }
    free(trend);
}

static void names_of_leads(void **state)
{
    (void)state;
    static const char *const said[][2] = {{"MDC_ECG_LEAD_AVR", "aVR"},
                                          {"mdc_ecg_lead_V1", "V1"},
                                          {"Lead II", "II"},
                                          {"LEAD I (Einthoven)", "I"},
                                          {"Lead aVF", "aVF"},
                                          {"iii", "III"},
                                          {"CM5", "CM5"},
                                          {"Chest upper", "Chest upper"},
                                          {"", "?"},
                                          {"V3_derived", "V3"}};
    char name[32];
    for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
        cn_ecg_lead_name(name, sizeof(name), said[i][0]);
        assert_string_equal(name, said[i][1]);
    }
}

static void a_step_that_does_not_fit_is_halved(void **state)
{
    (void)state;
    const int32_t values[] = {0, 100000, -50000, INT32_MAX};
    cn_ecg_clear(&ecg);
    ecg.rhythm.rate = 500;
    assert_ok(cn_ecg_add(&ecg, &ecg.rhythm, "I", values, 4, 1, INT32_MAX));
    const cn_ecg_lead *lead = &ecg.rhythm.lead[0];
    assert_true(fabs(lead->samples[1] * lead->step - 100000) <= lead->step);
    assert_true(fabs(lead->samples[2] * lead->step + 50000) <= lead->step);
    assert_int_equal(lead->samples[3], CN_ECG_ABSENT);
    assert_err(cn_ecg_add(&ecg, &ecg.rhythm, "I", values, 4, 0, INT32_MAX), CN_ERR_CORRUPT);
    assert_err(cn_ecg_add(&ecg, &ecg.rhythm, "I", values, 4, NAN, INT32_MAX), CN_ERR_CORRUPT);
    assert_err(cn_ecg_add(&ecg, &ecg.rhythm, "I", values, 4, INFINITY, INT32_MAX), CN_ERR_CORRUPT);
}

/* ---- strangers' files ---- */

static void check_record(void)
{
    const cn_ecg_leads *all[] = {&ecg.rhythm, &ecg.median};
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < all[k]->n; i++) {
            const cn_ecg_lead *lead = &all[k]->lead[i];
            assert_true(lead->count > 0 && lead->step > 0 && isfinite(lead->step) && isfinite(all[k]->rate));
            volatile int sum = 0;
            for (size_t at = 0; at < lead->count; at += 97) sum += lead->samples[at];
            assert_true(cn_utf8_valid(lead->name, strlen(lead->name)));
        }
}

static void mutated_files_are_read_or_refused(void **state)
{
    (void)state;
    unsigned count = getenv("CONSILIUM_LONG") ? 10000 : 500, read = 0;
    char *good[FORMATS];
    size_t len[FORMATS];
    for (size_t i = 0; i < FORMATS; i++) good[i] = made(i, 1, &len[i]);
    for (unsigned seed = 1; seed <= count; seed++) {
        const char *why = NULL;
        unsigned short random[3] = {(unsigned short)seed, 7, 11};
        size_t format = seed % FORMATS, n = len[format];
        CN_AUTO_FREE char *bytes = cn_memdup(good[format], n);
        for (long k = nrand48(random) % 6; k >= 0; k--) {
            size_t at = (size_t)nrand48(random) % (nrand48(random) % 2 || n < 2000 ? n : 2000);
            bytes[at] = (char)nrand48(random);
        }
        if (nrand48(random) % 4 == 0) n = (size_t)nrand48(random) % n;
        cn_err err = read_bytes(bytes, n, &why);
        assert_true(err == CN_OK || err == CN_ERR_CORRUPT || err == CN_ERR_UNSUPPORTED || err == CN_ERR_TOOBIG ||
                    err == CN_ERR_NOMEM);
        if (err == CN_OK) check_record();
        assert_true(err == CN_OK || (why && *why));
        read += err == CN_OK;
    }
    print_message("%u mutations: %u read, %u refused\n", count, read, count - read);
    for (size_t i = 0; i < FORMATS; i++) free(good[i]);
}

static void what_is_none_is_refused(void **state)
{
    (void)state;
    const char *why = "";
    static const char *const files[] = {"",
                                        "SCPECG",
                                        "<?xml version=\"1.0\"?><a/>",
                                        "<AnnotatedECG/>",
                                        "<AnnotatedECG",
                                        "<!DOCTYPE a [<!ENTITY e \"xx\">]><RestingECG>&e;</RestingECG>",
                                        "<RestingECG><Waveform/></RestingECG>"};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        assert_true(read_bytes(files[i], strlen(files[i]), &why) != CN_OK);
        assert_true(*why);
    }
}

static void a_recording_of_a_real_device(void **state)
{
    (void)state;
    char *bytes = NULL;
    size_t len = 0;
    const char *why = "";
    if (access(REAL_FILE, R_OK) != 0) {
        print_message("skipped: no ../shared/data\n");
        skip();
    }
    assert_ok(cn_file_read(REAL_FILE, (size_t)64 << 20, &bytes, &len));
    assert_ok(read_bytes(bytes, len, &why));
    free(bytes);
    assert_int_equal(ecg.rhythm.n, 12);
    assert_true(fabs(ecg.rhythm.rate - 1000) < 1e-9);
    assert_int_equal(ecg.rhythm.lead[11].count, 10000);
    assert_string_equal(ecg.rhythm.lead[3].name, "aVR");
    assert_true(fabs(ecg.rhythm.lead[0].step - 1.25) < 1e-9);
}

static int setup(void **state)
{
    (void)state;
    if (!mkdtemp(folder)) return -1;
    cn_fmt(path, sizeof(path), "%s/one", folder);
    cn_ecg_init(&ecg);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    cn_ecg_clear(&ecg);
    unlink(path);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_format_gives_the_same_samples),
        cmocka_unit_test(what_the_device_measured_comes_along),
        cmocka_unit_test(a_long_recording_is_read),
        cmocka_unit_test(the_trend_follows_the_rate),
        cmocka_unit_test(names_of_leads),
        cmocka_unit_test(a_step_that_does_not_fit_is_halved),
        cmocka_unit_test(mutated_files_are_read_or_refused),
        cmocka_unit_test(what_is_none_is_refused),
        cmocka_unit_test(a_recording_of_a_real_device),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
