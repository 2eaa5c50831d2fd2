/* The printed report: what poppler reads in it is what was written, in fonts that travel with it. */
#include "support_story.h"

#include <pthread.h>

#include "base/child.h"
#include "base/file.h"
#include "consult/minutes/meter.h"
#include "consult/paper/print.h"
#include "consult/report/report.h"

static const cn_pdf_style style = {.title = "远程会诊报告", .zone_minutes = 480};

static json_t *a_request(const char *findings, bool is_signed)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:{s:s, s:s, s:s, s:s}, s:{s:s}, s:{s:s, s:s}, "
                     "s:[{s:s, s:s, s:s, s:s, s:b}, {s:s, s:s, s:s, s:s, s:b}], s:[{s:s, s:I, s:{s:s, s:s, s:s}}], "
                     "s:{s:s, s:s, s:s, s:i, s:i, s:I, s:o, s:{s:s, s:s, s:s}}}",
                     "number", "C20261121-0007", "urgency", "urgent", "state",
                     is_signed ? "REPORTED" : "AWAITING_REPORT", "diagnosis", "右肺上叶占位性病变，性质待定",
                     "question", "请协助明确病变性质，并指导下一步治疗。", "scheduled_at", (json_int_t)1795312800000,
                     "created_at", (json_int_t)1795226400000, "patient", "name", "欧阳若兰", "sex", "female",
                     "birth_date", "1961-05-02", "identity_number", "11010119610502002X", "hospital", "name",
                     "清河县人民医院", "referrer", "name", "陈志远", "department", "呼吸内科", "experts", "id", "E1",
                     "name", "王建国", "title", "主任医师", "hospital", "省肿瘤医院", "took_part", true, "id", "E2",
                     "name", "李素梅", "title", "副主任医师", "hospital", "省人民医院", "took_part", true, "opinions",
                     "text", "同意主会诊专家意见，建议补充免疫组化 TTF-1、Napsin A。", "at", (json_int_t)1795315000000,
                     "author", "id", "E2", "name", "李素梅", "title", "副主任医师", "report", "findings", findings,
                     "conclusion", "（右肺上叶）浸润性腺癌，中分化。", "advice",
                     "建议完善 EGFR、ALK、ROS1 基因检测后行多学科讨论。", "version", 2, "revision", 5, "updated_at",
                     (json_int_t)1795316000000, "signed_at", is_signed ? json_integer(1795316400000) : json_null(),
                     "author", "id", "E1", "name", "王建国", "title", "主任医师");
}

static void save(const cn_buf *pdf, const char *name, char path[512])
{
    snprintf(path, 512, "%s/%s", support_dir(), name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(pdf->p, 1, pdf->n, file), pdf->n);
    assert_int_equal(fclose(file), 0);
}

/* What one of poppler's tools says about a file. */
static char *ask(const char *tool, const char *path)
{
    char command[700], answer[600], *text = NULL;
    int status = -1;
    size_t n = 0;
    snprintf(answer, sizeof answer, "%s.txt", path);
    snprintf(command, sizeof command, "exec %s \"$0\" %s > \"$1\"", tool,
             strncmp(tool, "pdftotext", 9) == 0 ? "-" : "");
    const char *const argv[] = {"sh", "-c", command, path, answer, NULL};
    assert_ok(cn_child_run(argv, NULL, &status));
    assert_int_equal(status, 0);
    assert_ok(cn_file_read(answer, 1 << 20, &text, &n));
    return text;
}

static void assert_has(const char *text, const char *part)
{
    if (!strstr(text, part)) fail_msg("\"%s\" is not in:\n%s", part, text);
}

static size_t count(const char *text, const char *part)
{
    size_t n = 0;
    for (const char *s = text; (s = strstr(s, part)); s += strlen(part)) n++;
    return n;
}

static void draw(const json_t *request, const char *name, char path[512])
{
    cn_buf pdf = {0};
    assert_ok(cn_pdf_report(request, &style, &pdf));
    save(&pdf, name, path);
    cn_buf_free(&pdf);
}

