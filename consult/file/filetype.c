#include <string.h>

#include "base/str.h"
#include "consult/file/file_private.h"

#define OOXML "application/vnd.openxmlformats-officedocument."

/* What LibreOffice reads it tells by its content, and so do we: hospital systems write RTF and pages as ".doc" and
 * ".xls", and a new format under the old ending. The ending here is the one under which it is handed over; "" where the
 * content does not say, so that the name's decides. */
static const struct {
    const char *type, *ending;
} office[] = {
    {OOXML "wordprocessingml.document", "docx"},
    {OOXML "spreadsheetml.sheet", "xlsx"},
    {OOXML "presentationml.presentation", "pptx"},
    {"application/msword", "doc"},
    {"application/vnd.ms-excel", "xls"},
    {"application/vnd.ms-powerpoint", "ppt"},
    {"application/x-ole-storage", ""},
    {"application/rtf", "rtf"},
    {"text/html", ""},
};

static const char *const pdfs[] = {"application/pdf", NULL};
static const char *const texts[] = {"text/plain", "text/html", NULL};
static const char *const pictures[] = {"image/jpeg", "image/png",  "image/gif", "image/webp",
                                       "image/bmp",  "image/heic", "image/jp2", NULL};
static const char *const slides[] = {"image/tiff", NULL};
static const char *const dicoms[] = {"application/dicom", CN_TYPE_ECG "dicom", NULL};
static const char *const ecg_xmls[] = {CN_TYPE_ECG "aecg", CN_TYPE_ECG "muse", NULL};
static const char *const ecg_scps[] = {CN_TYPE_ECG "scp", NULL};
static const char *const zips[] = {"application/zip", NULL}; /* with a slide of several files in it */
static const char *const videos[] = {"video/mp4", NULL};

/* `types` NULL: whatever is in `office`. `storage`, `page`: the ending for an OLE storage and for HTML. */
static const cn_filetype table[] = {
    {"pdf", "document", "ready", pdfs, "", ""},
    {"docx", "document", "converting", NULL, "doc", "html"},
    {"xlsx", "document", "converting", NULL, "xls", "xls"},
    {"pptx", "document", "converting", NULL, "ppt", "html"},
    {"doc", "document", "converting", NULL, "doc", "html"},
    {"xls", "document", "converting", NULL, "xls", "xls"},
    {"ppt", "document", "converting", NULL, "ppt", "html"},
    {"wps", "document", "converting", NULL, "doc", "html"},
    {"et", "document", "converting", NULL, "xls", "xls"},
    {"dps", "document", "converting", NULL, "ppt", "html"},
    {"rtf", "document", "converting", NULL, "doc", "html"},
    {"txt", "document", "converting", texts, "", "txt"},
    {"jpg", "image", "ready", pictures, "", ""},
    {"jpeg", "image", "ready", pictures, "", ""},
    {"png", "image", "ready", pictures, "", ""},
    {"gif", "image", "ready", pictures, "", ""},
    {"webp", "image", "ready", pictures, "", ""},
    {"bmp", "image", "ready", pictures, "", ""},
    {"heic", "slide", "converting", pictures, "", ""},
    {"heif", "slide", "converting", pictures, "", ""},
    {"jp2", "slide", "converting", pictures, "", ""},
    {"j2k", "slide", "converting", pictures, "", ""},
    {"svs", "slide", "converting", slides, "", ""},
    {"tif", "slide", "converting", slides, "", ""},
    {"tiff", "slide", "converting", slides, "", ""},
    {"ndpi", "slide", "converting", slides, "", ""},
    {"scn", "slide", "converting", slides, "", ""},
    {"bif", "slide", "converting", slides, "", ""},
    {"zip", "slide", "converting", zips, "", ""},
    {"dcm", "other", "ready", dicoms, "", ""},
    {"dicom", "other", "ready", dicoms, "", ""},
    {"ima", "other", "ready", dicoms, "", ""},
    {"xml", "document", "converting", ecg_xmls, "", ""},
    {"scp", "document", "converting", ecg_scps, "", ""},
    {"ecg", "document", "converting", ecg_scps, "", ""},
    {"mp4", "other", "ready", videos, "", ""},
};

