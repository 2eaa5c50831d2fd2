/* Uploads and files: what arrives is kept, what is refused leaves nothing, and nobody reads what is not his to see. */
#include "support_story.h"

#include <dirent.h>
#include <unistd.h>

#include "consult/file/file.h"
#include "consult/file/file_private.h"

#define MEGABYTE ((int64_t)1 << 20)
#define WEEK ((int64_t)7 * 86400000)

static const char pdf[] = "%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n";
#define PDF_SIZE ((int64_t)sizeof pdf - 1)

static cn_err begin(platform *rig, const cn_actor *actor, const char *request, const char *name, int64_t size,
                    const char *sha256, char id[CN_ID_TEXT])
{
    const cn_upload_new upload = {
        .request = request, .category = "consent", .name = name, .sha256 = sha256, .size = size, .max_bytes = MEGABYTE};
    cn_problem problem = {.err = CN_OK};
    return cn_upload_create(rig->c, actor, &upload, id, &problem);
}

static cn_err add(platform *rig, const char *upload, int64_t offset, const char *bytes, size_t len)
{
    cn_problem problem = {.err = CN_OK};
    return cn_upload_append(rig->c, &rig->referrer, upload, offset, bytes, len, &problem);
}

static cn_err sync_upload(platform *rig, const char *upload, cn_upload_state *out)
{
    cn_problem problem = {.err = CN_OK};
    return cn_upload_sync(rig->c, &rig->referrer, upload, out, &problem);
}

static void whole(platform *rig, const char *request, char file[CN_ID_TEXT])
{
    char upload[CN_ID_TEXT];
    cn_upload_state upload_state;
    assert_ok(begin(rig, &rig->referrer, request, "知情同意书.pdf", PDF_SIZE, NULL, upload));
    assert_ok(add(rig, upload, 0, pdf, sizeof pdf - 1));
    assert_ok(sync_upload(rig, upload, &upload_state));
    cn_strcpy(file, CN_ID_TEXT, upload_state.file);
}

/* How many parts lie on the disk. */
static size_t parts(const platform *rig)
{
    char path[1024];
    size_t n = 0;
    snprintf(path, sizeof path, "%s/uploads", rig->s->files);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (const struct dirent *found; (found = readdir(dir));)
        if (found->d_name[0] != '.') n++;
    closedir(dir);
    return n;
}

static void test_an_upload_in_pieces(void **state)
{
    platform rig;
    char request[CN_ID_TEXT], upload[CN_ID_TEXT];
    cn_upload_state upload_state;
    cn_file_info info;
    cn_problem problem = {.err = CN_OK};
    platform_open(&rig, state);
    request_new(&rig, false, "李明", request);
    assert_ok(begin(&rig, &rig.referrer, request, "知情同意书.pdf", PDF_SIZE, NULL, upload));
    assert_ok(add(&rig, upload, 0, pdf, 10));
    assert_err(add(&rig, upload, 0, pdf, 10), CN_ERR_CONFLICT);
    assert_err(add(&rig, upload, 11, pdf + 11, 5), CN_ERR_CONFLICT);
    assert_err(add(&rig, upload, 10, pdf, sizeof pdf - 1), CN_ERR_TOOBIG); /* more than was announced: nothing of it */
    assert_ok(sync_upload(&rig, upload, &upload_state));
    assert_int_equal(upload_state.offset, 10);
    assert_in_range(upload_state.expires_ms, cn_wall_ms() + WEEK - 60000, cn_wall_ms() + WEEK);
    assert_string_equal(upload_state.file, "");
    /* it is its owner's alone */
    assert_err(cn_upload_get(rig.c, &rig.lead, upload, &upload_state), CN_ERR_NOTFOUND);
    assert_err(cn_upload_append(rig.c, &rig.colleague, upload, 10, pdf + 10, 5, &problem), CN_ERR_NOTFOUND);
    assert_err(cn_upload_cancel(rig.c, &rig.admin, upload), CN_ERR_NOTFOUND);
    assert_ok(add(&rig, upload, 10, pdf + 10, sizeof pdf - 11));
    assert_ok(sync_upload(&rig, upload, &upload_state));
    assert_int_equal(upload_state.offset, PDF_SIZE);
    assert_true(cn_id_valid(upload_state.file));
    assert_int_equal(upload_state.expires_ms, 0);
    assert_err(add(&rig, upload, PDF_SIZE, pdf, 1), CN_ERR_CONFLICT);
    assert_err(cn_upload_cancel(rig.c, &rig.referrer, upload), CN_ERR_CONFLICT);
    assert_ok(cn_file_get(rig.c, &rig.referrer, upload_state.file, "file.read", &info));
    char hospital[CN_ID_TEXT];
    assert_ok(cn_file_hospital(rig.c, upload_state.file, hospital));
    assert_string_equal(hospital, rig.referrer.hospital);
    assert_err(cn_file_hospital(rig.c, "no such file", hospital), CN_ERR_NOTFOUND);
    assert_string_equal(info.name, "知情同意书.pdf");
    assert_string_equal(info.type, "application/pdf");
    assert_string_equal(info.kind, "document");
    assert_string_equal(info.state, "ready");
    assert_int_equal(info.size, PDF_SIZE);
    assert_int_equal(parts(&rig), 0);
    platform_close(&rig);
}

