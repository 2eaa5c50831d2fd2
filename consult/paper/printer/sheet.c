#include "consult/paper/printer/sheet.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "consult/paper/printer/flow.h"

#define SERIF "Noto Serif CJK SC"
#define SANS "Noto Sans CJK SC"
#define LABEL 62.0 /* width of a label's cell */
#define PAD 6.0
#define TIME_TEXT 40
#define HELD_TEXT (2 * TIME_TEXT)
#define DAY_MS INT64_C(86400000)
#define PAIRS_MAX 3

static const cn_page_flow_style body = {.face = SERIF, .size = 10.5, .leading = 18, .indent = 21};
static const cn_page_flow_style plain = {.face = SERIF, .size = 10.5, .leading = 18};
static const cn_page_flow_style label = {
    .face = SANS, .size = 9.5, .leading = 18, .align = PANGO_ALIGN_CENTER, .grey = 0.3};
static const cn_page_flow_style heading = {.face = SANS " Bold", .size = 11.5, .leading = 20};
static const cn_page_flow_style by_line = {.face = SANS " Bold", .size = 9.5, .leading = 18, .grey = 0.2};
static const cn_page_flow_style hospital_name = {
    .face = SERIF " Bold", .size = 16, .leading = 26, .align = PANGO_ALIGN_CENTER};
static const cn_page_flow_style big_title = {
    .face = SANS " Bold", .size = 20, .leading = 34, .align = PANGO_ALIGN_CENTER};
static const cn_page_flow_style left_note = {.face = SANS, .size = 8.5, .leading = 14, .grey = 0.35};
static const cn_page_flow_style right_note = {
    .face = SANS, .size = 8.5, .leading = 14, .align = PANGO_ALIGN_RIGHT, .grey = 0.35};
static const cn_page_flow_style centre_note = {
    .face = SANS, .size = 8.5, .leading = 14, .align = PANGO_ALIGN_CENTER, .grey = 0.35};

typedef struct sheet {
    cn_page_flow flow;
    const json_t *request, *report;
    const char *title;
    int64_t zone_ms, age, age_days; /* days: -1 of who is older than two years */
    const char *hospital;           /* who gives the report out */
    bool draft, unaudited;
    GPtrArray *bytes; /* of pictures */
} sheet;

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static const char *part_text(const json_t *object, const char *part, const char *key)
{
    return text_of(json_object_get(object, part), key);
}

