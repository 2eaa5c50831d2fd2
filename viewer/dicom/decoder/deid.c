#include "viewer/dicom/decoder/deid.h"

#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "viewer/dicom/decoder/rewrite.h"

#define STANDARD_ROOT "1.2.840.10008."
#define ENCAPSULATED_DOCUMENT 0x00420011u

typedef enum action { KEEP, DROP, EMPTY, DUMMY } action;

/* PS3.15 table E.1-1, column "Basic Prof.": X is DROP; Z and X/Z EMPTY; D and all with it DUMMY. U is every UID that is not the standard's own.
 * Curves, overlays and private groups are in action_of. By tag. */
static const struct {
    uint32_t tag;
    action action;
} rows[] = {
    {0x00001000, DROP},  {0x00080015, DROP},  {0x00080020, EMPTY}, {0x00080021, DUMMY}, {0x00080022, EMPTY},
    {0x00080023, DUMMY}, {0x00080024, DROP},  {0x00080025, DROP},  {0x0008002a, DUMMY}, {0x00080030, EMPTY},
    {0x00080031, DUMMY}, {0x00080032, EMPTY}, {0x00080033, DUMMY}, {0x00080034, DROP},  {0x00080035, DROP},
    {0x00080050, EMPTY}, {0x00080080, DUMMY}, {0x00080081, DROP},  {0x00080082, DUMMY}, {0x00080090, EMPTY},
    {0x00080092, DROP},  {0x00080094, DROP},  {0x00080096, DROP},  {0x0008009c, EMPTY}, {0x0008009d, DROP},
    {0x00080201, DROP},  {0x00081010, DUMMY}, {0x00081030, DROP},  {0x0008103e, DROP},  {0x00081040, DROP},
    {0x00081041, DROP},  {0x00081048, DROP},  {0x00081049, DROP},  {0x00081050, DROP},  {0x00081052, DROP},
    {0x00081060, DROP},  {0x00081062, DROP},  {0x00081070, DUMMY}, {0x00081072, DUMMY}, {0x00081080, DROP},
    {0x00081084, DROP},  {0x00081110, EMPTY}, {0x00081111, DROP},  {0x00081120, DROP},  {0x00082111, DROP},
    {0x00084000, DROP},  {0x00100010, EMPTY}, {0x00100020, EMPTY}, {0x00100021, DROP},  {0x00100030, EMPTY},
    {0x00100032, DROP},  {0x00100040, EMPTY}, {0x00100050, DROP},  {0x00100101, DROP},  {0x00100102, DROP},
    {0x00101000, DROP},  {0x00101001, DROP},  {0x00101002, DROP},  {0x00101005, DROP},  {0x00101010, DROP},
    {0x00101020, DROP},  {0x00101030, DROP},  {0x00101040, DROP},  {0x00101050, DROP},  {0x00101060, DROP},
    {0x00101080, DROP},  {0x00101081, DROP},  {0x00101090, DROP},  {0x00101100, DROP},  {0x00102000, DROP},
    {0x00102110, DROP},  {0x00102150, DROP},  {0x00102152, DROP},  {0x00102154, DROP},  {0x00102155, DROP},
    {0x00102160, DROP},  {0x00102180, DROP},  {0x001021a0, DROP},  {0x001021b0, DROP},  {0x001021c0, DROP},
    {0x001021d0, DROP},  {0x001021f0, DROP},  {0x00102203, EMPTY}, {0x00102297, DROP},  {0x00102299, DROP},
    {0x00104000, DROP},  {0x00120010, DUMMY}, {0x00120020, DUMMY}, {0x00120021, EMPTY}, {0x00120030, EMPTY},
    {0x00120031, EMPTY}, {0x00120040, DUMMY}, {0x00120042, DUMMY}, {0x00120050, EMPTY}, {0x00120051, DROP},
    {0x00120060, EMPTY}, {0x00120071, DROP},  {0x00120072, DROP},  {0x00120081, DUMMY}, {0x00120082, DROP},
    {0x0016002b, DROP},  {0x0016004b, DROP},  {0x0016004d, DROP},  {0x0016004e, DROP},  {0x0016004f, DROP},
    {0x00160050, DROP},  {0x00160051, DROP},  {0x00160070, DROP},  {0x00160071, DROP},  {0x00160072, DROP},
    {0x00160073, DROP},  {0x00160074, DROP},  {0x00160075, DROP},  {0x00160076, DROP},  {0x00160077, DROP},
    {0x00160078, DROP},  {0x00160079, DROP},  {0x0016007a, DROP},  {0x0016007b, DROP},  {0x0016007c, DROP},
    {0x0016007d, DROP},  {0x0016007e, DROP},  {0x0016007f, DROP},  {0x00160080, DROP},  {0x00160081, DROP},
    {0x00160082, DROP},  {0x00160083, DROP},  {0x00160084, DROP},  {0x00160085, DROP},  {0x00160086, DROP},
    {0x00160087, DROP},  {0x00160088, DROP},  {0x00160089, DROP},  {0x0016008a, DROP},  {0x0016008b, DROP},
    {0x0016008c, DROP},  {0x0016008d, DROP},  {0x0016008e, DROP},  {0x00180010, DUMMY}, {0x00181000, DUMMY},
    {0x00181004, DROP},  {0x00181005, DROP},  {0x00181007, DROP},  {0x00181008, DROP},  {0x00181009, DROP},
    {0x0018100a, DROP},  {0x00181030, DUMMY}, {0x001811bb, DUMMY}, {0x00181400, DUMMY}, {0x00184000, DROP},
    {0x00185011, DROP},  {0x0018700a, DUMMY}, {0x00189185, DROP},  {0x00189367, DUMMY}, {0x00189369, DUMMY},
    {0x0018936a, DUMMY}, {0x00189371, DUMMY}, {0x00189373, DROP},  {0x0018937b, DROP},  {0x0018937f, DROP},
    {0x00189424, DROP},  {0x00189516, DUMMY}, {0x00189517, DUMMY}, {0x00189937, DROP},  {0x0018a003, DROP},
    {0x00200010, EMPTY}, {0x00203401, DROP},  {0x00203406, DROP},  {0x00204000, DROP},  {0x00209158, DROP},
    {0x00284000, DROP},  {0x00320012, DROP},  {0x00321020, DROP},  {0x00321021, DROP},  {0x00321030, DROP},
    {0x00321032, DROP},  {0x00321033, DROP},  {0x00321060, EMPTY}, {0x00321066, DROP},  {0x00321067, DROP},
    {0x00321070, DROP},  {0x00324000, DROP},  {0x00340001, DUMMY}, {0x00340002, DUMMY}, {0x00340005, DUMMY},
    {0x00340007, DUMMY}, {0x00380004, DROP},  {0x00380010, DROP},  {0x00380011, DROP},  {0x00380014, DROP},
    {0x0038001e, DROP},  {0x00380020, DROP},  {0x00380021, DROP},  {0x00380040, DROP},  {0x00380050, DROP},
    {0x00380060, DROP},  {0x00380061, DROP},  {0x00380062, DROP},  {0x00380064, DROP},  {0x00380300, DROP},
    {0x00380400, DROP},  {0x00380500, DROP},  {0x00384000, DROP},  {0x003a0314, DUMMY}, {0x00400001, DROP},
    {0x00400002, DROP},  {0x00400003, DROP},  {0x00400004, DROP},  {0x00400005, DROP},  {0x00400006, DROP},
    {0x00400007, DROP},  {0x00400009, DROP},  {0x0040000b, DROP},  {0x00400010, DROP},  {0x00400011, DROP},
    {0x00400012, DROP},  {0x00400241, DROP},  {0x00400242, DROP},  {0x00400243, DROP},  {0x00400244, DROP},
    {0x00400245, DROP},  {0x00400250, DROP},  {0x00400251, DROP},  {0x00400253, DROP},  {0x00400254, DROP},
    {0x00400275, DROP},  {0x00400280, DROP},  {0x00400310, DROP},  {0x0040050a, DROP},  {0x00400512, DUMMY},
    {0x00400513, EMPTY}, {0x0040051a, DROP},  {0x00400551, DUMMY}, {0x00400555, EMPTY}, {0x00400562, EMPTY},
    {0x00400600, DROP},  {0x00400602, DROP},  {0x00400610, EMPTY}, {0x004006fa, DROP},  {0x00401001, DROP},
    {0x00401002, DROP},  {0x00401004, DROP},  {0x00401005, DROP},  {0x0040100a, DROP},  {0x00401010, DROP},
    {0x00401011, DROP},  {0x00401101, DUMMY}, {0x00401102, DROP},  {0x00401103, DROP},  {0x00401104, DROP},
    {0x00401400, DROP},  {0x00402001, DROP},  {0x00402008, DROP},  {0x00402009, DROP},  {0x00402010, DROP},
    {0x00402011, DROP},  {0x00402016, EMPTY}, {0x00402017, EMPTY}, {0x00402400, DROP},  {0x00403001, DROP},
    {0x00404005, DROP},  {0x00404008, DROP},  {0x00404010, DROP},  {0x00404011, DROP},  {0x00404025, DROP},
    {0x00404027, DROP},  {0x00404028, DROP},  {0x00404030, DROP},  {0x00404034, DROP},  {0x00404035, DROP},
    {0x00404036, DROP},  {0x00404037, DROP},  {0x00404050, DROP},  {0x00404051, DROP},  {0x00404052, DROP},
    {0x0040a027, DUMMY}, {0x0040a073, DUMMY}, {0x0040a075, DUMMY}, {0x0040a078, DROP},  {0x0040a07a, DROP},
    {0x0040a07c, DROP},  {0x0040a088, EMPTY}, {0x0040a123, DUMMY}, {0x0040a192, DROP},  {0x0040a193, DROP},
    {0x0040a307, DROP},  {0x0040a352, DROP},  {0x0040a353, DROP},  {0x0040a354, DROP},  {0x0040a358, DROP},
    {0x0040a730, DUMMY}, {0x0050001b, DROP},  {0x00500020, DROP},  {0x00500021, DROP},  {0x00700001, DUMMY},
    {0x00700084, DUMMY}, {0x00700086, DROP},  {0x00880200, DROP},  {0x00880904, DROP},  {0x00880906, DROP},
    {0x00880910, DROP},  {0x00880912, DROP},  {0x04000402, DROP},  {0x04000403, DROP},  {0x04000404, DROP},
    {0x04000550, DROP},  {0x04000551, DROP},  {0x04000552, DROP},  {0x04000561, DROP},  {0x04000600, DROP},
    {0x20300020, DROP},  {0x22000002, EMPTY}, {0x22000005, EMPTY}, {0x30060002, DUMMY}, {0x30060004, DROP},
    {0x30060006, DROP},  {0x30060008, EMPTY}, {0x30060009, DUMMY}, {0x30060026, EMPTY}, {0x30060028, DROP},
    {0x30060038, DROP},  {0x30060085, DROP},  {0x30060088, DROP},  {0x300600a6, EMPTY}, {0x30080054, DUMMY},
    {0x30080056, DUMMY}, {0x30080105, EMPTY}, {0x30080250, DUMMY}, {0x30080251, DUMMY}, {0x300a0002, DUMMY},
    {0x300a0003, DROP},  {0x300a0004, DROP},  {0x300a0006, DUMMY}, {0x300a0007, DUMMY}, {0x300a000e, DROP},
    {0x300a0016, DROP},  {0x300a0072, DROP},  {0x300a00b2, DROP},  {0x300a00c3, DROP},  {0x300a00dd, DROP},
    {0x300a0196, DROP},  {0x300a01a6, DROP},  {0x300a01b2, DROP},  {0x300a0216, DROP},  {0x300a02eb, DROP},
    {0x300a0608, DUMMY}, {0x300a0611, EMPTY}, {0x300a0615, EMPTY}, {0x300a0619, DUMMY}, {0x300a0623, DUMMY},
    {0x300a062a, DUMMY}, {0x300a0676, DROP},  {0x300a067c, DUMMY}, {0x300a067d, EMPTY}, {0x300a0734, DUMMY},
    {0x300a0736, DUMMY}, {0x300a073a, DUMMY}, {0x300a0741, DUMMY}, {0x300a0742, DUMMY}, {0x300a0760, DUMMY},
    {0x300a0783, DUMMY}, {0x300c0113, DROP},  {0x300e0008, EMPTY}, {0x3010000f, EMPTY}, {0x30100017, EMPTY},
    {0x3010001b, EMPTY}, {0x3010002d, DUMMY}, {0x30100033, DUMMY}, {0x30100034, DUMMY}, {0x30100035, DUMMY},
    {0x30100036, DROP},  {0x30100037, DROP},  {0x30100038, DUMMY}, {0x30100043, EMPTY}, {0x3010004c, DUMMY},
    {0x3010004d, DUMMY}, {0x30100054, DUMMY}, {0x30100056, DUMMY}, {0x3010005a, EMPTY}, {0x3010005c, EMPTY},
    {0x30100061, DROP},  {0x30100077, DUMMY}, {0x3010007a, EMPTY}, {0x3010007b, EMPTY}, {0x3010007f, EMPTY},
    {0x30100081, EMPTY}, {0x40000010, DROP},  {0x40004000, DROP},  {0x40080042, DROP},  {0x40080102, DROP},
    {0x4008010a, DROP},  {0x4008010b, DROP},  {0x4008010c, DROP},  {0x40080111, DROP},  {0x40080114, DROP},
    {0x40080115, DROP},  {0x40080118, DROP},  {0x40080119, DROP},  {0x4008011a, DROP},  {0x40080202, DROP},
    {0x40080300, DROP},  {0x40084000, DROP},  {0xfffafffa, DROP},  {0xfffcfffc, DROP},
};