static void test_what_is_refused_leaves_nothing(void **state)
{
    static const char zeros[65] = "0000000000000000000000000000000000000000000000000000000000000000";
    platform rig;
    char request[CN_ID_TEXT], upload[CN_ID_TEXT];
    cn_upload_state upload_state;
    platform_open(&rig, state);
    request_new(&rig, false, "李明", request);
    assert_err(begin(&rig, &rig.referrer, request, "a.exe", 10, NULL, upload), CN_ERR_UNSUPPORTED);
    assert_err(begin(&rig, &rig.referrer, request, "../../a.pdf", 10, NULL, upload), CN_ERR_INVALID);
    assert_err(begin(&rig, &rig.referrer, request, "a.pdf", 0, NULL, upload), CN_ERR_INVALID);
    assert_err(begin(&rig, &rig.referrer, request, "a.pdf", MEGABYTE + 1, NULL, upload), CN_ERR_TOOBIG);
    assert_err(begin(&rig, &rig.referrer, request, "a.pdf", 10, "xyz", upload), CN_ERR_INVALID);
    assert_int_equal(platform_int(&rig, "SELECT COUNT(*) FROM uploads"), 0);
    /* what it says it is */
    assert_ok(begin(&rig, &rig.referrer, request, "scan.png", PDF_SIZE, NULL, upload));
    assert_ok(add(&rig, upload, 0, pdf, sizeof pdf - 1));
    assert_err(sync_upload(&rig, upload, &upload_state), CN_ERR_INVALID);
    assert_err(cn_upload_get(rig.c, &rig.referrer, upload, &upload_state), CN_ERR_NOTFOUND);
    /* what was announced */
    assert_ok(begin(&rig, &rig.referrer, request, "scan.pdf", PDF_SIZE, zeros, upload));
    assert_ok(add(&rig, upload, 0, pdf, sizeof pdf - 1));
    assert_err(sync_upload(&rig, upload, &upload_state), CN_ERR_INVALID);
    /* given up */
    assert_ok(begin(&rig, &rig.referrer, request, "scan.pdf", PDF_SIZE, NULL, upload));
    assert_ok(add(&rig, upload, 0, pdf, 20));
    assert_ok(cn_upload_cancel(rig.c, &rig.referrer, upload));
    assert_int_equal(platform_int(&rig, "SELECT COUNT(*) FROM uploads"), 0);
    assert_int_equal(platform_int(&rig, "SELECT COUNT(*) FROM files"), 0);
    assert_int_equal(platform_int(&rig, "SELECT COUNT(*) FROM audit_log WHERE action = 'file.create' AND outcome = "
                                        "'failed'"),
                     2);
    assert_int_equal(parts(&rig), 0);
    platform_close(&rig);
}