/* A report is not signed before its consultation: what is printed is when that was, the plan beside it. */
static void printed_times_are_the_real_ones(void **state)
{
    static const struct {
        int64_t start, end; /* minutes from the plan, 2026-11-22 10:00 in the zone */
        bool ongoing;
        const char *has, *has_not;
    } rows[] = {
        {-34, -11, false, "2026年11月22日 09:26—09:49", "进行中"},
        {-34, 0, true, "2026年11月22日 09:26 开始，签发时仍在进行", "—"},
        {-34, 0, false, "2026年11月22日 09:26 开始", "进行中"},
        {830, 850, false, "2026年11月22日 23:50—11月23日 00:10", "进行中"},
        {0, 20, false, "2026年11月22日 10:00—10:20", "预约时间"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char path[512];
        CN_AUTO_JSON json_t *request = a_request("所见", true);
        json_int_t plan = json_integer_value(json_object_get(request, "scheduled_at"));
        bool open = !rows[i].end;
        json_object_set_new(request, "held",
                            json_pack("{s:I, s:o, s:b}", "started_at", plan + rows[i].start * 60000, "ended_at",
                                      open ? json_null() : json_integer(plan + rows[i].end * 60000), "ongoing",
                                      rows[i].ongoing));
        draw(request, "times.pdf", path);
        CN_AUTO_FREE char *text = ask("pdftotext -layout", path);
        assert_has(text, rows[i].has);
        if (rows[i].start) assert_has(text, "预约时间");
        if (strcmp(rows[i].has_not, "—") != 0 && strstr(text, rows[i].has_not))
            fail_msg("\"%s\" is in:\n%s", rows[i].has_not, text);
    }
}

static void what_was_written_can_be_read(void **state)
{
    (void)state;
    static const char *const words[] = {"省肿瘤医院",
                                        "远程会诊报告",
                                        "C20261121-0007",
                                        "会诊类型：紧急会诊",
                                        "2026年11月22日 10:00",
                                        "欧阳若兰",
                                        "女",
                                        "65 岁",
                                        "1961-05-02",
                                        "110101********002X",
                                        "清河县人民医院",
                                        "呼吸内科",
                                        "陈志远",
                                        "初步诊断",
                                        "右肺上叶占位性病变，性质待定",
                                        "会诊目的",
                                        "检查所见",
                                        "镜下见异型腺体",
                                        "浸润性腺癌，中分化",
                                        "EGFR、ALK、ROS1",
                                        "其他专家意见",
                                        "李素梅",
                                        "TTF-1、Napsin A",
                                        "主诊专家：王建国",
                                        "主任医师",
                                        "签发时间：2026年11月22日 11:00",
                                        "第2版",
                                        "已签发",
                                        "第1页/共1页"};
    char path[512];
    CN_AUTO_JSON json_t *request = a_request("镜下见异型腺体，呈腺泡状及乳头状排列。", true);
    draw(request, "report.pdf", path);
    CN_AUTO_FREE char *text = ask("pdftotext -layout", path);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) assert_has(text, words[i]);
    assert_null(strstr(text, "草稿"));
    assert_null(strstr(text, "11010119610502002X"));
    /* a file manager shows these lines to whoever stands by */
    CN_AUTO_FREE char *info = ask("pdfinfo", path);
    assert_has(info, "C20261121-0007");
    assert_has(info, "Pages:           1");
    assert_has(info, "A4");
    assert_null(strstr(info, "欧阳"));
}

static void fonts_are_embedded_subsets(void **state)
{
    (void)state;
    char path[512];
    CN_AUTO_JSON json_t *request = a_request("镜下见异型腺体 (H&E ×200)，Ki-67 约 30%。", true);
    draw(request, "fonts.pdf", path);
    CN_AUTO_FREE char *fonts = ask("pdffonts", path);
    char *line = strchr(fonts, '\n');
    line = line ? strchr(line + 1, '\n') : NULL; /* below the two lines of the head */
    assert_non_null(line);
    size_t n = 0;
    for (char *next = ++line; *line; line = next, n++) {
        next = strchr(line, '\n') + 1;
        next[-1] = 0;
        if (line[6] != '+' || !strstr(line, "CJK") || !strstr(line, "yes yes yes"))
            fail_msg("not an embedded subset of a Chinese face with its characters' names: %s", line);
    }
    assert_true(n >= 3);
}