typedef struct cleaning {
    cn_opened *file;
    const cn_dicom_ask *ask;
    bool document;
} cleaning;

/* ---- elements ---- */

static int by_tag(const void *left, const void *right)
{
    uint32_t one = *(const uint32_t *)left, other = *(const uint32_t *)right;
    return one < other ? -1 : one > other;
}

static bool is_one_of(const char *vr, const char *list)
{
    for (; *list; list += 3)
        if (list[0] == vr[0] && list[1] == vr[1]) return true;
    return false;
}

static action action_of(const cn_element *element)
{
    uint32_t group = element->tag >> 16;
    if (group & 1 || group >> 8 == 0x50 || group >> 8 == 0x60) return DROP;
    for (size_t low = 0, high = sizeof(rows) / sizeof(rows[0]); low < high;) {
        size_t middle = (low + high) / 2;
        int order = by_tag(&element->tag, &rows[middle].tag);
        if (order == 0) return rows[middle].action;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    if (is_one_of(element->vr, "PN DA DT TM ")) return EMPTY;
    if (is_one_of(element->vr, "LT ST UT UC UN UR ")) return DROP; /* free text, links, and what nobody knows */
    return KEEP;
}

static void dummy_of(const char *vr, cn_buf *value)
{
    static const struct {
        char vr[3];
        const char *text;
    } dummies[] = {{"DA", "19000101"}, {"TM", "000000"},  {"DT", "19000101000000"}, {"PN", "REMOVED"},
                   {"LO", "REMOVED"},  {"SH", "REMOVED"}, {"LT", "REMOVED"},        {"ST", "REMOVED"},
                   {"UT", "REMOVED"},  {"UC", "REMOVED"}, {"CS", "NONE"},           {"IS", "0"},
                   {"DS", "0"}};
    for (size_t i = 0; i < sizeof(dummies) / sizeof(dummies[0]); i++)
        if (memcmp(dummies[i].vr, vr, 2) == 0) cn_buf_str(value, dummies[i].text);
}

/* ---- UIDs ---- */

/* 2.25 and a UUID (PS3.5 §B.2) of version 8 that the key makes of the old one. */
static void put_new_uid(const uint8_t key[32], const char *uid, size_t n, cn_buf *out)
{
    uint8_t mac[32] = {0};
    char digits[40];
    size_t at = sizeof(digits);
    cn_hmac_sha256(key, 32, uid, n, mac);
    mac[6] = (uint8_t)((mac[6] & 0x0f) | 0x80);
    mac[8] = (uint8_t)((mac[8] & 0x3f) | 0x80);
    unsigned __int128 number = 0;
    for (int i = 0; i < 16; i++) number = number << 8 | mac[i];
    for (; number; number /= 10) digits[--at] = (char)('0' + (int)(number % 10));
    cn_buf_str(out, "2.25.");
    cn_buf_add(out, digits + at, sizeof(digits) - at);
}

static void put_uids(const cleaning *of, const cn_element *element, cn_buf *out)
{
    const char *at = (const char *)of->file->dataset.bytes + element->value, *stop = at + element->length;
    while (at < stop) {
        const char *end = memchr(at, '\\', (size_t)(stop - at));
        size_t all = (size_t)((end ? end : stop) - at), n = all;
        while (n && (!at[n - 1] || at[n - 1] == ' ')) n--;
        if (out->n) cn_buf_add(out, "\\", 1);
        bool standard = n > strlen(STANDARD_ROOT) && memcmp(at, STANDARD_ROOT, strlen(STANDARD_ROOT)) == 0;
        if (standard)
            cn_buf_add(out, at, n);
        else if (n)
            put_new_uid(of->ask->key, at, n, out);
        at += all + 1;
    }
}

static cn_edit edit(void *user, const cn_element *element, cn_buf *value)
{
    cleaning *of = user;
    if (element->tag == ENCAPSULATED_DOCUMENT) of->document = true;
    action what = action_of(element);
    bool sequence = strcmp(element->vr, "SQ") == 0;
    if (what == DROP) return CN_EDIT_DROP;
    if (what == EMPTY || (what == DUMMY && sequence)) return CN_EDIT_REPLACE;
    if (strcmp(element->vr, "UI") == 0) {
        put_uids(of, element, value);
        return CN_EDIT_REPLACE;
    }
    if (what == KEEP) return CN_EDIT_KEEP;
    dummy_of(element->vr, value);
    return CN_EDIT_REPLACE;
}

/* ---- pixels ---- */

/* Black of each sample: in MONOCHROME1 the largest value. */
static uint64_t black_of(const cn_opened *file, uint32_t sample)
{
    const cn_picture *picture = &file->model.picture;
    uint64_t most = picture->bits_stored >= 64 ? UINT64_MAX : ((uint64_t)1 << picture->bits_stored) - 1;
    const char *photometric = cn_pixels_photometric(file);
    uint64_t least = picture->is_signed ? (most >> 1) + 1 : 0; /* two's complement */
    if (picture->samples == 1)
        return strcmp(photometric, "MONOCHROME1") == 0 ? picture->is_signed ? most >> 1 : most : least;
    return sample > 0 && strncmp(photometric, "YBR", 3) == 0 ? (most >> 1) + 1 : 0;
}

static void put_sample(const cn_opened *file, uint8_t *pixels, size_t at, uint64_t value)
{
    unsigned bits = file->model.picture.bits_allocated;
    if (bits == 1) {
        uint8_t mask = (uint8_t)(1u << (at % 8));
        pixels[at / 8] = (uint8_t)(value ? pixels[at / 8] | mask : pixels[at / 8] & ~mask);
        return;
    }
    for (unsigned i = 0; i < bits / 8; i++) pixels[at * (bits / 8) + i] = (uint8_t)(value >> (8 * i));
}

static void blacken_pixel(const cn_opened *file, uint8_t *pixels, size_t at)
{
    const cn_picture *picture = &file->model.picture;
    size_t n = (size_t)picture->rows * picture->columns;
    bool halved = strcmp(cn_pixels_photometric(file), "YBR_FULL_422") == 0 && !picture->pixels.undefined;
    bool planar = cn_pixels_planar(file);
    for (uint32_t c = 0; c < picture->samples; c++) {
        size_t place = halved   ? at / 2 * 4 + (c == 0 ? at % 2 : c + 1)
                       : planar ? c * n + at
                                : at * picture->samples + c;
        put_sample(file, pixels, place, black_of(file, c));
    }
}

static void blacken(void *user, uint32_t index, uint8_t *pixels, size_t n)
{
    const cleaning *of = user;
    const cn_picture *picture = &of->file->model.picture;
    (void)index;
    (void)n;
    for (uint32_t i = 0; i < of->ask->boxes; i++) {
        const cn_dicom_box *box = &of->ask->box[i];
        for (uint64_t y = box->y; y < (uint64_t)box->y + box->height && y < picture->rows; y++)
            for (uint64_t x = box->x; x < (uint64_t)box->x + box->width && x < picture->columns; x++)
                blacken_pixel(of->file, pixels, (size_t)(y * picture->columns + x));
    }
}

/* ---- the file ---- */

void cn_deid_load(void)
{
    static const uint8_t key[32];
    uint8_t mac[32];
    cn_hmac_sha256(key, sizeof(key), "", 0, mac);
}

cn_err cn_deid_file(cn_opened *file, const cn_dicom_ask *ask, int fd)
{
    static const cn_extra plain[] = {
        {0x00120062, "CS", "YES"}, {0x00120063, "LO", "DICOM PS3.15 Basic Profile"}, {0x00280303, "CS", "REMOVED"}};
    static const cn_extra boxed[] = {{0x00120062, "CS", "YES"},
                                     {0x00120063, "LO", "DICOM PS3.15 Basic Profile, areas blackened"},
                                     {0x00280303, "CS", "REMOVED"}};
    cleaning of = {.file = file, .ask = ask};
    cn_buf instance = {.p = NULL};
    put_new_uid(ask->key, file->model.instance, strlen(file->model.instance), &instance);
    const cn_rewriting how = {.decode = ask->boxes > 0 && file->model.picture.frames > 0,
                              .instance = instance.p,
                              .user = &of,
                              .edit = edit,
                              .frame = ask->boxes ? blacken : NULL,
                              .extra = ask->boxes ? boxed : plain,
                              .extras = 3};
    cn_err err = instance.err != CN_OK ? instance.err : cn_rewrite_file(file, &how, fd);
    cn_buf_free(&instance);
    if (err == CN_OK && of.document)
        return cn_dataset_refuse(&file->dataset, CN_ERR_UNSUPPORTED, ENCAPSULATED_DOCUMENT,
                                 "a document cannot be freed of names.");
    return err;
}