#define ZERO_16 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define DICOM ZERO_16 ZERO_16 ZERO_16 ZERO_16 ZERO_16 ZERO_16 ZERO_16 ZERO_16 "DICM\2\0\0\0UL"
#define OLE "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1...."
#define OOXML "application/vnd.openxmlformats-officedocument."

/* What a document is by its content, and the format under which it is handed over; NULL: refused, naming `field`. */
static const struct {
    const char *name, *bytes;
    size_t n;
    const char *type, *format, *field;
} documents[] = {
#define D(name, bytes, ...)                        \
    {                                              \
        name, bytes, sizeof bytes - 1, __VA_ARGS__ \
    }
    D("出院小结.doc", "{\\rtf1\\ansi \xb3\xf6\xd4\xba}", "application/rtf", "rtf", NULL),
    D("a.DOC", "<html><body>", "text/html", "html", NULL),
    D("a.xls", "<table border=1><tr>", "text/html", "xls", NULL),
    D("a.doc", "PK\3\4\24\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\5\0\0\0word/a", OOXML "wordprocessingml.document",
      "docx", NULL),
    D("a.docx", OLE "W\0o\0r\0d\0D\0o\0c\0u\0m\0e\0n\0t\0\0\0", "application/msword", "doc", NULL),
    D("a.wps", OLE "W\0o\0r\0d\0D\0o\0c\0u\0m\0e\0n\0t\0\0\0", "application/msword", "doc", NULL),
    D("a.wps", OLE, "application/x-ole-storage", "doc", NULL),
    D("a.et", OLE "W\0o\0r\0k\0b\0o\0o\0k\0\0\0", "application/vnd.ms-excel", "xls", NULL),
    D("a.dps", OLE, "application/x-ole-storage", "ppt", NULL),
    D("a.rtf", "{\\rtf1}", "application/rtf", "rtf", NULL),
    D("a.txt", "\xb3\xf6\xd4\xba\xd0\xa1\xbd\xe1", "text/plain", "txt", NULL),
    D("a.txt", "<html>", "text/html", "txt", NULL),
    D("a.jpg", "\x89PNG\r\n\x1a\n", "image/png", "jpg", NULL),
    D("a.docx", OLE "E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0\0\0", NULL, NULL, "file.password"),
    D("a.doc", "MZ\x90\0", NULL, NULL, "filename"),
    D("a.doc", "%PDF-1.4", NULL, NULL, "filename"),
    D("a.jpg", "%PDF-1.4", NULL, NULL, "filename"),
    /* as CDs and archives name them */
    D("IM000001", DICOM, "application/dicom", "", NULL),
    D("1.2.840.113619.2.55.3", DICOM, "application/dicom", "", NULL),
    D("MR.0001.IMA", DICOM, "application/dicom", "ima", NULL),
    D("CT0001.dcm", DICOM, "application/dicom", "dcm", NULL),
    D("IM000001", "%PDF-1.4", NULL, NULL, "filename"),
    D("install", "MZ\x90\0", NULL, NULL, "filename"),
    D("a.pdf", DICOM, NULL, NULL, "filename"),
#undef D
};

static void test_the_content_decides(void **state)
{
    platform rig;
    char request[CN_ID_TEXT], upload[CN_ID_TEXT];
    platform_open(&rig, state);
    request_new(&rig, false, "李明", request);
    for (size_t i = 0; i < sizeof documents / sizeof *documents; i++) {
        cn_upload_state upload_state = {.offset = 0};
        cn_problem problem = {.err = CN_OK};
        cn_file_info info;
        assert_ok(begin(&rig, &rig.referrer, request, documents[i].name, (int64_t)documents[i].n, NULL, upload));
        assert_ok(add(&rig, upload, 0, documents[i].bytes, documents[i].n));
        cn_err err = cn_upload_sync(rig.c, &rig.referrer, upload, &upload_state, &problem);
        if (documents[i].field) {
            assert_int_equal(err, CN_ERR_INVALID);
            assert_string_equal(problem.field, documents[i].field);
            continue;
        }
        if (err != CN_OK) fail_msg("case %zu: %s", i, problem.detail);
        assert_ok(cn_file_get(rig.c, &rig.referrer, upload_state.file, NULL, &info));
        assert_string_equal(info.type, documents[i].type);
        assert_string_equal(cn_file_format(&info), documents[i].format);
    }
    platform_close(&rig);
}

