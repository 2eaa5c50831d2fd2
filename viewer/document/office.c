#include "viewer/document/office.h"

#include <string.h>

#include "base/file.h"
#include "base/str.h"

#define PATH 4096
#define XML "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define DOCTYPE(what, dtd) "<!DOCTYPE " what " PUBLIC \"-//OpenOffice.org//DTD OfficeDocument 1.0//EN\" \"" dtd "\">\n"
#define LIBRARY "xmlns:library=\"http://openoffice.org/2000/library\""

/* Without the first line LibreOffice takes the folder for a new user's and copies its own macros over ours. A document
 * reads no other file and no address: not a picture, not a linked part. */
static const char settings[] =
    XML "<oor:items xmlns:oor=\"http://openoffice.org/2001/registry\" xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" "
        "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\n"
        "<item oor:path=\"/org.openoffice.Setup/Office\"><prop oor:name=\"ooSetupInstCompleted\" oor:op=\"fuse\">"
        "<value>true</value></prop></item>\n"
        "<item oor:path=\"/org.openoffice.Office.Common/Security/Scripting\"><prop "
        "oor:name=\"BlockUntrustedRefererLinks\" oor:op=\"fuse\"><value>true</value></prop></item>\n"
        "</oor:items>\n";

static const char libraries[] = XML DOCTYPE(
    "library:libraries",
    "libraries.dtd") "<library:libraries " LIBRARY
                     " xmlns:xlink=\"http://www.w3.org/1999/xlink\">\n<library:library library:name=\"Standard\" "
                     "xlink:href=\"$(USER)/basic/Standard/script.xlb/\" xlink:type=\"simple\" "
                     "library:link=\"false\"/>\n"
                     "</library:libraries>\n";

static const char library[] = XML DOCTYPE(
    "library:library",
    "library.dtd") "<library:library " LIBRARY
                   " library:name=\"Standard\" library:readonly=\"false\" library:passwordprotected=\"false\">\n"
                   "<library:element library:name=\"Module1\"/>\n</library:library>\n";

/* Basic. 0 for MacroExecutionMode is NEVER_EXECUTE, for UpdateDocMode NO_UPDATE. A sheet that is wider than its page is
 * turned and then shrunk to one page's width; what its author set himself stays. */
static const char module_head[] = XML DOCTYPE(
    "script:module",
    "module.dtd") "<script:module xmlns:script=\"http://openoffice.org/2000/script\" script:name=\"Module1\" "
                  "script:language=\"StarBasic\">\n"
                  "Function Opt(word As String, value As Variant) As Object\n"
                  "  Dim p As New com.sun.star.beans.PropertyValue\n"
                  "  p.Name = word\n"
                  "  p.Value = value\n"
                  "  Opt = p\n"
                  "End Function\n"
                  "Sub Turn(sheet As Object, style As Object)\n"
                  "  Dim used As Object, swap As Long\n"
                  "  used = sheet.createCursor()\n"
                  "  used.gotoStartOfUsedArea(False)\n"
                  "  used.gotoEndOfUsedArea(True)\n"
                  "  If used.Size.Width &lt;= style.Width - style.LeftMargin - style.RightMargin Then Exit Sub\n"
                  "  If style.IsLandscape Or style.Width &gt; style.Height Then Exit Sub\n"
                  "  swap = style.Width\n"
                  "  style.IsLandscape = True\n"
                  "  style.Width = style.Height\n"
                  "  style.Height = swap\n"
                  "End Sub\n"
                  "Sub Fit(doc As Object)\n"
                  "  Dim i As Integer, sheet As Object, style As Object\n"
                  "  For i = 0 To doc.Sheets.Count - 1\n"
                  "    sheet = doc.Sheets.getByIndex(i)\n"
                  "    style = doc.StyleFamilies.getByName(\"PageStyles\").getByName(sheet.PageStyle)\n"
                  "    If style.ScaleToPages = 0 And style.ScaleToPagesX = 0 And style.ScaleToPagesY = 0 Then\n"
                  "      Turn(sheet, style)\n"
                  "      style.ScaleToPagesX = 1\n"
                  "    End If\n"
                  "  Next i\n"
                  "End Sub\n"
                  "Sub ToPdf()\n"
                  "  On Error GoTo Done\n"
                  "  Dim doc As Object, kind As String\n";

