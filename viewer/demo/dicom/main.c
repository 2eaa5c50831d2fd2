/*
 * consilium-demo-dicom KIND OUTDIR [options]: writes synthetic DICOM files whose geometry and values are known (phantom.h), for the demo,
 * for tests and for trying a connection. KIND: ct, ct-prior, cr, us, mg, pt.
 */
#include <iconv.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "viewer/demo/dicom/part10.h"
#include "viewer/demo/dicom/phantom.h"

typedef struct order {
    const char *kind, *folder, *name, *id, *accession, *birth, *charset, *root;
    int64_t slices;
    char root_own[40];
    char name_coded[256];
} order;

/* What is the same in all files of a series. */
typedef struct series {
    const char *kind, *sop_class, *modality, *date, *study_text, *series_text;
    uint16_t rows, columns;
    int study;
} series;

static const series kinds[] = {
    {"ct", "1.2.840.10008.5.1.4.1.1.2", "CT", "20261116", "Chest CT", "Chest 1.0", CN_CT_SIDE, CN_CT_SIDE, 1},
    {"ct-prior", "1.2.840.10008.5.1.4.1.1.2", "CT", "20260512", "Chest CT", "Chest 1.0", CN_CT_SIDE, CN_CT_SIDE, 2},
    {"cr", "1.2.840.10008.5.1.4.1.1.1", "CR", "20261115", "Chest PA", "PA", CN_CR_HEIGHT, CN_CR_WIDTH, 3},
    {"us", "1.2.840.10008.5.1.4.1.1.3.1", "US", "20261114", "Carotid artery", "Doppler", CN_US_HEIGHT, CN_US_WIDTH, 4},
    {"mg", "1.2.840.10008.5.1.4.1.1.1.2", "MG", "20261113", "Mammography", "Views", CN_MG_HEIGHT, CN_MG_WIDTH, 5},
    {"pt", "1.2.840.10008.5.1.4.1.1.128", "PT", "20261117", "PET", "PET AC", CN_PT_SIDE, CN_PT_SIDE, 6},
};

static void uid(const order *own, const series *what, unsigned instance, char out[65])
{
    if (!cn_fmt(out, 65, "%s.%d.1.%u", own->root, what->study, instance)) out[0] = '\0';
}

static void set_uid(cn_set *set, uint32_t tag, const order *own, int study, const char *tail)
{
    char text[65] = "";
    if (!cn_fmt(text, sizeof(text), "%s.%d%s", own->root, study, tail)) set->err = CN_ERR_TOOBIG;
    cn_set_text(set, tag, "UI", text);
}

static void set_patient(cn_set *set, const order *own, const series *what)
{
    cn_set_text(set, 0x00080005, "CS", strcmp(own->charset, "utf-8") == 0 ? "ISO_IR 192" : "GB18030");
    cn_set_text(set, 0x00080020, "DA", what->date);
    cn_set_text(set, 0x00080021, "DA", what->date);
    cn_set_text(set, 0x00080023, "DA", what->date);
    cn_set_text(set, 0x00080030, "TM", "090000");
    cn_set_text(set, 0x00080031, "TM", "090000");
    cn_set_text(set, 0x00080033, "TM", "090000");
    cn_set_text(set, 0x00080050, "SH", own->accession);
    cn_set_text(set, 0x00080060, "CS", what->modality);
    cn_set_text(set, 0x00080070, "LO", "Consilium");
    cn_set_text(set, 0x00080090, "PN", "");
    cn_set_text(set, 0x00081030, "LO", what->study_text);
    cn_set_text(set, 0x0008103e, "LO", what->series_text);
    cn_set_text(set, 0x00100010, "PN", own->name_coded);
    cn_set_text(set, 0x00100020, "LO", own->id);
    cn_set_text(set, 0x00100030, "DA", own->birth);
    cn_set_text(set, 0x00100040, "CS", "O");
    cn_set_number(set, 0x00101030, "DS", 70);
    cn_set_text(set, 0x00200010, "SH", own->accession);
    cn_set_number(set, 0x00200011, "IS", 1);
}