/* CDs and archives write DICOM files without an ending (IM000001) or named by their UID: the content alone says so, and
 * nothing else is taken without an ending. */
static const cn_filetype bare = {"", "other", "ready", dicoms, "", ""};

const cn_filetype *cn_filetype_of(const char *name)
{
    const char *dot = strrchr(name, '.');
    if (!dot || dot[1 + strspn(dot + 1, "0123456789")] == '\0') return &bare;
    if (dot == name) return NULL;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (strcasecmp(dot + 1, table[i].extension) == 0) return &table[i];
    return NULL;
}

const char *cn_filetype_advice(const char *name, const char *sniffed)
{
    static const struct {
        const char *ending, *type, *field;
    } known[] = {
        /* one of several files: alone it is of no use */
        {"mrxs", NULL, "filename.folder"},
        {"vms", NULL, "filename.folder"},
        {"vmu", NULL, "filename.folder"},
        /* nobody has described these well enough to read them safely */
        {"kfb", "application/x-kfb", "filename.export"},
        {"sdpc", "application/x-sdpc", "filename.export"},
    };
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if ((dot && strcasecmp(dot + 1, known[i].ending) == 0) ||
            (sniffed && known[i].type && strcmp(sniffed, known[i].type) == 0))
            return known[i].field;
    return NULL;
}

static const char *office_ending(const char *type)
{
    for (size_t i = 0; i < sizeof(office) / sizeof(office[0]); i++)
        if (strcmp(office[i].type, type) == 0) return office[i].ending;
    return NULL;
}

bool cn_filetype_holds(const cn_filetype *type, const char *sniffed)
{
    if (!sniffed) return false;
    if (!type->types) return office_ending(sniffed) != NULL;
    for (size_t i = 0; type->types[i]; i++)
        if (strcmp(type->types[i], sniffed) == 0) return true;
    return false;
}

/* No browser shows these; where slides are asked for, every picture is to be looked at like one. */
bool cn_filetype_is_slide(const cn_filetype *type, const char *category, const char *sniffed)
{
    static const char *const always[] = {"image/heic", "image/jp2"}, *const there[] = {"image/jpeg", "image/png",
                                                                                       "image/bmp"};
    if (strcmp(type->kind, "slide") == 0) return true;
    for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
        if (strcmp(always[i], sniffed) == 0) return true;
    for (size_t i = 0; i < sizeof(there) / sizeof(there[0]) && strcmp(category, CN_CATEGORY_SLIDES) == 0; i++)
        if (strcmp(there[i], sniffed) == 0) return true;
    return false;
}

bool cn_file_is_ecg(const char *type)
{
    return strncmp(type, CN_TYPE_ECG, sizeof(CN_TYPE_ECG) - 1) == 0;
}

const char *cn_file_format(const cn_file_info *info)
{
    const cn_filetype *type = cn_filetype_of(info->name);
    if (!type) return NULL;
    if (strcmp(info->type, "text/html") == 0) return type->page;
    if (strcmp(info->type, "application/x-ole-storage") == 0) return type->storage;
    return type->types ? type->extension : office_ending(info->type);
}

bool cn_filename_valid(const char *name)
{
    size_t n = strlen(name);
    if (n < 1 || n >= CN_FILE_NAME || !cn_utf8_valid(name, n) || cn_utf8_length(name) > CN_FILE_NAME_CHARS ||
        name[0] == '.')
        return false;
    for (const unsigned char *s = (const unsigned char *)name; *s; s++)
        if (*s < 0x20 || *s == 0x7f || *s == '/' || *s == '\\') return false;
    return true;
}