static void long_texts_take_pages(void **state)
{
    (void)state;
    cn_buf findings = {0};
    char path[512];
    for (int i = 1; i <= 120; i++)
        cn_buf_fmt(
            &findings,
            "第%"
            "d处：镜下见异型腺体，呈腺泡状及乳头状排列，间质纤维组织增生伴慢性炎细胞浸润，局灶见坏死，可见核分裂象。\n",
            i);
    CN_AUTO_JSON json_t *request = a_request(findings.p, true);
    cn_buf_free(&findings);
    draw(request, "long.pdf", path);
    CN_AUTO_FREE char *info = ask("pdfinfo", path);
    CN_AUTO_FREE char *text = ask("pdftotext -layout", path);
    char *at = strstr(info, "Pages:");
    assert_non_null(at);
    long pages = strtol(at + 6, NULL, 10);
    assert_true(pages >= 5 && pages <= 9);
    for (int i = 1; i <= 120; i++) {
        char word[32];
        snprintf(word, sizeof word, "第%d处：", i);
        if (count(text, word) != 1) fail_msg("%s stands %zu times", word, count(text, word));
    }
    for (long i = 1; i <= pages; i++) {
        char word[64];
        snprintf(word, sizeof word, "第%ld页/共%ld页", i, pages);
        assert_int_equal(count(text, word), 1);
    }
    assert_int_equal(count(text, "患者：欧阳若兰"), (size_t)pages - 1);
    assert_int_equal(count(text, "主诊专家："), 1);
}

/* Wherever a page ends (two lines more each time, a page has 39), the signature never stands on one of its own. */
static void the_signature_is_not_alone(void **state)
{
    (void)state;
    for (int lines = 20; lines < 40; lines++) {
        cn_buf findings = {0};
        char path[512];
        for (int i = 0; i < lines; i++) cn_buf_str(&findings, "镜下见异型腺体。\n");
        CN_AUTO_JSON json_t *request = a_request(findings.p, true);
        json_object_set_new(request, "opinions", json_array());
        json_object_set_new(json_object_get(request, "report"), "advice", json_string(findings.p));
        cn_buf_free(&findings);
        draw(request, "signature.pdf", path);
        CN_AUTO_FREE char *text = ask("pdftotext -layout", path);
        char *last = NULL;
        for (char *s = text; (s = strchr(s, '\f')) && s[1]; s++) last = s;
        assert_non_null(last);
        assert_has(last, "主诊专家：");
        assert_has(last, "镜下见异型腺体。");
    }
}

static void a_draft_says_so(void **state)
{
    (void)state;
    char path[512];
    CN_AUTO_JSON json_t *request = a_request("镜下见异型腺体。", false);
    draw(request, "draft.pdf", path);
    CN_AUTO_FREE char *text = ask("pdftotext -layout", path);
    assert_has(text, "草稿，尚未签发");
    assert_null(strstr(text, "签发时间：2026"));
    CN_AUTO_JSON json_t *waiting = a_request("镜下见异型腺体。", true);
    json_object_set_new(waiting, "state", json_string("WRITTEN"));
    draw(waiting, "waiting.pdf", path);
    CN_AUTO_FREE char *audit = ask("pdftotext -layout", path);
    assert_has(audit, "待审核");
    json_object_set_new(waiting, "report", json_null());
    cn_buf pdf = {0};
    assert_err(cn_pdf_report(waiting, &style, &pdf), CN_ERR_STATE);
    assert_int_equal(pdf.n, 0);
}

