#include "consult/paper/printer/sheet.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "consult/paper/printer/flow.h"

#define SERIF "Noto Serif CJK SC"
#define SANS "Noto Sans CJK SC"
#define LABEL 62.0 /* width of a label's cell */
#define PAD 6.0
#define TIME_TEXT 40
#define PAIRS_MAX 3

static const cn_flow_style body = {.face = SERIF, .size = 10.5, .leading = 18, .indent = 21};
static const cn_flow_style plain = {.face = SERIF, .size = 10.5, .leading = 18};
static const cn_flow_style label = {.face = SANS, .size = 9.5, .leading = 18, .align = PANGO_ALIGN_CENTER, .grey = 0.3};
static const cn_flow_style heading = {.face = SANS " Bold", .size = 11.5, .leading = 20};
static const cn_flow_style by_line = {.face = SANS " Bold", .size = 9.5, .leading = 18, .grey = 0.2};
static const cn_flow_style hospital_name = {
    .face = SERIF " Bold", .size = 16, .leading = 26, .align = PANGO_ALIGN_CENTER};
static const cn_flow_style big_title = {.face = SANS " Bold", .size = 20, .leading = 34, .align = PANGO_ALIGN_CENTER};
static const cn_flow_style left_note = {.face = SANS, .size = 8.5, .leading = 14, .grey = 0.35};
static const cn_flow_style right_note = {
    .face = SANS, .size = 8.5, .leading = 14, .align = PANGO_ALIGN_RIGHT, .grey = 0.35};
static const cn_flow_style centre_note = {
    .face = SANS, .size = 8.5, .leading = 14, .align = PANGO_ALIGN_CENTER, .grey = 0.35};

typedef struct sheet {
    cn_flow flow;
    const json_t *request, *report;
    const char *title;
    int64_t zone_ms, age;
    const char *hospital; /* who gives the report out */
    bool draft, unaudited;
} sheet;