static cn_err refuse_pdf(void *ctx, const char *path, const char *type, cn_problem *problem)
{
    (void)ctx;
    assert_int_equal(access(path, R_OK), 0);
    assert_string_equal(type, "application/pdf");
    return cn_problem_set(problem, CN_ERR_INVALID, "file.password", "the PDF opens with a password only");
}

static void test_what_nobody_could_open_is_not_taken(void **state)
{
    platform rig;
    char request[CN_ID_TEXT], upload[CN_ID_TEXT];
    cn_upload_state upload_state;
    cn_problem problem = {.err = CN_OK};
    platform_open(&rig, state);
    request_new(&rig, false, "李明", request);
    rig.c->look = refuse_pdf;
    assert_ok(begin(&rig, &rig.referrer, request, "a.pdf", PDF_SIZE, NULL, upload));
    assert_ok(add(&rig, upload, 0, pdf, sizeof pdf - 1));
    assert_err(cn_upload_sync(rig.c, &rig.referrer, upload, &upload_state, &problem), CN_ERR_INVALID);
    assert_string_equal(problem.field, "file.password");
    assert_int_equal(platform_int(&rig, "SELECT COUNT(*) FROM files"), 0);
    assert_int_equal(parts(&rig), 0);
    platform_close(&rig);
}

/* As long as Windows lets it be. */
static void test_long_names(void **state)
{
    platform rig;
    char request[CN_ID_TEXT], upload[CN_ID_TEXT], name[2000] = "";
    cn_upload_state upload_state;
    cn_file_info info;
    platform_open(&rig, state);
    request_new(&rig, false, "李明", request);
    for (size_t i = 0; i < 251; i++) memcpy(name + 3 * i, "检", 3);
    memcpy(name + 753, ".pdf", 5);
    assert_ok(begin(&rig, &rig.referrer, request, name, PDF_SIZE, NULL, upload));
    assert_ok(add(&rig, upload, 0, pdf, sizeof pdf - 1));
    assert_ok(sync_upload(&rig, upload, &upload_state));
    assert_ok(cn_file_get(rig.c, &rig.referrer, upload_state.file, NULL, &info));
    assert_string_equal(info.name, name);
    memcpy(name + 753, "检.pdf", 8);
    assert_err(begin(&rig, &rig.referrer, request, name, PDF_SIZE, NULL, upload), CN_ERR_INVALID);
    platform_close(&rig);
}

static void test_who_may_upload_when(void **state)
{
    platform rig;
    char request[CN_ID_TEXT], upload[CN_ID_TEXT];
    cn_upload_state upload_state;
    platform_open(&rig, state);
    request_new(&rig, false, "李明", request);
    assert_err(begin(&rig, &rig.colleague, request, "a.pdf", PDF_SIZE, NULL, upload), CN_ERR_NOTFOUND);
    assert_err(begin(&rig, &rig.nobody, request, "a.pdf", PDF_SIZE, NULL, upload), CN_ERR_NOTFOUND);
    assert_err(begin(&rig, &rig.admin, request, "a.pdf", PDF_SIZE, NULL, upload), CN_ERR_FORBIDDEN);
    request_until(&rig, request, CN_STATE_IN_SESSION);
    assert_ok(begin(&rig, &rig.second, request, "a.pdf", PDF_SIZE, NULL, upload));
    assert_err(begin(&rig, &rig.third, request, "a.pdf", PDF_SIZE, NULL, upload), CN_ERR_NOTFOUND);
    assert_ok(begin(&rig, &rig.referrer, request, "a.pdf", PDF_SIZE, NULL, upload));
    assert_ok(add(&rig, upload, 0, pdf, sizeof pdf - 1));
    /* the request went on while the bytes came: the file is too late, the bytes stay for whoever asks again */
    platform_sql(&rig, "UPDATE requests SET state = 'CLOSED'");
    assert_err(sync_upload(&rig, upload, &upload_state), CN_ERR_STATE);
    assert_err(begin(&rig, &rig.referrer, request, "a.pdf", PDF_SIZE, NULL, upload), CN_ERR_STATE);
    assert_int_equal(platform_int(&rig, "SELECT COUNT(*) FROM files WHERE sha256 <> 'ab'"), 0);
    platform_close(&rig);
}