static void an_amendment_says_why(void **state)
{
    (void)state;
    char path[512];
    CN_AUTO_JSON json_t *request = a_request("镜下见异型腺体。", true);
    draw(request, "first.pdf", path);
    CN_AUTO_FREE char *none = ask("pdftotext -layout", path);
    assert_null(strstr(none, "修订原因"));
    json_object_set_new(json_object_get(request, "report"), "reason", json_string("复阅切片后更正分化程度"));
    draw(request, "amended.pdf", path);
    CN_AUTO_FREE char *text = ask("pdftotext -layout", path);
    assert_has(text, "修订原因");
    assert_has(text, "复阅切片后更正分化程度");
    assert_has(text, "（修订），替代此前各版。");
}

/* How many lines of the page lie between two headings. */
static size_t lines_between(const char *text, const char *from, const char *to)
{
    const char *start = strstr(text, from), *end = strstr(text, to);
    size_t n = 0;
    assert_true(start && end && start < end);
    for (; start < end; start++) n += *start == '\n';
    return n;
}

/* Enters at the end of a field are no lines of the report: what follows stands where it always does. */
static void blank_ends_are_not_printed(void **state)
{
    (void)state;
    char path[512];
    CN_AUTO_JSON json_t *request = a_request("镜下见异型腺体。", true);
    json_t *report = json_object_get(request, "report");
    json_object_set_new(report, "conclusion", json_string("浸润性腺癌。"));
    draw(request, "tight.pdf", path);
    CN_AUTO_FREE char *tight = ask("pdftotext -layout", path);
    json_object_set_new(report, "conclusion", json_string("浸润性腺癌。\n\n \n"));
    json_object_set_new(report, "reason", json_string(" \n"));
    draw(request, "loose.pdf", path);
    CN_AUTO_FREE char *loose = ask("pdftotext -layout", path);
    assert_int_equal(lines_between(loose, "会诊结论", "诊疗建议"), lines_between(tight, "会诊结论", "诊疗建议"));
    assert_null(strstr(loose, "修订原因"));
}

/* Who was invited and did not come is no expert of the consultation; who writes the report is. */
static void who_did_not_come_is_told_apart(void **state)
{
    char path[512];
    CN_AUTO_JSON json_t *request = a_request("镜下见异型腺体。", true);
    json_t *experts = json_object_get(request, "experts");
    (void)state;
    draw(request, "all.pdf", path);
    CN_AUTO_FREE char *all = ask("pdftotext -layout", path);
    assert_null(strstr(all, "受邀未参加"));
    json_object_set_new(request, "opinions", json_array());
    for (size_t i = 0; i < 2; i++) json_object_set_new(json_array_get(experts, i), "took_part", json_false());
    draw(request, "absent.pdf", path);
    CN_AUTO_FREE char *text = ask("pdftotext -layout", path);
    assert_has(text, "受邀未参加");
    assert_true(strstr(text, "王建国") < strstr(text, "受邀未参加"));
    assert_true(strstr(text, "李素梅") > strstr(text, "会诊专家"));
    assert_null(strstr(strstr(text, "李素梅") + 1, "李素梅"));
}

/* An opinion that was signed after the report is added under it, with its time: the report itself stays what it was. */
static void later_opinions_are_no_part_of_it(void **state)
{
    char path[512];
    CN_AUTO_JSON json_t *request = a_request("镜下见异型腺体。", true);
    json_t *opinion = json_array_get(json_object_get(request, "opinions"), 0);
    (void)state;
    draw(request, "before.pdf", path);
    CN_AUTO_FREE char *before = ask("pdftotext -layout", path);
    assert_true(strstr(before, "TTF-1") < strstr(before, "签发时间"));
    assert_null(strstr(before, "签发后补充"));
    json_object_set_new(opinion, "at", json_integer(1795316400000 + 60000));
    draw(request, "later.pdf", path);
    CN_AUTO_FREE char *later = ask("pdftotext -layout", path);
    assert_has(later, "签发后补充的专家意见");
    assert_true(strstr(later, "TTF-1") > strstr(later, "签发时间"));
    assert_null(strstr(later, "其他专家意见"));
}

