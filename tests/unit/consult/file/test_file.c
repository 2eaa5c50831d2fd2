/* Uploads and files: what arrives is kept, what is refused leaves nothing, and nobody reads what is not his to see. */
#include "support_story.h"

#include <dirent.h>

#include "consult/file/file.h"

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
    assert_string_equal(upload_state.file, "");
    /* it is its owner's alone */
    assert_err(cn_upload_get(rig.c, &rig.lead, upload, &upload_state), CN_ERR_NOTFOUND);
    assert_err(cn_upload_append(rig.c, &rig.colleague, upload, 10, pdf + 10, 5, &problem), CN_ERR_NOTFOUND);
    assert_err(cn_upload_cancel(rig.c, &rig.admin, upload), CN_ERR_NOTFOUND);
    assert_ok(add(&rig, upload, 10, pdf + 10, sizeof pdf - 11));
    assert_ok(sync_upload(&rig, upload, &upload_state));
    assert_int_equal(upload_state.offset, PDF_SIZE);
    assert_true(cn_id_valid(upload_state.file));
    assert_err(add(&rig, upload, PDF_SIZE, pdf, 1), CN_ERR_CONFLICT);
    assert_err(cn_upload_cancel(rig.c, &rig.referrer, upload), CN_ERR_CONFLICT);
    assert_ok(cn_file_get(rig.c, &rig.referrer, upload_state.file, "file.read", &info));
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
    char request[CN_ID_TEXT], first[CN_ID_TEXT], second[CN_ID_TEXT], ids[4][CN_ID_TEXT];
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
    assert_string_equal(ids[0], second);
    assert_ok(cn_file_converted(rig.c, second, false, "", 0));
    assert_ok(cn_file_get(rig.c, &rig.referrer, first, NULL, &info));
    assert_string_equal(info.state, "ready");
    assert_int_equal(info.pages, 3);
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
    assert_ok(cn_file_waiting(rig.c, ids, 4, &n));
    assert_int_equal(n, 0);
    assert_ok(cn_file_converted(rig.c, slide, true, "", 0));
    assert_string_equal(state_of(&rig, slide), "ready");
    assert_ok(cn_file_sweep(rig.c, "levels.tif"));
    platform_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CN_DB_TESTS(test_an_upload_in_pieces),
        CN_DB_TESTS(test_what_is_refused_leaves_nothing),
        CN_DB_TESTS(test_who_may_upload_when),
        CN_DB_TESTS(test_who_may_read_and_delete),
        CN_DB_TESTS(test_old_uploads_go),
        CN_DB_TESTS(test_what_waits_for_conversion),
        CN_DB_TESTS(test_what_is_stuck_is_tried_again),
        CN_DB_TESTS(test_a_slide_waits_for_its_levels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