static void test_who_may_read_and_delete(void **state)
{
    platform rig;
    char request[CN_ID_TEXT], file[CN_ID_TEXT];
    cn_file_info info;
    cn_problem problem = {.err = CN_OK};
    platform_open(&rig, state);
    request_new(&rig, false, "李明", request);
    whole(&rig, request, file);
    assert_err(cn_file_get(rig.c, &rig.colleague, file, "file.read", &info), CN_ERR_NOTFOUND);
    assert_err(cn_file_get(rig.c, &rig.lead, file, "file.read", &info), CN_ERR_NOTFOUND); /* not his patient yet */
    assert_err(cn_file_delete(rig.c, &rig.colleague, file, &problem), CN_ERR_NOTFOUND);
    assert_err(cn_file_delete(rig.c, &rig.admin, file, &problem), CN_ERR_FORBIDDEN);
    assert_ok(cn_file_get(rig.c, &rig.referrer, file, NULL, &info));
    assert_true(info.may_delete);
    request_until(&rig, request, CN_STATE_SCHEDULED);
    assert_ok(cn_file_get(rig.c, &rig.lead, file, "file.read", &info));
    assert_false(info.may_delete);
    assert_ok(cn_file_get(rig.c, &rig.admin, file, "file.read", &info));
    assert_err(cn_file_get(rig.c, &rig.third, file, "file.read", &info), CN_ERR_NOTFOUND);
    assert_err(cn_file_delete(rig.c, &rig.referrer, file, &problem), CN_ERR_FORBIDDEN);
    platform_sql(&rig, "UPDATE requests SET state = 'RETURNED'");
    assert_ok(cn_file_delete(rig.c, &rig.referrer, file, &problem));
    assert_err(cn_file_get(rig.c, &rig.referrer, file, "file.read", &info), CN_ERR_NOTFOUND);
    assert_err(cn_file_delete(rig.c, &rig.referrer, file, &problem), CN_ERR_NOTFOUND);
    assert_int_equal(platform_int(&rig, "SELECT COUNT(*) FROM audit_log WHERE action = 'file.read' AND outcome = 'ok'"),
                     2);
    assert_true(
        platform_int(&rig, "SELECT COUNT(*) FROM audit_log WHERE action = 'file.read' AND outcome = 'denied'") >= 3);
    platform_close(&rig);
}

/* The label with the patient's name lies in a slide's file. */
static void test_the_bytes_of_a_slide(void **state)
{
    platform rig;
    char request[CN_ID_TEXT], slide[CN_ID_TEXT], document[CN_ID_TEXT];
    cn_file_info info;
    cn_problem problem = {.err = CN_OK};
    platform_open(&rig, state);
    request_new(&rig, false, "李明", request);
    whole(&rig, request, slide);
    whole(&rig, request, document);
    char sql[100];
    snprintf(sql, sizeof sql, "UPDATE files SET kind = 'slide' WHERE id = '%s'", slide);
    platform_sql(&rig, sql);
    cn_actor without = rig.referrer;
    without.rights &= ~(1u << CN_RIGHT_SLIDE_LABEL);
    assert_ok(cn_file_get_bytes(rig.c, &rig.referrer, slide, &info, &problem));
    assert_string_equal(info.id, slide);
    info = (cn_file_info){.size = 0};
    assert_err(cn_file_get_bytes(rig.c, &without, slide, &info, &problem), CN_ERR_FORBIDDEN);
    assert_string_equal(info.sha256, "");
    assert_non_null(strstr(problem.detail, "label"));
    assert_ok(cn_file_get_bytes(rig.c, &without, document, &info, &problem));
    assert_ok(cn_file_get(rig.c, &without, slide, "slide.open", &info)); /* he may look at it */
    assert_err(cn_file_get_bytes(rig.c, &rig.third, slide, &info, &problem), CN_ERR_NOTFOUND);
    assert_int_equal(platform_int(&rig, "SELECT COUNT(*) FROM audit_log WHERE action = 'file.read' AND outcome = 'ok'"),
                     2);
    assert_int_equal(
        platform_int(&rig, "SELECT COUNT(*) FROM audit_log WHERE action = 'file.read' AND outcome = 'denied'"), 2);
    platform_close(&rig);
}