/* CJK Extension G, a patient's name from a hospital's private range: what the print cannot show, by field, each once. */
static void what_no_font_has_is_named(void **state)
{
    (void)state;
    CN_AUTO_JSON json_t *request = a_request("镜下见异型腺体 (H&E ×200)，Ki-67 约 30%，β₂ ≥ 5 µm。𠮷䶮", true);
    CN_AUTO_JSON json_t *none = NULL, *some = NULL;
    assert_ok(cn_pdf_unprintable(request, &style, &none));
    assert_int_equal(json_array_size(none), 0);
    json_object_set_new(json_object_get(request, "patient"), "name", json_string("欧阳\U0010FF00"));
    json_object_set_new(json_object_get(request, "report"), "conclusion",
                        json_string("见𰪿，再见𰪿，又见\U0010FF01。"));
    assert_ok(cn_pdf_unprintable(request, &style, &some));
    CN_AUTO_JSON json_t *expected = json_pack("[{s:s, s:[s]}, {s:s, s:[s, s]}]", "field", "patient.name", "characters",
                                              "\U0010FF00", "field", "conclusion", "characters", "𰪿", "\U0010FF01");
    if (!json_equal(some, expected)) fail_msg("%s", json_dumps(some, 0));
    json_object_set_new(request, "report", json_null());
    json_t *nothing = NULL;
    assert_err(cn_pdf_unprintable(request, &style, &nothing), CN_ERR_STATE);
}

/* A word in each script in which patients of China write their names, by the fonts that ./run installs. */
static void minority_scripts_are_printed(void **state)
{
    (void)state;
    static const char *const words[] = {"བོད་ཡིག", "ᠮᠣᠩᠭᠣᠯ", "ئۇيغۇرچە", "ꆈꌠꉙ", "ᥖᥭᥰ", "ᦑᦟᦹᧉ", "ꓡꓲ‐ꓢꓴ", "Vahcuengh"};
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        CN_AUTO_JSON json_t *request = a_request(words[i], true), *list = NULL;
        assert_ok(cn_pdf_unprintable(request, &style, &list));
        if (json_array_size(list) > 0) fail_msg("%s: %s", words[i], json_dumps(list, 0));
    }
}

static void *draw_often(void *arg)
{
    cn_buf *first = arg;
    CN_AUTO_JSON json_t *request = a_request("镜下见异型腺体。", true);
    for (int i = 0; i < 2; i++) {
        cn_buf pdf = {0};
        if (cn_pdf_report(request, &style, &pdf) != CN_OK) first->err = CN_ERR_IO;
        if (pdf.n != first->n || memcmp(pdf.p, first->p, pdf.n) != 0) first->err = CN_ERR_CORRUPT;
        cn_buf_free(&pdf);
    }
    return NULL;
}

static void the_same_bytes_from_any_thread(void **state)
{
    (void)state;
    cn_buf first = {0};
    pthread_t threads[4];
    CN_AUTO_JSON json_t *request = a_request("镜下见异型腺体。", true);
    assert_ok(cn_pdf_report(request, &style, &first));
    for (int i = 0; i < 4; i++) assert_int_equal(pthread_create(&threads[i], NULL, draw_often, &first), 0);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    assert_int_equal(first.err, CN_OK);
    cn_buf_free(&first);
}

/* ---- through the domain ---- */

static cn_err print(platform *rig, const cn_actor *actor, const char *id, bool released, const char *name, char **text)
{
    char number[24], path[512];
    cn_buf pdf = {0};
    cn_problem problem = {.err = CN_OK};
    cn_err err = cn_report_print(rig->c, actor, id, released, &style, number, &pdf, &problem);
    if (err == CN_OK) {
        assert_int_equal(number[0], 'C');
        save(&pdf, name, path);
        *text = ask("pdftotext -layout", path);
    } else {
        assert_int_equal(pdf.n, 0);
    }
    cn_buf_free(&pdf);
    return err;
}