static int64_t int_of(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

/* "2026年11月21日 10:05"; "—" for 0. */
static const char *when(const sheet *page, int64_t ms, char out[TIME_TEXT])
{
    char iso[CN_TIME_TEXT];
    cn_time_format(ms + page->zone_ms, iso);
    if (ms <= 0 || !cn_fmt(out, TIME_TEXT, "%.4s年%.2s月%.2s日 %.5s", iso, iso + 5, iso + 8, iso + 11)) return "—";
    return out;
}

/* "2026年11月21日 10:05—10:50", over midnight "…23:50—11月22日 00:10"; what has not ended says so, of a signed report
 * what had not when it was signed. */
static void held_text(const sheet *page, const json_t *held, char out[HELD_TEXT])
{
    int64_t from = int_of(held, "started_at"), to = int_of(held, "ended_at");
    char first[TIME_TEXT], last[TIME_TEXT];
    const char *start = when(page, from, first), *end = when(page, to, last), *clock = strrchr(end, ' ');
    bool same_day = (from + page->zone_ms) / DAY_MS == (to + page->zone_ms) / DAY_MS;
    if (to)
        cn_fmt(out, HELD_TEXT, "%s—%s", start, same_day && clock ? clock + 1 : end + strlen("2026年"));
    else
        cn_fmt(out, HELD_TEXT, "%s 开始%s", start,
               !json_is_true(json_object_get(held, "ongoing")) ? ""
               : page->draft                                   ? "，进行中"
                                                               : "，签发时仍在进行");
}

/* The hospital of the expert who writes; the request's own when he is no longer among its experts. */
static const char *hospital_of(const json_t *request, const char *user)
{
    size_t i;
    const json_t *object;
    json_array_foreach(json_object_get(request, "experts"), i, object)
    {
        if (strcmp(text_of(object, "id"), user) == 0) return text_of(object, "hospital");
    }
    return part_text(request, "hospital", "name");
}

/* When it began; until then, for when it is planned. */
static int64_t time_of(const json_t *request)
{
    int64_t began = int_of(json_object_get(request, "held"), "started_at"), planned = int_of(request, "scheduled_at");
    return began ? began : planned ? planned : int_of(request, "created_at");
}

/* ---- head ---- */

static void letterhead(sheet *page)
{
    cn_page_flow *flow = &page->flow;
    char at[TIME_TEXT];
    cn_buf line = {0};
    double right = CN_FLOW_LEFT + CN_FLOW_WIDTH;
    flow->field = "experts";
    cn_page_flow_text(flow, &hospital_name, page->hospital);
    flow->field = "title";
    cn_page_flow_text(flow, &big_title, page->title);
    flow->y += 4;
    cn_page_flow_rule(flow, CN_FLOW_LEFT, flow->y, right, flow->y, 1.4);
    cn_page_flow_rule(flow, CN_FLOW_LEFT, flow->y + 2.6, right, flow->y + 2.6, 0.4);
    flow->y += 7;
    cn_buf_fmt(&line, "会诊编号：%s", text_of(page->request, "number"));
    if (line.p) cn_page_flow_at(flow, &left_note, CN_FLOW_LEFT, flow->y, CN_FLOW_WIDTH, line.p);
    cn_page_flow_at(flow, &centre_note, CN_FLOW_LEFT, flow->y, CN_FLOW_WIDTH,
                    strcmp(text_of(page->request, "urgency"), "urgent") == 0 ? "会诊类型：紧急会诊"
                                                                             : "会诊类型：普通会诊");
    line.n = 0;
    cn_buf_fmt(&line, "会诊时间：%s", when(page, time_of(page->request), at));
    if (line.p) cn_page_flow_at(flow, &right_note, CN_FLOW_LEFT, flow->y, CN_FLOW_WIDTH, line.p);
    cn_buf_free(&line);
    flow->y += 20;
}

/* ---- the patient's block ---- */

typedef struct pair {
    const char *label, *field, *value;
    double width; /* of label and value */
} pair;

static void table_row(cn_page_flow *flow, const pair *pairs, size_t count)
{
    double height = plain.leading, x = CN_FLOW_LEFT;
    for (size_t i = 0; i < count; i++) {
        flow->field = pairs[i].field;
        double h = cn_page_flow_measure(flow, &plain, pairs[i].width - LABEL - 2 * PAD, pairs[i].value);
        if (h > height) height = h;
    }
    height += 6;
    cn_page_flow_need(flow, height);
    for (size_t i = 0; i < count; i++) {
        flow->field = pairs[i].field;
        cn_page_flow_box(flow, x, flow->y, LABEL, height, 0.955);
        cn_page_flow_at(flow, &label, x, flow->y + (height - label.leading) / 2, LABEL, pairs[i].label);
        cn_page_flow_at(flow, &plain, x + LABEL + PAD, flow->y + 3, pairs[i].width - LABEL - 2 * PAD, pairs[i].value);
        cn_page_flow_rule(flow, x, flow->y, x, flow->y + height, 0.5);
        cn_page_flow_rule(flow, x + LABEL, flow->y, x + LABEL, flow->y + height, 0.5);
        x += pairs[i].width;
    }
    cn_page_flow_rule(flow, x, flow->y, x, flow->y + height, 0.5);
    cn_page_flow_rule(flow, CN_FLOW_LEFT, flow->y, x, flow->y, 0.5);
    cn_page_flow_rule(flow, CN_FLOW_LEFT, flow->y + height, x, flow->y + height, 0.5);
    flow->y += height;
}

static const char *sex_word(const char *sex)
{
    return strcmp(sex, "male") == 0 ? "男" : strcmp(sex, "female") == 0 ? "女" : "未知";
}

/* A printed sheet is left lying about: the middle of the number is hidden, as on the page (requests/state.ts: masked). */
static void mask(const char *identity, char *out, size_t size)
{
    size_t n = strlen(identity), head = n > 12 ? 6 : n > 4 ? 3 : 0, tail = n > 12 ? 4 : n > 4 ? 2 : 0;
    if (n == 0 || n >= size) {
        cn_strcpy(out, size, n ? "****" : "—");
        return;
    }
    for (size_t i = 0; i <= n; i++) out[i] = i >= head && i < n - tail ? '*' : identity[i];
}

#define NEWBORN_DAYS 28

static void age_of(const sheet *page, char out[24])
{
    if (page->age < 0)
        cn_strcpy(out, 24, "—");
    else if (page->age_days >= 0 && page->age_days < NEWBORN_DAYS)
        cn_fmt(out, 24, "%lld 天", (long long)page->age_days);
    else if (page->age_days >= 0)
        cn_fmt(out, 24, "%lld 个月", (long long)page->age_days * 48 / 1461);
    else
        cn_fmt(out, 24, "%lld 岁", (long long)page->age);
}

/* Who writes the report took part in it, wherever he was. */
static bool took_part(const sheet *page, const json_t *expert)
{
    return json_is_true(json_object_get(expert, "took_part")) ||
           strcmp(text_of(expert, "id"), part_text(page->report, "author", "id")) == 0;
}

/* Those who took part, or those who were invited and did not. */
static void expert_names(const sheet *page, bool there, cn_buf *out)
{
    size_t i;
    const json_t *object;
    json_array_foreach(json_object_get(page->request, "experts"), i, object)
    {
        if (took_part(page, object) != there) continue;
        cn_buf_fmt(out, "%s%s", out->n ? "；" : "", text_of(object, "name"));
        if (text_of(object, "title")[0]) cn_buf_fmt(out, " %s", text_of(object, "title"));
        if (text_of(object, "hospital")[0]) cn_buf_fmt(out, "（%s）", text_of(object, "hospital"));
    }
}

static void experts_rows(sheet *page)
{
    cn_buf came = {0}, missed = {0};
    bool ongoing = json_is_true(json_object_get(json_object_get(page->request, "held"), "ongoing"));
    expert_names(page, true, &came);
    expert_names(page, false, &missed);
    const pair row = {"会诊专家", "experts", came.p ? came.p : "—", CN_FLOW_WIDTH};
    table_row(&page->flow, &row, 1);
    if (missed.n) {
        if (ongoing) cn_buf_str(&missed, page->draft ? "（会诊进行中，尚未参加）" : "（截至签发时）");
        const pair absent = {"受邀未参加", "experts", missed.p ? missed.p : "—", CN_FLOW_WIDTH};
        table_row(&page->flow, &absent, 1);
    }
    cn_buf_free(&came);
    cn_buf_free(&missed);
}

/* From when to when it really was; and for when it was planned, where that is another minute. */
static void times_row(sheet *page)
{
    const json_t *held = json_object_get(page->request, "held");
    int64_t planned = int_of(page->request, "scheduled_at"), began = int_of(held, "started_at");
    char at[TIME_TEXT], real[HELD_TEXT];
    const double third = CN_FLOW_WIDTH / 3;
    if (!began) return;
    held_text(page, held, real);
    const pair both[] = {{"预约时间", "times", when(page, planned, at), CN_FLOW_WIDTH - 1.8 * third},
                         {"实际时间", "times", real, 1.8 * third}};
    const pair one[] = {{"会诊时间", "times", real, CN_FLOW_WIDTH}};
    if (planned && planned / 60000 != began / 60000)
        table_row(&page->flow, both, 2);
    else
        table_row(&page->flow, one, 1);
}

static void patient_block(sheet *page)
{
    const json_t *object = page->request, *patient = json_object_get(object, "patient");
    const double third = CN_FLOW_WIDTH / 3, half = CN_FLOW_WIDTH / 2;
    char age[24], identity[40];
    const char *birth = text_of(patient, "birth_date");
    age_of(page, age);
    mask(text_of(patient, "identity_number"), identity, sizeof(identity));
    const pair who[] = {{"姓名", "patient.name", text_of(patient, "name"), third},
                        {"性别", "patient.sex", sex_word(text_of(patient, "sex")), third},
                        {"年龄", "patient.age", age, third}};
    const pair papers[] = {{"出生日期", "patient.birth_date", birth[0] ? birth : "—", half},
                           {"证件号码", "patient.identity_number", identity, half}};
    const pair from[] = {{"申请医院", "hospital", part_text(object, "hospital", "name"), half},
                         {"申请科室", "referrer", part_text(object, "referrer", "department"), half}};
    const pair doctors[] = {{"申请医生", "referrer", part_text(object, "referrer", "name"), CN_FLOW_WIDTH}};
    table_row(&page->flow, who, 3);
    table_row(&page->flow, papers, 2);
    table_row(&page->flow, from, 2);
    table_row(&page->flow, doctors, 1);
    experts_rows(page);
    times_row(page);
    page->flow.y += 10;
}

/* ---- what was asked and answered ---- */

static void head_line(cn_page_flow *flow, const char *title)
{
    cn_page_flow_need(flow, heading.leading + 2 * body.leading + 8); /* never alone at the foot of a page */
    flow->y += 4;
    cn_page_flow_box(flow, CN_FLOW_LEFT, flow->y + 4, 3, heading.leading - 8, 0.25);
    cn_page_flow_at(flow, &heading, CN_FLOW_LEFT + 9, flow->y, CN_FLOW_WIDTH - 9, title);
    flow->y += heading.leading;
}

/* Enters at the end of what was typed are no lines of it. */
static void written(cn_page_flow *flow, const char *text)
{
    size_t n = strlen(text);
    cn_buf kept = {0};
    while (n > 0 && strchr(" \t\r\n", text[n - 1])) n--;
    cn_buf_add(&kept, text, n);
    cn_buf_add(&kept, "", 1);
    if (kept.err == CN_OK) cn_page_flow_text(flow, &body, kept.p);
    cn_buf_free(&kept);
}

static void section(cn_page_flow *flow, const char *title, const char *field, const char *text)
{
    if (!text[strspn(text, " \t\r\n")]) return;
    flow->field = field;
    head_line(flow, title);
    written(flow, text);
    flow->y += 4;
}

/* ---- pictures of places on slides ---- */

#define GAP 12.0
#define CELL ((CN_FLOW_WIDTH - GAP) / 2)
#define PICTURE_MOST 230.0 /* points high */

/* What of a picture's bytes belongs to the sheet until it is drawn. */
static const unsigned char *bytes_of(sheet *page, const json_t *figure, size_t *len)
{
    const char *text = text_of(figure, "jpeg");
    size_t room = strlen(text);
    unsigned char *bytes = g_malloc(room + 1);
    g_ptr_array_add(page->bytes, bytes);
    return cn_unb64(text, room, bytes, room, len) ? bytes : NULL;
}

static void size_of(const json_t *figure, double *width, double *height)
{
    double across = (double)int_of(figure, "width"), down = (double)int_of(figure, "height");
    double scale = across > 0 && down > 0 ? fmin(CELL / across, PICTURE_MOST / down) : 0;
    *width = across * scale;
    *height = down * scale;
}

/* Which slide it is, and how wide what is seen is. */
static void about_figure(const json_t *figure, cn_buf *out)
{
    double microns = json_number_value(json_object_get(figure, "mpp")) * (double)int_of(figure, "width");
    cn_buf_str(out, text_of(figure, "slide"));
    if (microns >= 1000)
        cn_buf_fmt(out, "　视野宽 %.2f mm", microns / 1000);
    else if (microns > 0)
        cn_buf_fmt(out, "　视野宽 %.0f µm", microns);
}

static void words_below(const json_t *figure, size_t number, cn_buf *title, cn_buf *about)
{
    cn_buf_fmt(title, "图%zu", number);
    if (text_of(figure, "caption")[0]) cn_buf_fmt(title, "　%s", text_of(figure, "caption"));
    about_figure(figure, about);
}

/* Draws one below `flow->y`, or only says how high it will be. */
static cn_err figure(sheet *page, const json_t *object, size_t number, double x, bool draw, double *height)
{
    cn_page_flow *flow = &page->flow;
    double width, tall;
    size_t len = 0;
    cn_err err = CN_OK;
    cn_buf title = {0}, about = {0};
    size_of(object, &width, &tall);
    words_below(object, number, &title, &about);
    *height = tall + 4;
    if (draw) {
        const unsigned char *bytes = bytes_of(page, object, &len);
        err = bytes ? cn_page_flow_jpeg(flow, x, flow->y, width, tall, bytes, len) : CN_ERR_CORRUPT;
        *height += cn_page_flow_at(flow, &by_line, x, flow->y + *height, CELL, title.p ? title.p : "");
        *height += cn_page_flow_at(flow, &left_note, x, flow->y + *height, CELL, about.p ? about.p : "");
    } else {
        *height += cn_page_flow_measure(flow, &by_line, CELL, title.p ? title.p : "");
        *height += cn_page_flow_measure(flow, &left_note, CELL, about.p ? about.p : "");
    }
    cn_buf_free(&title);
    cn_buf_free(&about);
    return err;
}

/* Two beside each other, on one page. */
static cn_err figure_row(sheet *page, const json_t *list, size_t first)
{
    double height[2] = {0, 0}, most;
    for (size_t i = 0; i < 2 && first + i < json_array_size(list); i++)
        CN_TRY(figure(page, json_array_get(list, first + i), first + i + 1, 0, false, &height[i]));
    most = fmax(height[0], height[1]);
    cn_page_flow_need(&page->flow, most);
    for (size_t i = 0; i < 2 && first + i < json_array_size(list); i++)
        CN_TRY(figure(page, json_array_get(list, first + i), first + i + 1, CN_FLOW_LEFT + (double)i * (CELL + GAP),
                      true, &height[i]));
    page->flow.y += most + 8;
    return CN_OK;
}

static cn_err figures(sheet *page)
{
    const json_t *list = json_object_get(page->report, "figures");
    double height = 0;
    if (json_array_size(list) == 0) return CN_OK;
    page->flow.field = "figures";
    CN_TRY(figure(page, json_array_get(list, 0), 1, 0, false, &height));
    cn_page_flow_need(&page->flow, heading.leading + height + 8); /* the heading stays with the first ones */
    head_line(&page->flow, "图像");
    for (size_t i = 0; i < json_array_size(list); i += 2) CN_TRY(figure_row(page, list, i));
    return CN_OK;
}

/* What was signed after this version is none of it. */
static bool is_later(const sheet *page, const json_t *opinion)
{
    return !page->draft && int_of(opinion, "at") > int_of(page->report, "signed_at");
}

static void opinion(sheet *page, const json_t *object)
{
    char at[TIME_TEXT];
    cn_buf who = {0};
    const json_t *author = json_object_get(object, "author");
    cn_buf_fmt(&who, "%s　%s　%s　%s", text_of(author, "name"), text_of(author, "title"),
               hospital_of(page->request, text_of(author, "id")), when(page, int_of(object, "at"), at));
    cn_page_flow_need(&page->flow, by_line.leading + body.leading);
    if (who.p) cn_page_flow_text(&page->flow, &by_line, who.p);
    written(&page->flow, text_of(object, "text"));
    page->flow.y += 3;
    cn_buf_free(&who);
}

static void opinions(sheet *page, const char *title, bool later)
{
    size_t i, n = 0;
    const json_t *object;
    page->flow.field = "opinions";
    json_array_foreach(json_object_get(page->request, "opinions"), i, object)
    {
        if (is_later(page, object) != later) continue;
        if (n++ == 0) head_line(&page->flow, title);
        opinion(page, object);
    }
}

static void signature(sheet *page)
{
    cn_page_flow *flow = &page->flow;
    const json_t *author = json_object_get(page->report, "author");
    const double x = CN_FLOW_LEFT + CN_FLOW_WIDTH * 0.5, width = CN_FLOW_WIDTH * 0.5;
    char at[TIME_TEXT];
    cn_buf line = {0};
    flow->field = "experts";
    cn_page_flow_need_with_text(flow, 4 * plain.leading + 44, body.leading); /* rule and note included */
    flow->y += 14;
    cn_buf_fmt(&line, "主诊专家：%s　%s", text_of(author, "name"), text_of(author, "title"));
    if (line.p) flow->y += cn_page_flow_at(flow, &plain, x, flow->y, width, line.p);
    flow->y += cn_page_flow_at(flow, &plain, x, flow->y, width, page->hospital);
    line.n = 0;
    cn_buf_fmt(&line, "签发时间：%s",
               page->draft ? "草稿，尚未签发" : when(page, int_of(page->report, "signed_at"), at));
    if (line.p) flow->y += cn_page_flow_at(flow, &plain, x, flow->y, width, line.p);
    flow->y += 8;
    cn_page_flow_rule(flow, CN_FLOW_LEFT, flow->y, CN_FLOW_LEFT + CN_FLOW_WIDTH, flow->y, 0.4);
    flow->y += 3;
    line.n = 0;
    if (int_of(page->report, "version") > 1)
        cn_buf_fmt(&line, "本报告为第 %lld 版（修订），替代此前各版。", (long long)int_of(page->report, "version"));
    cn_buf_str(&line, "本报告由专家在系统内电子签发；会诊意见供申请医院临床参考。");
    if (line.p) cn_page_flow_text(flow, &left_note, line.p);
    cn_buf_free(&line);
}

/* ---- every page's border ---- */

static void frame(cn_page_flow *flow, unsigned page, unsigned pages, void *arg)
{
    const sheet *s = arg;
    const double foot = CN_A4_HEIGHT - 50, right = CN_FLOW_LEFT + CN_FLOW_WIDTH;
    const char *state = s->draft ? "草稿" : s->unaudited ? "待审核" : "已签发";
    cn_buf line = {0};
    cn_page_flow_rule(flow, CN_FLOW_LEFT, foot, right, foot, 0.4);
    cn_buf_fmt(&line, "%s　第 %lld 版　%s", text_of(s->request, "number"), (long long)int_of(s->report, "version"),
               state);
    if (line.p) cn_page_flow_at(flow, &left_note, CN_FLOW_LEFT, foot + 3, CN_FLOW_WIDTH, line.p);
    line.n = 0;
    cn_buf_fmt(&line, "第 %u 页 / 共 %u 页", page + 1, pages);
    if (line.p) cn_page_flow_at(flow, &right_note, CN_FLOW_LEFT, foot + 3, CN_FLOW_WIDTH, line.p);
    if (page > 0) {
        line.n = 0;
        cn_buf_fmt(&line, "%s　%s", s->hospital, s->title);
        if (line.p) cn_page_flow_at(flow, &left_note, CN_FLOW_LEFT, 42, CN_FLOW_WIDTH, line.p);
        line.n = 0;
        cn_buf_fmt(&line, "患者：%s", part_text(s->request, "patient", "name"));
        if (line.p) cn_page_flow_at(flow, &right_note, CN_FLOW_LEFT, 42, CN_FLOW_WIDTH, line.p);
        cn_page_flow_rule(flow, CN_FLOW_LEFT, 59, right, 59, 0.4);
    }
    cn_buf_free(&line);
}

static cn_err compose(sheet *page)
{
    cn_page_flow *flow = &page->flow;
    letterhead(page);
    patient_block(page);
    section(flow, "修订原因", "reason", text_of(page->report, "reason"));
    section(flow, "初步诊断", "diagnosis", text_of(page->request, "diagnosis"));
    section(flow, "会诊目的", "question", text_of(page->request, "question"));
    section(flow, "检查所见", "findings", text_of(page->report, "findings"));
    CN_TRY(figures(page));
    section(flow, "会诊结论", "conclusion", text_of(page->report, "conclusion"));
    section(flow, "诊疗建议", "advice", text_of(page->report, "advice"));
    opinions(page, "其他专家意见", false);
    signature(page);
    opinions(page, "签发后补充的专家意见（不属于本版签发内容）", true);
    return CN_OK;
}

static cn_err open_sheet(sheet *page, const json_t *job)
{
    const json_t *request = json_object_get(job, "request"), *report = json_object_get(request, "report");
    if (!json_is_object(report)) return CN_ERR_STATE;
    *page = (sheet){.request = request,
                    .report = report,
                    .title = text_of(job, "title"),
                    .zone_ms = int_of(job, "zone_minutes") * 60000,
                    .age = int_of(job, "age"),
                    .age_days = int_of(job, "age_days")};
    page->draft = !json_is_integer(json_object_get(report, "signed_at"));
    page->unaudited = !page->draft && strcmp(text_of(request, "state"), "WRITTEN") == 0;
    page->hospital = hospital_of(request, part_text(report, "author", "id"));
    page->bytes = g_ptr_array_new_with_free_func(g_free);
    cn_page_flow_open(&page->flow);
    return CN_OK;
}

static void close_sheet(sheet *page)
{
    cn_page_flow_close(&page->flow);
    g_ptr_array_free(page->bytes, TRUE);
}

cn_err cn_sheet_pdf(const json_t *job, cn_buf *out)
{
    sheet page;
    char about[96], at[CN_TIME_TEXT];
    CN_TRY(open_sheet(&page, job));
    /* the number alone: no name of a patient in what a file manager shows */
    cn_fmt(about, sizeof(about), "%s", text_of(page.request, "number"));
    cn_time_format(int_of(page.report, page.draft ? "updated_at" : "signed_at"), at);
    at[19] = 'Z'; /* whole seconds */
    at[20] = 0;
    const char *mark = page.draft ? "草稿" : page.unaudited ? "待审核" : NULL;
    cn_err err = compose(&page);
    if (err == CN_OK) err = cn_page_flow_pdf(&page.flow, frame, &page, mark, about, at, out);
    close_sheet(&page);
    return err;
}

/* ---- what no font has ---- */

/* The row of a field, made when it is not there yet; borrowed. */
static json_t *characters_of(json_t *list, const char *field)
{
    size_t i;
    json_t *row;
    json_array_foreach(list, i, row)
    {
        if (strcmp(text_of(row, "field"), field) == 0) return json_object_get(row, "characters");
    }
    row = json_pack("{s:s, s:[]}", "field", field, "characters");
    return json_array_append_new(list, row) == 0 ? json_object_get(row, "characters") : NULL;
}

static void note_unknown(void *arg, const char *field, uint32_t character)
{
    char text[8] = "";
    size_t i;
    const json_t *known;
    if (!g_unichar_validate(character)) return;
    json_t *list = characters_of(arg, field);
    if (json_array_size(list) >= CN_SHEET_UNKNOWN) return;
    g_unichar_to_utf8(character, text);
    json_array_foreach(list, i, known)
    {
        if (strcmp(json_string_value(known), text) == 0) return;
    }
    json_array_append_new(list, json_string(text));
}

cn_err cn_sheet_unprintable(const json_t *job, json_t **out)
{
    sheet page;
    json_t *list = json_array();
    if (!list) return CN_ERR_NOMEM;
    cn_err err = open_sheet(&page, job);
    if (err != CN_OK) {
        json_decref(list);
        return err;
    }
    page.flow.unknown = note_unknown;
    page.flow.unknown_arg = list;
    err = compose(&page);
    close_sheet(&page);
    if (err == CN_OK)
        *out = list;
    else
        json_decref(list);
    return err;
}