static void test_old_uploads_go(void **state)
{
    platform rig;
    char request[CN_ID_TEXT], old[CN_ID_TEXT], fresh[CN_ID_TEXT], file[CN_ID_TEXT], sql[200];
    cn_upload_state upload;
    cn_file_info info;
    platform_open(&rig, state);
    request_new(&rig, false, "李明", request);
    whole(&rig, request, file);
    assert_ok(begin(&rig, &rig.referrer, request, "a.pdf", PDF_SIZE, NULL, old));
    assert_ok(add(&rig, old, 0, pdf, 20));
    assert_ok(begin(&rig, &rig.referrer, request, "b.pdf", PDF_SIZE, NULL, fresh));
    assert_ok(add(&rig, fresh, 0, pdf, 30));
    snprintf(sql, sizeof sql, "UPDATE uploads SET created_ms = created_ms - %lld WHERE id <> '%s'", (long long)WEEK,
             fresh);
    platform_sql(&rig, sql);
    assert_ok(cn_upload_expire(rig.c, cn_wall_ms() - 60000)); /* a week is not over yet */
    assert_ok(cn_upload_get(rig.c, &rig.referrer, old, &upload));
    assert_ok(cn_upload_expire(rig.c, cn_wall_ms() + 1));
    assert_err(cn_upload_get(rig.c, &rig.referrer, old, &upload), CN_ERR_NOTFOUND);
    assert_ok(cn_upload_get(rig.c, &rig.referrer, fresh, &upload));
    assert_int_equal(upload.offset, 30);
    assert_int_equal(parts(&rig), 1);
    assert_ok(cn_file_get(rig.c, &rig.referrer, file, NULL, &info)); /* what became a file stays one */
    platform_close(&rig);
}

static void test_what_waits_for_conversion(void **state)
{
    platform rig;
    char request[CN_ID_TEXT], first[CN_ID_TEXT], second[CN_ID_TEXT];
    cn_file_turn ids[4];
    size_t n = 9;
    cn_file_info info;
    platform_open(&rig, state);
    request_new(&rig, false, "李明", request);
    whole(&rig, request, first);
    whole(&rig, request, second);
    assert_ok(cn_file_waiting(rig.c, ids, 4, &n));
    assert_int_equal(n, 0); /* a PDF needs none */
    platform_sql(&rig, "UPDATE files SET state = 'converting'");
    assert_ok(cn_file_waiting(rig.c, ids, 1, &n));
    assert_int_equal(n, 1);
    assert_ok(cn_file_converted(rig.c, first, true, "ab", 3));
    assert_ok(cn_file_waiting(rig.c, ids, 4, &n));
    assert_int_equal(n, 1);
    assert_string_equal(ids[0].id, second);
    assert_ok(cn_file_converted(rig.c, second, false, "", 0));
    assert_ok(cn_file_get(rig.c, &rig.referrer, first, NULL, &info));
    assert_string_equal(info.state, "ready");
    assert_int_equal(info.pages, 3);
    platform_sql(&rig, "UPDATE files SET kind = 'slide'"); /* a TIFF that turns out to be scanned pages */
    assert_ok(cn_file_converted(rig.c, first, true, "", 0));
    assert_ok(cn_file_get(rig.c, &rig.referrer, first, NULL, &info));
    assert_string_equal(info.kind, "slide");
    assert_ok(cn_file_converted(rig.c, first, true, "ab", 3));
    assert_ok(cn_file_get(rig.c, &rig.referrer, first, NULL, &info));
    assert_string_equal(info.kind, "document");
    assert_ok(cn_file_get(rig.c, &rig.referrer, second, NULL, &info));
    assert_string_equal(info.state, "failed");
    platform_close(&rig);
}