static void set_instance(cn_set *set, const order *own, const series *what, unsigned instance)
{
    char text[65];
    uid(own, what, instance, text);
    cn_set_text(set, 0x00080016, "UI", what->sop_class);
    cn_set_text(set, 0x00080018, "UI", text);
    set_uid(set, 0x0020000d, own, what->study, "");
    set_uid(set, 0x0020000e, own, what->study, ".1");
    cn_set_number(set, 0x00200013, "IS", instance);
}

static void set_grid(cn_set *set, const series *what, const char *photometric, uint16_t allocated, uint16_t stored)
{
    bool colour = strcmp(photometric, "RGB") == 0;
    cn_set_us(set, 0x00280002, colour ? 3 : 1);
    cn_set_text(set, 0x00280004, "CS", photometric);
    if (colour) cn_set_us(set, 0x00280006, 0);
    cn_set_us(set, 0x00280010, what->rows);
    cn_set_us(set, 0x00280011, what->columns);
    cn_set_us(set, 0x00280100, allocated);
    cn_set_us(set, 0x00280101, stored);
    cn_set_us(set, 0x00280102, (uint16_t)(stored - 1));
    cn_set_us(set, 0x00280103, 0);
}

static void set_spacing(cn_set *set, uint32_t tag, double spacing)
{
    char text[40] = "";
    if (!cn_fmt(text, sizeof(text), "%g\\%g", spacing, spacing)) set->err = CN_ERR_TOOBIG;
    cn_set_text(set, tag, "DS", text);
}

static void set_window(cn_set *set, double center, double width)
{
    cn_set_number(set, 0x00281050, "DS", center);
    cn_set_number(set, 0x00281051, "DS", width);
}

/* Where the middle of the first pixel lies; the planes are axial (PS3.3 §C.7.6.2). */
static void set_plane(cn_set *set, const order *own, const series *what, double spacing, double z)
{
    char text[64] = "";
    double edge = -spacing * (what->columns - 1) / 2.0;
    if (!cn_fmt(text, sizeof(text), "%.10g\\%.10g\\%.10g", edge, edge, z)) set->err = CN_ERR_TOOBIG;
    cn_set_text(set, 0x00200032, "DS", text);
    cn_set_text(set, 0x00200037, "DS", "1\\0\\0\\0\\1\\0");
    set_uid(set, 0x00200052, own, what->study, ".9");
    cn_set_text(set, 0x00201040, "LO", "");
    cn_set_number(set, 0x00201041, "DS", z);
    cn_set_number(set, 0x00180050, "DS", CN_PHANTOM_LENGTH / (double)own->slices);
    cn_set_text(set, 0x00185100, "CS", "HFS");
    set_spacing(set, 0x00280030, spacing);
}

static cn_err write_one(const order *own, const series *what, unsigned instance, cn_set *set)
{
    char path[4096], text[65];
    set_patient(set, own, what);
    set_instance(set, own, what, instance);
    uid(own, what, instance, text);
    cn_err err =
        cn_fmt(path, sizeof(path), "%s/%s-%04u.dcm", own->folder, what->kind, instance) ? set->err : CN_ERR_TOOBIG;
    if (err == CN_OK) err = cn_set_write(set, path, what->sop_class, text);
    cn_set_clear(set);
    return err;
}

static cn_err write_ct(const order *own, const series *what, cn_set *set)
{
    static uint16_t pixels[CN_CT_SIDE * CN_CT_SIDE];
    for (unsigned slice = 0; slice < own->slices; slice++) {
        double z = cn_phantom_z(slice, (unsigned)own->slices);
        cn_phantom_ct(z, what->study == 2, pixels);
        cn_set_text(set, 0x00080008, "CS", "ORIGINAL\\PRIMARY\\AXIAL");
        cn_set_number(set, 0x00180060, "DS", 120);
        cn_set_number(set, 0x00200012, "IS", 1);
        set_plane(set, own, what, CN_CT_SPACING, z);
        set_grid(set, what, "MONOCHROME2", 16, 12);
        set_window(set, 40, 400);
        cn_set_number(set, 0x00281052, "DS", -1024);
        cn_set_number(set, 0x00281053, "DS", 1);
        cn_set_text(set, 0x00281054, "LO", "HU");
        cn_set_bytes(set, 0x7fe00010, "OW", pixels, sizeof(pixels));
        CN_TRY(write_one(own, what, slice + 1, set));
    }
    return CN_OK;
}

