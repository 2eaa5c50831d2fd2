#include <string.h>

#include "base/str.h"
#include "consult/file/file_private.h"

#define OOXML "application/vnd.openxmlformats-officedocument."

static const cn_filetype table[] = {
    {"pdf", "document", "ready", {"application/pdf"}},
    {"docx", "document", "converting", {OOXML "wordprocessingml.document"}},
    {"xlsx", "document", "converting", {OOXML "spreadsheetml.sheet"}},
    {"pptx", "document", "converting", {OOXML "presentationml.presentation"}},
    {"doc", "document", "converting", {"application/msword", "application/x-ole-storage"}},
    {"xls", "document", "converting", {"application/vnd.ms-excel", "application/x-ole-storage"}},
    {"ppt", "document", "converting", {"application/vnd.ms-powerpoint", "application/x-ole-storage"}},
    {"txt", "document", "converting", {"text/plain"}},
    {"jpg", "image", "ready", {"image/jpeg"}},
    {"jpeg", "image", "ready", {"image/jpeg"}},
    {"png", "image", "ready", {"image/png"}},
    {"gif", "image", "ready", {"image/gif"}},
    {"webp", "image", "ready", {"image/webp"}},
    {"bmp", "image", "ready", {"image/bmp"}},
    {"svs", "slide", "converting", {"image/tiff"}},
    {"tif", "slide", "converting", {"image/tiff"}},
    {"tiff", "slide", "converting", {"image/tiff"}},
    {"ndpi", "slide", "converting", {"image/tiff"}},
    {"scn", "slide", "converting", {"image/tiff"}},
    {"bif", "slide", "converting", {"image/tiff"}},
    {"dcm", "other", "ready", {"application/dicom"}},
    {"mp4", "other", "ready", {"video/mp4"}},
};

const cn_filetype *cn_filetype_of(const char *name)
{
    const char *dot = strrchr(name, '.');
    if (!dot || dot == name) return NULL;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (strcasecmp(dot + 1, table[i].extension) == 0) return &table[i];
    return NULL;
}

bool cn_filetype_holds(const cn_filetype *type, const char *sniffed)
{
    for (size_t i = 0; sniffed && i < 4 && type->types[i]; i++)
        if (strcmp(type->types[i], sniffed) == 0) return true;
    return false;
}

bool cn_filename_valid(const char *name)
{
    size_t n = strlen(name);
    if (n < 1 || n >= CN_FILE_NAME || !cn_utf8_valid(name, n) || cn_utf8_length(name) > 200 || name[0] == '.')
        return false;
    for (const unsigned char *s = (const unsigned char *)name; *s; s++)
        if (*s < 0x20 || *s == 0x7f || *s == '/' || *s == '\\') return false;
    return true;
}