static void draft(platform *rig, const char *id, const char *findings, int64_t revision)
{
    CN_AUTO_JSON json_t *body = json_pack("{s:s, s:s, s:s, s:I}", "findings", findings, "conclusion", "结论", "advice",
                                          "", "revision", (json_int_t)revision);
    cn_problem problem = {.err = CN_OK};
    assert_ok(cn_report_draft(rig->c, &rig->lead, id, body, &revision, &problem));
}

static void test_who_may_print(void **state)
{
    platform rig;
    char id[CN_ID_TEXT];
    cn_problem problem = {.err = CN_OK};
    CN_AUTO_FREE char *none = NULL, *mine = NULL, *theirs = NULL, *amended = NULL, *released = NULL;
    platform_open(&rig, state);
    request_new(&rig, false, "李明", id);
    request_until(&rig, id, CN_STATE_AWAITING_REPORT);
    assert_err(print(&rig, &rig.lead, id, false, "a.pdf", &none), CN_ERR_STATE);
    draft(&rig, id, "第一稿", 0);
    assert_ok(print(&rig, &rig.lead, id, false, "b.pdf", &mine));
    assert_has(mine, "草稿");
    assert_has(mine, "第一稿");
    assert_err(print(&rig, &rig.lead, id, true, "c.pdf", &none), CN_ERR_STATE);
    assert_err(print(&rig, &rig.referrer, id, false, "c.pdf", &none), CN_ERR_STATE);
    assert_err(print(&rig, &rig.second, id, false, "c.pdf", &none), CN_ERR_STATE);
    assert_ok(cn_report_sign(rig.c, &rig.lead, id, NULL, NULL, &problem));
    assert_ok(print(&rig, &rig.referrer, id, false, "d.pdf", &theirs));
    assert_has(theirs, "李明");
    assert_has(theirs, "Dr expert1");
    assert_has(theirs, "County hospital");
    assert_null(strstr(theirs, "草稿"));
    assert_err(print(&rig, &rig.colleague, id, false, "e.pdf", &none), CN_ERR_NOTFOUND);
    assert_err(print(&rig, &rig.third, id, false, "e.pdf", &none), CN_ERR_NOTFOUND);
    /* an amendment: the signed one stays what others get */
    draft(&rig, id, "第二稿", 1);
    assert_ok(print(&rig, &rig.lead, id, false, "f.pdf", &amended));
    assert_has(amended, "第二稿");
    assert_ok(print(&rig, &rig.lead, id, true, "g.pdf", &released));
    assert_has(released, "第一稿");
    assert_int_equal(
        platform_int(&rig, "SELECT COUNT(*) FROM audit_log WHERE action = 'report.print' AND outcome = 'ok'"), 4);
    assert_int_equal(
        platform_int(&rig, "SELECT COUNT(*) FROM audit_log WHERE action = 'report.print' AND outcome = 'denied'"), 2);
    /* asked before signing: of the draft, by whoever has it */
    json_t *list = NULL;
    assert_ok(cn_report_unprintable(rig.c, &rig.lead, id, &style, &list, &problem));
    assert_int_equal(json_array_size(list), 0);
    json_decref(list);
    assert_err(cn_report_unprintable(rig.c, &rig.third, id, &style, &list, &problem), CN_ERR_NOTFOUND);
    platform_close(&rig);
}

static void stays(platform *rig, const char *room, const cn_actor *who, int64_t start, int64_t ms, const char *cause)
{
    const cn_ledger_row row = {.room = room,
                               .request = "",
                               .participant = who->user,
                               .user = who->user,
                               .hospital = "",
                               .kind = "person",
                               .start_ms = start,
                               .duration_ms = ms,
                               .rule_version = CN_METER_RULE_VERSION,
                               .end_cause = cause};
    assert_ok(cn_chain_ledger(rig->c->ledger, &row, 1));
}

static void sign(platform *rig, const char *id)
{
    cn_problem problem = {.err = CN_OK};
    assert_ok(cn_report_sign(rig->c, &rig->lead, id, NULL, NULL, &problem));
}