#define DOSE 370e6       /* Bq at 08:00, an hour before the series */
#define HALF_LIFE 6586.2 /* s, F-18 */
#define WEIGHT 70000.0   /* g, as set_patient says */

static void set_tracer(cn_set *set)
{
    cn_set item = {.count = 0};
    cn_set_text(&item, 0x00180031, "LO", "Fluorodeoxyglucose");
    cn_set_text(&item, 0x00181072, "TM", "080000");
    cn_set_number(&item, 0x00181074, "DS", DOSE);
    cn_set_number(&item, 0x00181075, "DS", HALF_LIFE);
    cn_set_number(&item, 0x00181076, "DS", 0.9673);
    cn_set_item(set, 0x00540016, &item);
    cn_set_text(set, 0x00280051, "CS", "ATTN\\DECY");
    cn_set_text(set, 0x00541000, "CS", "STATIC\\IMAGE");
    cn_set_text(set, 0x00541001, "CS", "BQML");
    cn_set_text(set, 0x00541102, "CS", "START");
    cn_set_number(set, 0x00541300, "DS", 0);
    cn_set_number(set, 0x00181242, "IS", 600000);
}

static cn_err write_pt(const order *own, const series *what, cn_set *set)
{
    static uint16_t pixels[CN_PT_SIDE * CN_PT_SIDE];
    double bq_per_suv = DOSE * exp2(-3600 / HALF_LIFE) / WEIGHT;
    for (unsigned slice = 0; slice < own->slices; slice++) {
        double z = cn_phantom_z(slice, (unsigned)own->slices);
        cn_phantom_pt(z, pixels);
        cn_set_text(set, 0x00080008, "CS", "ORIGINAL\\PRIMARY");
        cn_set_text(set, 0x00080022, "DA", what->date);
        cn_set_text(set, 0x00080032, "TM", "090000");
        set_tracer(set);
        cn_set_us(set, 0x00540081, (uint16_t)own->slices);
        cn_set_us(set, 0x00541330, (uint16_t)(slice + 1));
        set_plane(set, own, what, CN_PT_SPACING, z);
        set_grid(set, what, "MONOCHROME2", 16, 16);
        set_window(set, 5 * bq_per_suv, 10 * bq_per_suv);
        cn_set_number(set, 0x00281052, "DS", 0);
        cn_set_number(set, 0x00281053, "DS", bq_per_suv / 1000);
        cn_set_bytes(set, 0x7fe00010, "OW", pixels, sizeof(pixels));
        CN_TRY(write_one(own, what, slice + 1, set));
    }
    return CN_OK;
}

static cn_err write_cr(const order *own, const series *what, cn_set *set)
{
    static uint16_t pixels[CN_CR_WIDTH * CN_CR_HEIGHT];
    cn_phantom_cr(pixels);
    cn_set_text(set, 0x00080008, "CS", "ORIGINAL\\PRIMARY");
    cn_set_text(set, 0x00180015, "CS", "CHEST");
    cn_set_text(set, 0x00185101, "CS", "AP");
    cn_set_text(set, 0x00200020, "CS", "L\\F");
    set_spacing(set, 0x00181164, CN_CR_SPACING);
    set_grid(set, what, "MONOCHROME1", 16, 12);
    set_window(set, 2000, 4000);
    cn_set_bytes(set, 0x7fe00010, "OW", pixels, sizeof(pixels));
    return write_one(own, what, 1, set);
}