static const char *text_of(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

static const char *part_text(const json_t *o, const char *part, const char *key)
{
    return text_of(json_object_get(o, part), key);
}

static int64_t int_of(const json_t *o, const char *key)
{
    return json_integer_value(json_object_get(o, key));
}

/* "2026年11月21日 10:05"; "—" for 0. */
static const char *when(const sheet *s, int64_t ms, char out[TIME_TEXT])
{
    char iso[CN_TIME_TEXT];
    cn_time_format(ms + s->zone_ms, iso);
    if (ms <= 0 || !cn_fmt(out, TIME_TEXT, "%.4s年%.2s月%.2s日 %.5s", iso, iso + 5, iso + 8, iso + 11)) return "—";
    return out;
}

/* The hospital of the expert who writes; the request's own when he is no longer among its experts. */
static const char *hospital_of(const json_t *request, const char *user)
{
    size_t i;
    const json_t *e;
    json_array_foreach(json_object_get(request, "experts"), i, e)
    {
        if (strcmp(text_of(e, "id"), user) == 0) return text_of(e, "hospital");
    }
    return part_text(request, "hospital", "name");
}

/* ---- head ---- */

static void letterhead(sheet *s)
{
    cn_flow *f = &s->flow;
    char at[TIME_TEXT];
    cn_buf line = {0};
    double right = CN_FLOW_LEFT + CN_FLOW_WIDTH;
    cn_flow_text(f, &hospital_name, s->hospital);
    cn_flow_text(f, &big_title, s->title);
    f->y += 4;
    cn_flow_rule(f, CN_FLOW_LEFT, f->y, right, f->y, 1.4);
    cn_flow_rule(f, CN_FLOW_LEFT, f->y + 2.6, right, f->y + 2.6, 0.4);
    f->y += 7;
    cn_buf_fmt(&line, "会诊编号：%s", text_of(s->request, "number"));
    if (line.p) cn_flow_at(f, &left_note, CN_FLOW_LEFT, f->y, CN_FLOW_WIDTH, line.p);
    cn_flow_at(f, &centre_note, CN_FLOW_LEFT, f->y, CN_FLOW_WIDTH,
               strcmp(text_of(s->request, "urgency"), "urgent") == 0 ? "会诊类别：紧急" : "会诊类别：普通");
    line.n = 0;
    int64_t held = int_of(s->request, "scheduled_at");
    cn_buf_fmt(&line, "会诊时间：%s", when(s, held ? held : int_of(s->request, "created_at"), at));
    if (line.p) cn_flow_at(f, &right_note, CN_FLOW_LEFT, f->y, CN_FLOW_WIDTH, line.p);
    cn_buf_free(&line);
    f->y += 20;
}

/* ---- the patient's block ---- */

typedef struct pair {
    const char *label, *value;
    double width; /* of label and value */
} pair;

static void table_row(cn_flow *f, const pair *pairs, size_t n)
{
    double height = plain.leading, x = CN_FLOW_LEFT;
    for (size_t i = 0; i < n; i++) {
        double h = cn_flow_measure(f, &plain, pairs[i].width - LABEL - 2 * PAD, pairs[i].value);
        if (h > height) height = h;
    }
    height += 6;
    cn_flow_need(f, height);
    for (size_t i = 0; i < n; i++) {
        cn_flow_box(f, x, f->y, LABEL, height, 0.955);
        cn_flow_at(f, &label, x, f->y + (height - label.leading) / 2, LABEL, pairs[i].label);
        cn_flow_at(f, &plain, x + LABEL + PAD, f->y + 3, pairs[i].width - LABEL - 2 * PAD, pairs[i].value);
        cn_flow_rule(f, x, f->y, x, f->y + height, 0.5);
        cn_flow_rule(f, x + LABEL, f->y, x + LABEL, f->y + height, 0.5);
        x += pairs[i].width;
    }
    cn_flow_rule(f, x, f->y, x, f->y + height, 0.5);
    cn_flow_rule(f, CN_FLOW_LEFT, f->y, x, f->y, 0.5);
    cn_flow_rule(f, CN_FLOW_LEFT, f->y + height, x, f->y + height, 0.5);
    f->y += height;
}

static const char *sex_word(const char *sex)
{
    return strcmp(sex, "male") == 0 ? "男" : strcmp(sex, "female") == 0 ? "女" : "未说明";
}

/* A printed sheet is left lying about: the middle of the number is hidden. */
static void mask(const char *identity, char *out, size_t size)
{
    size_t n = strlen(identity);
    if (n < 8 || n >= size) {
        cn_strcpy(out, size, n ? "****" : "—");
        return;
    }
    for (size_t i = 0; i <= n; i++) out[i] = i >= 4 && i < n - 4 ? '*' : identity[i];
}

static void age_of(const sheet *s, char out[24])
{
    if (s->age < 0)
        cn_strcpy(out, 24, "—");
    else
        cn_fmt(out, 24, "%lld 岁", (long long)s->age);
}

static void expert_names(const json_t *request, cn_buf *out)
{
    size_t i;
    const json_t *e;
    json_array_foreach(json_object_get(request, "experts"), i, e)
    {
        cn_buf_fmt(out, "%s%s", i ? "；" : "", text_of(e, "name"));
        if (text_of(e, "title")[0]) cn_buf_fmt(out, " %s", text_of(e, "title"));
        if (text_of(e, "hospital")[0]) cn_buf_fmt(out, "（%s）", text_of(e, "hospital"));
    }
}

static void patient_block(sheet *s)
{
    const json_t *q = s->request, *patient = json_object_get(q, "patient");
    const double third = CN_FLOW_WIDTH / 3, half = CN_FLOW_WIDTH / 2;
    char age[24], identity[40];
    cn_buf names = {0};
    const char *birth = text_of(patient, "birth_date");
    age_of(s, age);
    mask(text_of(patient, "identity_number"), identity, sizeof(identity));
    expert_names(q, &names);
    const pair who[] = {{"姓名", text_of(patient, "name"), third},
                        {"性别", sex_word(text_of(patient, "sex")), third},
                        {"年龄", age, third}};
    const pair papers[] = {{"出生日期", birth[0] ? birth : "—", half}, {"证件号码", identity, half}};
    const pair from[] = {{"申请医院", part_text(q, "hospital", "name"), half},
                         {"申请科室", part_text(q, "referrer", "department"), half}};
    const pair doctors[] = {{"申请医师", part_text(q, "referrer", "name"), CN_FLOW_WIDTH}};
    const pair experts[] = {{"会诊专家", names.p ? names.p : "—", CN_FLOW_WIDTH}};
    table_row(&s->flow, who, 3);
    table_row(&s->flow, papers, 2);
    table_row(&s->flow, from, 2);
    table_row(&s->flow, doctors, 1);
    table_row(&s->flow, experts, 1);
    cn_buf_free(&names);
    s->flow.y += 10;
}

/* ---- what was asked and answered ---- */

static void head_line(cn_flow *f, const char *title)
{
    cn_flow_need(f, heading.leading + 2 * body.leading + 8); /* never alone at the foot of a page */
    f->y += 4;
    cn_flow_box(f, CN_FLOW_LEFT, f->y + 4, 3, heading.leading - 8, 0.25);
    cn_flow_at(f, &heading, CN_FLOW_LEFT + 9, f->y, CN_FLOW_WIDTH - 9, title);
    f->y += heading.leading;
}

static void section(cn_flow *f, const char *title, const char *text)
{
    if (!text[0]) return;
    head_line(f, title);
    cn_flow_text(f, &body, text);
    f->y += 4;
}

static void opinions(sheet *s)
{
    size_t i;
    const json_t *o, *list = json_object_get(s->request, "opinions");
    char at[TIME_TEXT];
    if (json_array_size(list) == 0) return;
    head_line(&s->flow, "其他专家意见");
    json_array_foreach(list, i, o)
    {
        cn_buf who = {0};
        const json_t *author = json_object_get(o, "author");
        cn_buf_fmt(&who, "%s　%s　%s　%s", text_of(author, "name"), text_of(author, "title"),
                   hospital_of(s->request, text_of(author, "id")), when(s, int_of(o, "at"), at));
        cn_flow_need(&s->flow, by_line.leading + body.leading);
        if (who.p) cn_flow_text(&s->flow, &by_line, who.p);
        cn_flow_text(&s->flow, &body, text_of(o, "text"));
        s->flow.y += 3;
        cn_buf_free(&who);
    }
}

static void signature(sheet *s)
{
    cn_flow *f = &s->flow;
    const json_t *author = json_object_get(s->report, "author");
    const double x = CN_FLOW_LEFT + CN_FLOW_WIDTH * 0.5, width = CN_FLOW_WIDTH * 0.5;
    char at[TIME_TEXT];
    cn_buf line = {0};
    cn_flow_need_with_text(f, 4 * plain.leading + 44, body.leading); /* rule and note included */
    f->y += 14;
    cn_buf_fmt(&line, "主会诊专家：%s　%s", text_of(author, "name"), text_of(author, "title"));
    if (line.p) f->y += cn_flow_at(f, &plain, x, f->y, width, line.p);
    f->y += cn_flow_at(f, &plain, x, f->y, width, s->hospital);
    line.n = 0;
    cn_buf_fmt(&line, "签发时间：%s", s->draft ? "草稿，尚未签发" : when(s, int_of(s->report, "signed_at"), at));
    if (line.p) f->y += cn_flow_at(f, &plain, x, f->y, width, line.p);
    f->y += 8;
    cn_flow_rule(f, CN_FLOW_LEFT, f->y, CN_FLOW_LEFT + CN_FLOW_WIDTH, f->y, 0.4);
    f->y += 3;
    line.n = 0;
    if (int_of(s->report, "version") > 1)
        cn_buf_fmt(&line, "本报告为第 %lld 版（修订），替代此前各版。", (long long)int_of(s->report, "version"));
    cn_buf_str(&line, "本报告由专家在系统内电子签发；会诊意见供申请医院临床参考。");
    if (line.p) cn_flow_text(f, &left_note, line.p);
    cn_buf_free(&line);
}

/* ---- every page's border ---- */

static void frame(cn_flow *f, unsigned page, unsigned pages, void *arg)
{
    const sheet *s = arg;
    const double foot = CN_A4_HEIGHT - 50, right = CN_FLOW_LEFT + CN_FLOW_WIDTH;
    const char *state = s->draft ? "草稿" : s->unaudited ? "待审核" : "已签发";
    cn_buf line = {0};
    cn_flow_rule(f, CN_FLOW_LEFT, foot, right, foot, 0.4);
    cn_buf_fmt(&line, "%s　第 %lld 版　%s", text_of(s->request, "number"), (long long)int_of(s->report, "version"),
               state);
    if (line.p) cn_flow_at(f, &left_note, CN_FLOW_LEFT, foot + 3, CN_FLOW_WIDTH, line.p);
    line.n = 0;
    cn_buf_fmt(&line, "第 %u 页 / 共 %u 页", page + 1, pages);
    if (line.p) cn_flow_at(f, &right_note, CN_FLOW_LEFT, foot + 3, CN_FLOW_WIDTH, line.p);
    if (page > 0) {
        line.n = 0;
        cn_buf_fmt(&line, "%s　%s", s->hospital, s->title);
        if (line.p) cn_flow_at(f, &left_note, CN_FLOW_LEFT, 42, CN_FLOW_WIDTH, line.p);
        line.n = 0;
        cn_buf_fmt(&line, "患者：%s", part_text(s->request, "patient", "name"));
        if (line.p) cn_flow_at(f, &right_note, CN_FLOW_LEFT, 42, CN_FLOW_WIDTH, line.p);
        cn_flow_rule(f, CN_FLOW_LEFT, 59, right, 59, 0.4);
    }
    cn_buf_free(&line);
}

static void compose(sheet *s)
{
    cn_flow *f = &s->flow;
    letterhead(s);
    patient_block(s);
    section(f, "临床诊断", text_of(s->request, "diagnosis"));
    section(f, "会诊目的", text_of(s->request, "question"));
    section(f, "会诊所见", text_of(s->report, "findings"));
    section(f, "会诊结论", text_of(s->report, "conclusion"));
    section(f, "诊疗建议", text_of(s->report, "advice"));
    opinions(s);
    signature(s);
}

cn_err cn_sheet_pdf(const json_t *job, cn_buf *out)
{
    const json_t *request = json_object_get(job, "request"), *report = json_object_get(request, "report");
    char about[96], at[CN_TIME_TEXT];
    if (!json_is_object(report)) return CN_ERR_STATE;
    sheet s = {.request = request,
               .report = report,
               .title = text_of(job, "title"),
               .zone_ms = int_of(job, "zone_minutes") * 60000,
               .age = int_of(job, "age")};
    s.draft = !json_is_integer(json_object_get(report, "signed_at"));
    s.unaudited = !s.draft && strcmp(text_of(request, "state"), "WRITTEN") == 0;
    s.hospital = hospital_of(request, part_text(report, "author", "id"));
    /* the number alone: no name of a patient in what a file manager shows */
    cn_fmt(about, sizeof(about), "%s", text_of(request, "number"));
    cn_time_format(int_of(report, s.draft ? "updated_at" : "signed_at"), at);
    at[19] = 'Z'; /* whole seconds */
    at[20] = 0;
    cn_flow_open(&s.flow);
    compose(&s);
    cn_err err = cn_flow_pdf(&s.flow, frame, &s, s.draft ? "草稿" : s.unaudited ? "待审核" : NULL, about, at, out);
    cn_flow_close(&s.flow);
    return err;
}