static const char *state_of(platform *rig, const char *id)
{
    static cn_file_info info;
    assert_ok(cn_file_get(rig->c, &rig->referrer, id, NULL, &info));
    return info.state;
}

/* The server's trouble is tried again; what was refused stays so, but a slide is looked at once more at each start. */
/* A stranger's many come after a person's one, and everybody's smallest first. */
static void test_the_line_is_fair(void **state)
{
    platform rig;
    char request[CN_ID_TEXT], many[3][CN_ID_TEXT], one[CN_ID_TEXT], sql[200];
    cn_file_turn turns[4];
    size_t n = 0;
    platform_open(&rig, state);
    request_new(&rig, false, "李明", request);
    for (int i = 0; i < 3; i++) {
        whole(&rig, request, many[i]);
        cn_fmt(sql, sizeof(sql), "UPDATE files SET size = %d WHERE id = '%s'", 1000 - i, many[i]);
        platform_sql(&rig, sql);
    }
    whole(&rig, request, one);
    cn_fmt(sql, sizeof(sql), "UPDATE files SET size = 5000, uploaded_by = 'another' WHERE id = '%s'", one);
    platform_sql(&rig, sql);
    platform_sql(&rig, "UPDATE files SET state = 'converting'");
    assert_ok(cn_file_waiting(rig.c, turns, 4, &n));
    assert_int_equal(n, 4);
    assert_string_equal(turns[0].id, many[2]);
    assert_string_equal(turns[1].id, one);
    assert_string_equal(turns[1].uploader, "another");
    assert_string_equal(turns[2].id, many[1]);
    assert_string_equal(turns[3].id, many[0]);
    platform_close(&rig);
}

static void test_what_is_stuck_is_tried_again(void **state)
{
    platform rig;
    char request[CN_ID_TEXT], stuck[CN_ID_TEXT], document[CN_ID_TEXT], slide[CN_ID_TEXT], text[160];
    platform_open(&rig, state);
    request_new(&rig, false, "李明", request);
    whole(&rig, request, stuck);
    whole(&rig, request, document);
    whole(&rig, request, slide);
    cn_fmt(text, sizeof(text), "UPDATE files SET kind = 'slide' WHERE id = '%s'", slide);
    platform_sql(&rig, text);
    assert_ok(cn_file_stuck(rig.c, stuck));
    assert_ok(cn_file_converted(rig.c, document, false, "", 0));
    assert_ok(cn_file_converted(rig.c, slide, false, "", 0));
    assert_string_equal(state_of(&rig, stuck), "stuck");
    assert_ok(cn_file_retry(rig.c, false));
    assert_string_equal(state_of(&rig, stuck), "converting");
    assert_string_equal(state_of(&rig, slide), "failed");
    assert_ok(cn_file_retry(rig.c, true));
    assert_string_equal(state_of(&rig, slide), "converting");
    assert_string_equal(state_of(&rig, document), "failed");
    platform_close(&rig);
}

static void test_a_slide_waits_for_its_levels(void **state)
{
    platform rig;
    char request[CN_ID_TEXT], document[CN_ID_TEXT], slide[CN_ID_TEXT], ids[4][CN_ID_TEXT], text[160];
    bool changed = true;
    size_t n = 9;
    platform_open(&rig, state);
    request_new(&rig, false, "李明", request);
    whole(&rig, request, document);
    whole(&rig, request, slide);
    assert_ok(cn_file_prepare(rig.c, document, &changed));
    assert_false(changed); /* is no slide */
    cn_fmt(text, sizeof(text), "UPDATE files SET kind = 'slide' WHERE id = '%s'", slide);
    platform_sql(&rig, text);
    assert_ok(cn_file_prepare(rig.c, slide, &changed));
    assert_true(changed);
    assert_ok(cn_file_prepare(rig.c, slide, &changed));
    assert_false(changed);
    assert_ok(cn_file_preparing(rig.c, ids, 4, &n));
    assert_int_equal(n, 1);
    assert_string_equal(ids[0], slide);
    cn_file_turn turns[4];
    assert_ok(cn_file_waiting(rig.c, turns, 4, &n));
    assert_int_equal(n, 0);
    assert_ok(cn_file_converted(rig.c, slide, true, "", 0));
    assert_string_equal(state_of(&rig, slide), "ready");
    assert_ok(cn_file_sweep(rig.c, "levels.tif"));
    platform_close(&rig);
}