/* PS3.3 §C.8.5.5: one region of tissue, calibrated in cm. */
static void set_region(cn_set *set)
{
    cn_set item = {.count = 0};
    cn_set_us(&item, 0x00186012, 1);
    cn_set_us(&item, 0x00186014, 1);
    cn_set_ul(&item, 0x00186016, 0);
    cn_set_ul(&item, 0x00186018, 80);
    cn_set_ul(&item, 0x0018601a, 40);
    cn_set_ul(&item, 0x0018601c, 559);
    cn_set_ul(&item, 0x0018601e, 439);
    cn_set_us(&item, 0x00186024, 3);
    cn_set_us(&item, 0x00186026, 3);
    cn_set_fd(&item, 0x0018602c, 0.025);
    cn_set_fd(&item, 0x0018602e, 0.025);
    cn_set_item(set, 0x00186011, &item);
}

static cn_err write_us(const order *own, const series *what, cn_set *set)
{
    static uint8_t pixels[(size_t)CN_US_FRAMES * CN_US_WIDTH * CN_US_HEIGHT * 3];
    cn_phantom_us(pixels);
    cn_set_text(set, 0x00080008, "CS", "ORIGINAL\\PRIMARY");
    set_region(set);
    cn_set_number(set, 0x00180040, "IS", 25);
    cn_set_number(set, 0x00181063, "DS", 40);
    cn_set_text(set, 0x00200020, "CS", "");
    cn_set_number(set, 0x00280008, "IS", CN_US_FRAMES);
    cn_set_at(set, 0x00280009, 0x00181063);
    set_grid(set, what, "RGB", 8, 8);
    cn_set_text(set, 0x00282110, "CS", "00");
    cn_set_bytes(set, 0x7fe00010, "OB", pixels, sizeof(pixels));
    return write_one(own, what, 1, set);
}

static void set_view(cn_set *set, bool left, bool oblique)
{
    cn_set view = {.count = 0};
    cn_set_text(&view, 0x00080100, "SH", oblique ? "R-10226" : "R-10242");
    cn_set_text(&view, 0x00080102, "SH", "SRT");
    cn_set_text(&view, 0x00080104, "LO", oblique ? "medio-lateral oblique" : "cranio-caudal");
    cn_set_item(&view, 0x00540222, NULL);
    cn_set_item(set, 0x00540220, &view);
    cn_set_text(set, 0x00185101, "CS", oblique ? "MLO" : "CC");
    cn_set_text(set, 0x00200062, "CS", left ? "L" : "R");
    cn_set_text(set, 0x00200020, "CS", left ? oblique ? "A\\FR" : "A\\R" : oblique ? "P\\FL" : "P\\L");
}

static cn_err write_mg(const order *own, const series *what, cn_set *set)
{
    static uint16_t pixels[CN_MG_WIDTH * CN_MG_HEIGHT];
    for (unsigned view = 0; view < 4; view++) {
        bool left = view % 2, oblique = view >= 2;
        cn_phantom_mg(left, oblique, pixels);
        cn_set_text(set, 0x00080008, "CS", "ORIGINAL\\PRIMARY");
        cn_set_text(set, 0x00080068, "CS", "FOR PRESENTATION");
        cn_set_text(set, 0x00180015, "CS", "BREAST");
        cn_set_text(set, 0x00181508, "CS", "MAMMOGRAPHIC");
        set_view(set, left, oblique);
        set_spacing(set, 0x00181164, CN_MG_SPACING);
        set_grid(set, what, "MONOCHROME2", 16, 12);
        cn_set_text(set, 0x00280301, "CS", "NO");
        set_window(set, 2000, 3000);
        cn_set_number(set, 0x00281052, "DS", 0);
        cn_set_number(set, 0x00281053, "DS", 1);
        cn_set_text(set, 0x00281054, "LO", "US");
        cn_set_text(set, 0x20500020, "CS", "IDENTITY");
        cn_set_text(set, 0x00282110, "CS", "00");
        cn_set_bytes(set, 0x7fe00010, "OW", pixels, sizeof(pixels));
        CN_TRY(write_one(own, what, view + 1, set));
    }
    return CN_OK;
}