static const char module_tail[] =
    "  doc = StarDesktop.loadComponentFromURL(source, \"_blank\", 0, Array(Opt(\"Hidden\", True), "
    "Opt(\"ReadOnly\", True), Opt(\"MacroExecutionMode\", 0), Opt(\"UpdateDocMode\", 0)))\n"
    "  If IsNull(doc) Then GoTo Done\n"
    "  kind = \"writer\"\n"
    "  If doc.supportsService(\"com.sun.star.text.WebDocument\") Then kind = \"writer_web\"\n"
    "  If doc.supportsService(\"com.sun.star.sheet.SpreadsheetDocument\") Then\n"
    "    kind = \"calc\"\n"
    "    Fit(doc)\n"
    "  End If\n"
    "  If doc.supportsService(\"com.sun.star.drawing.DrawingDocument\") Then kind = \"draw\"\n"
    "  If doc.supportsService(\"com.sun.star.presentation.PresentationDocument\") Then kind = \"impress\"\n"
    "  doc.storeToURL(target, Array(Opt(\"FilterName\", kind &amp; \"_pdf_Export\")))\n"
    "Done:\n"
    "  StarDesktop.terminate()\n"
    "End Sub\n"
    "</script:module>\n";

cn_err cn_office_url(const char *path, char *out, size_t size)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
    static const char digits[] = "0123456789ABCDEF";
    if (!cn_strcpy(out, size, "file://")) return CN_ERR_TOOBIG;
    size_t n = strlen(out);
    for (const unsigned char *c = (const unsigned char *)path; *c; c++) {
        if (n + 4 > size) return CN_ERR_TOOBIG;
        if (strchr(plain, *c)) {
            out[n++] = (char)*c;
        } else {
            out[n++] = '%';
            out[n++] = digits[*c >> 4];
            out[n++] = digits[*c & 15];
        }
        out[n] = 0;
    }
    return CN_OK;
}

static cn_err put(const char *dir, const char *name, const char *text)
{
    char path[PATH];
    if (!cn_fmt(path, sizeof(path), "%s/profile/user/%s", dir, name)) return CN_ERR_TOOBIG;
    return cn_file_write_durable(path, text, strlen(text), 0600);
}

static cn_err put_module(const char *dir, const char *input, const char *output)
{
    char source[PATH], target[PATH];
    cn_buf text = {0};
    CN_TRY(cn_office_url(input, source, sizeof(source)));
    CN_TRY(cn_office_url(output, target, sizeof(target)));
    cn_buf_str(&text, module_head);
    cn_buf_fmt(&text, "  Const source = \"%s\"\n  Const target = \"%s\"\n", source, target);
    cn_buf_str(&text, module_tail);
    cn_err err = text.err == CN_OK ? put(dir, "basic/Standard/Module1.xba", text.p) : text.err;
    cn_buf_free(&text);
    return err;
}

cn_err cn_office_profile(const char *dir, const char *input, const char *output)
{
    char folder[PATH];
    if (!cn_fmt(folder, sizeof(folder), "%s/profile/user/basic/Standard", dir)) return CN_ERR_TOOBIG;
    CN_TRY(cn_mkdirs(folder));
    CN_TRY(put(dir, "registrymodifications.xcu", settings));
    CN_TRY(put(dir, "basic/script.xlc", libraries));
    CN_TRY(put(dir, "basic/Standard/script.xlb", library));
    return put_module(dir, input, output);
}