/* A pathologist's photo is looked at like a slide; what no browser shows is one everywhere. */
static void test_pictures_that_are_slides(void **state)
{
    (void)state;
    static const struct {
        const char *name, *category, *type;
        bool slide;
    } rows[] = {
        {"a.jpg", "pathology", "image/jpeg", true},
        {"a.jpg", "lab", "image/jpeg", false},
        {"a.png", "pathology", "image/png", true},
        {"a.bmp", "pathology", "image/bmp", true},
        {"a.bmp", "exam", "image/bmp", false},
        {"a.gif", "pathology", "image/gif", false},
        {"a.heic", "lab", "image/heic", true},
        {"a.jpg", "consent", "image/heic", true},
        {"a.jp2", "other", "image/jp2", true},
        {"a.tif", "lab", "image/tiff", true},
        {"a.pdf", "pathology", "application/pdf", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const cn_filetype *type = cn_filetype_of(rows[i].name);
        assert_true(type && cn_filetype_holds(type, rows[i].type));
        if (cn_filetype_is_slide(type, rows[i].category, rows[i].type) != rows[i].slide)
            fail_msg("%s in %s", rows[i].name, rows[i].category);
    }
}

static void test_a_picture_waits_for_its_pyramid(void **state)
{
    platform rig;
    char request[CN_ID_TEXT], slide[CN_ID_TEXT], picture[CN_ID_TEXT], ids[4][CN_ID_TEXT];
    bool changed = false;
    size_t n = 0;
    platform_open(&rig, state);
    request_new(&rig, false, "李明", request);
    whole(&rig, request, slide);
    whole(&rig, request, picture);
    platform_sql(&rig, "UPDATE files SET kind = 'slide'");
    assert_ok(cn_file_prepare(rig.c, slide, &changed));
    assert_ok(cn_file_tile(rig.c, picture, &changed));
    assert_true(changed);
    assert_string_equal(state_of(&rig, picture), "tiling");
    assert_ok(cn_file_tile(rig.c, picture, &changed));
    assert_false(changed);
    assert_ok(cn_file_preparing(rig.c, ids, 4, &n));
    assert_int_equal(n, 2);
    assert_string_equal(ids[0], picture); /* the other one can be seen already */
    assert_ok(cn_file_converted(rig.c, picture, false, "", 0));
    assert_string_equal(state_of(&rig, picture), "failed");
    platform_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CN_DB_TESTS(test_an_upload_in_pieces),
        CN_DB_TESTS(test_what_is_refused_leaves_nothing),
        CN_DB_TESTS(test_the_content_decides),
        CN_DB_TESTS(test_what_nobody_could_open_is_not_taken),
        CN_DB_TESTS(test_long_names),
        CN_DB_TESTS(test_who_may_upload_when),
        CN_DB_TESTS(test_who_may_read_and_delete),
        CN_DB_TESTS(test_the_bytes_of_a_slide),
        CN_DB_TESTS(test_old_uploads_go),
        CN_DB_TESTS(test_what_waits_for_conversion),
        CN_DB_TESTS(test_the_line_is_fair),
        CN_DB_TESTS(test_what_is_stuck_is_tried_again),
        CN_DB_TESTS(test_a_slide_waits_for_its_levels),
        CN_DB_TESTS(test_a_picture_waits_for_its_pyramid),
        cmocka_unit_test(test_pictures_that_are_slides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