/* The name as the file's character set writes it. */
static cn_err code_name(order *own)
{
    const char *to = strcmp(own->charset, "utf-8") == 0 ? "UTF-8" : "GB18030";
    iconv_t convert = iconv_open(to, "UTF-8");
    if (convert == (iconv_t)-1) return CN_ERR_UNSUPPORTED;
    char *in = (char *)(uintptr_t)own->name, *out = own->name_coded;
    size_t in_left = strlen(own->name), out_left = sizeof(own->name_coded) - 1;
    size_t wrong = iconv(convert, &in, &in_left, &out, &out_left);
    iconv_close(convert);
    return wrong == (size_t)-1 ? CN_ERR_PARSE : CN_OK;
}

static bool parse_option(order *own, const char *name, const char *value)
{
    const struct {
        const char *name, **place;
    } texts[] = {
        {"--name", &own->name},   {"--id", &own->id},           {"--accession", &own->accession},
        {"--birth", &own->birth}, {"--charset", &own->charset}, {"--uid-root", &own->root},
    };
    if (strcmp(name, "--slices") == 0) return cn_parse_i64(value, 1, 5000, &own->slices);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (strcmp(name, texts[i].name) == 0) {
            *texts[i].place = value;
            return true;
        }
    return false;
}

/* UIDs of a UUID (PS3.5 §B.2) that follow from patient and number: the same order writes the same study. */
static void default_root(order *own)
{
    uint64_t hash = 14695981039346656037u;
    const char *texts[] = {own->name, own->id, own->accession};
    for (size_t i = 0; i < 3; i++)
        for (const char *at = texts[i];; at++) {
            hash = (hash ^ (uint8_t)*at) * 1099511628211u;
            if (!*at) break;
        }
    if (cn_fmt(own->root_own, sizeof(own->root_own), "2.25.%llu", (unsigned long long)hash)) own->root = own->root_own;
}

static bool parse(order *own, int argc, char **argv)
{
    if (argc < 3 || argc % 2 == 0) return false;
    own->kind = argv[1];
    own->folder = argv[2];
    for (int i = 3; i < argc; i += 2)
        if (!parse_option(own, argv[i], argv[i + 1])) return false;
    if (!own->root) default_root(own);
    bool coded = strcmp(own->charset, "utf-8") == 0 || strcmp(own->charset, "gb18030") == 0;
    return coded && strlen(own->root) <= 45 && code_name(own) == CN_OK;
}

int main(int argc, char **argv)
{
    static cn_err (*const write[])(const order *, const series *, cn_set *) = {write_ct, write_ct, write_cr,
                                                                               write_us, write_mg, write_pt};
    order own = {.name = "演示^患者",
                 .id = "DEMO-1",
                 .accession = "DEMO",
                 .birth = "19700101",
                 .charset = "gb18030",
                 .slices = 60};
    cn_err err = CN_ERR_INVALID;
    cn_set *set = CN_NEW(cn_set);
    if (set && parse(&own, argc, argv))
        for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
            if (strcmp(own.kind, kinds[i].kind) == 0) err = write[i](&own, &kinds[i], set);
    free(set);
    if (err == CN_ERR_INVALID)
        fprintf(stderr, "usage: consilium-demo-dicom ct|ct-prior|cr|us|mg|pt FOLDER [--name NAME] [--id ID]\n"
                        "    [--accession NUMBER] [--birth YYYYMMDD] [--slices N] [--charset gb18030|utf-8]\n"
                        "    [--uid-root UID]     the folder exists\n");
    else if (err != CN_OK)
        fprintf(stderr, "consilium-demo-dicom: %s\n", cn_err_text(err));
    return err == CN_OK ? 0 : err == CN_ERR_INVALID ? 2 : 1;
}