static void amend(platform *rig, const char *id, int64_t revision)
{
    CN_AUTO_JSON json_t *body = json_pack("{s:s, s:s, s:s, s:s, s:I}", "findings", "更正", "conclusion", "结论",
                                          "advice", "", "reason", "复阅", "revision", (json_int_t)revision);
    cn_problem problem = {.err = CN_OK};
    assert_ok(cn_report_draft(rig->c, &rig->lead, id, body, &revision, &problem));
    sign(rig, id);
}

/* The same letter for letter, whatever becomes of the consultation after the signature. */
static void test_a_signed_report_stays_what_it_was(void **state)
{
    platform rig;
    char id[CN_ID_TEXT], room[CN_ID_TEXT];
    cn_problem problem = {.err = CN_OK};
    CN_AUTO_FREE char *first = NULL, *again = NULL, *old = NULL, *amended = NULL;
    platform_open(&rig, state);
    request_new(&rig, false, "李明", id);
    request_until(&rig, id, CN_STATE_IN_SESSION);
    assert_ok(cn_request_room(rig.c, &rig.lead, id, room, &problem));
    int64_t begun = platform_int(&rig, "SELECT at_ms FROM request_history WHERE action = 'begin'");
    stays(&rig, room, &rig.lead, begun - 300000, 300500, "checkpoint");
    draft(&rig, id, "所见", 0);
    sign(&rig, id);
    assert_ok(print(&rig, &rig.referrer, id, false, "s1.pdf", &first));
    assert_has(first, "开始，签发时仍在进行");
    assert_has(first, "受邀未参加");
    /* the second expert comes, they talk on for half an hour, it ends */
    stays(&rig, room, &rig.second, begun + 60000, 1800000, "leave");
    stays(&rig, room, &rig.lead, begun + 500, 1800000, "leave");
    assert_ok(request_do(&rig, &rig.lead, id, "finish", ""));
    assert_ok(print(&rig, &rig.referrer, id, false, "s2.pdf", &again));
    assert_string_equal(first, again);
    /* a version from before signatures fixed this says what could be said of that moment */
    platform_sql(&rig, "UPDATE reports SET circumstances = ''");
    assert_ok(print(&rig, &rig.referrer, id, false, "s3.pdf", &old));
    assert_string_equal(first, old);
    /* an amendment has its own; the version before it keeps what it had */
    amend(&rig, id, 1);
    assert_ok(print(&rig, &rig.referrer, id, false, "s4.pdf", &amended));
    assert_null(strstr(amended, "签发时仍在进行"));
    assert_null(strstr(amended, "受邀未参加"));
    CN_AUTO_JSON json_t *versions = NULL;
    assert_ok(cn_report_versions(rig.c, &rig.referrer, id, &versions));
    const json_t *then = json_object_get(json_array_get(versions, 0), "circumstances");
    const json_t *now = json_object_get(json_array_get(versions, 1), "circumstances");
    assert_true(json_is_true(json_object_get(json_object_get(then, "held"), "ongoing")));
    assert_true(json_is_false(json_object_get(json_object_get(now, "held"), "ongoing")));
    assert_true(json_is_integer(json_object_get(json_object_get(now, "held"), "ended_at")));
    platform_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_can_be_read),
        cmocka_unit_test(printed_times_are_the_real_ones),
        cmocka_unit_test(fonts_are_embedded_subsets),
        cmocka_unit_test(long_texts_take_pages),
        cmocka_unit_test(the_signature_is_not_alone),
        cmocka_unit_test(a_draft_says_so),
        cmocka_unit_test(an_amendment_says_why),
        cmocka_unit_test(what_no_font_has_is_named),
        cmocka_unit_test(minority_scripts_are_printed),
        cmocka_unit_test(the_same_bytes_from_any_thread),
        cmocka_unit_test(blank_ends_are_not_printed),
        cmocka_unit_test(who_did_not_come_is_told_apart),
        cmocka_unit_test(later_opinions_are_no_part_of_it),
        CN_DB_TESTS(test_who_may_print),
        CN_DB_TESTS(test_a_signed_report_stays_what_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
