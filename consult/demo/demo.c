#include "consult/demo/demo.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "consult/people/accounts.h"
#include "consult/demo/files.h"
#include "consult/file/file.h"
#include "consult/request/request.h"

#define CHUNK (4 << 20)

enum { ADMIN, REFERRER, EXPERT_1, EXPERT_2, EXPERT_3, PEOPLE };

static const struct {
    const char *username, *name, *title, *role;
    int department;
} people[PEOPLE] = {
    {"admin01", "周管理（演示）", "会诊中心管理员", "consult_admin", 3},
    {"doctor01", "李申请（演示）", "主治医师", "referrer", 0},
    {"expert01", "赵病理（演示）", "主任医师", "expert", 2},
    {"expert02", "钱影像（演示）", "主任医师", "expert", 3},
    {"expert03", "孙内科（演示）", "副主任医师", "expert", 2},
};

static const struct {
    int hospital;
    const char *name, *code;
} departments[] = {{0, "普外科", "PW"}, {0, "病理科", "BL"}, {1, "病理科", "BL"}, {1, "远程会诊中心", "HZ"}};

typedef struct demo {
    cn_consult *c;
    char hospital[2][CN_ID_TEXT], department[4][CN_ID_TEXT];
    cn_actor actor[PEOPLE];
} demo;

/* ---- people ---- */

static cn_err add_places(demo *d)
{
    const cn_actor system = cn_actor_system();
    CN_TRY(cn_hospital_add(d->c, &system, "青山县人民医院（演示）", "青山", d->hospital[0]));
    CN_TRY(cn_hospital_add(d->c, &system, "江城大学附属医院（演示）", "江城", d->hospital[1]));
    for (size_t i = 0; i < 4; i++)
        CN_TRY(cn_department_add(d->c, &system, d->hospital[departments[i].hospital], departments[i].name,
                                 departments[i].code, d->department[i]));
    return CN_OK;
}

static cn_err add_person(demo *d, int i, FILE *to)
{
    const cn_actor system = cn_actor_system();
    const char *const roles[] = {people[i].role, NULL};
    char password[16];
    int place = people[i].department;
    cn_actor *a = &d->actor[i];
    cn_password_generate(password);
    const cn_user_new u = {.username = people[i].username,
                           .name = people[i].name,
                           .title = people[i].title,
                           .hospital = d->hospital[departments[place].hospital],
                           .department = d->department[place],
                           .roles = roles,
                           .password = password};
    CN_TRY(cn_user_add(d->c, &system, &u, a->user, NULL));
    a->rights = cn_role_rights(people[i].role);
    cn_strcpy(a->hospital, sizeof(a->hospital), u.hospital);
    cn_strcpy(a->department, sizeof(a->department), u.department);
    cn_strcpy(a->address, sizeof(a->address), "local");
    fprintf(to, "  %-10s %-16s %s\n", people[i].username, password, people[i].name);
    return CN_OK;
}

/* ---- files, through the same door as everybody's ---- */

static cn_err begin_upload(demo *d, const char *request, const char *category, const char *name, int64_t size,
                           char id[CN_ID_TEXT])
{
    const cn_upload_new u = {
        .request = request, .category = category, .name = name, .size = size, .max_bytes = INT64_MAX};
    return cn_upload_create(d->c, &d->actor[REFERRER], &u, id, NULL);
}

static cn_err upload_bytes(demo *d, const char *request, const char *category, const char *name, cn_buf *b)
{
    char id[CN_ID_TEXT];
    cn_upload_state s;
    cn_err err = b->err != CN_OK ? b->err : begin_upload(d, request, category, name, (int64_t)b->n, id);
    if (err == CN_OK) err = cn_upload_append(d->c, &d->actor[REFERRER], id, 0, b->p, b->n, NULL);
    if (err == CN_OK) err = cn_upload_sync(d->c, &d->actor[REFERRER], id, &s, NULL);
    cn_buf_free(b);
    return err;
}

static cn_err upload_path(demo *d, const char *request, const char *category, const char *name, const char *path)
{
    struct stat st;
    char id[CN_ID_TEXT];
    cn_upload_state s;
    CN_AUTO_FREE char *chunk = cn_calloc(1, CHUNK);
    CN_AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (!chunk || fd < 0 || fstat(fd, &st) != 0) return CN_ERR_IO;
    CN_TRY(begin_upload(d, request, category, name, st.st_size, id));
    int64_t at = 0;
    for (ssize_t n; (n = pread(fd, chunk, CHUNK, at)) > 0; at += n)
        CN_TRY(cn_upload_append(d->c, &d->actor[REFERRER], id, at, chunk, (size_t)n, NULL));
    return cn_upload_sync(d->c, &d->actor[REFERRER], id, &s, NULL);
}

static cn_err upload_pdf(demo *d, const char *request, const char *category, const char *name, const char *title,
                         const char *text)
{
    cn_buf b = {.p = NULL};
    cn_err err = cn_demo_pdf(title, text, &b);
    if (err == CN_OK) return upload_bytes(d, request, category, name, &b);
    cn_buf_free(&b);
    return err;
}

static cn_err upload_ecg(demo *d, const char *request)
{
    cn_buf b = {.p = NULL};
    cn_err err = cn_demo_ecg(&b);
    if (err == CN_OK) return upload_bytes(d, request, "ecg", "心电图.png", &b);
    cn_buf_free(&b);
    return err;
}

static cn_err upload_documents(demo *d, const char *request)
{
    CN_TRY(upload_pdf(d, request, "consent", "远程会诊知情同意书.pdf", "远程会诊知情同意书",
                      "本人已了解远程会诊的目的、方式及可能的局限，同意将病历资料用于本次会诊。\n\n（演示文件，不含任何"
                      "真实患者信息）"));
    CN_TRY(upload_pdf(d, request, "admission", "入院记录.pdf", "入院记录",
                      "主诉：体检发现右肺下叶结节 2 月。\n\n现病史：患者 2 月前体检胸部 CT "
                      "示右肺下叶一枚实性结节，大小约 18×15 mm，边缘可见毛刺，"
                      "无咳嗽、咯血及胸痛。\n\n体格检查：生命体征平稳，双肺呼吸音清。\n\n辅助检查：血常规、肝肾功能未见"
                      "明显异常。\n\n初步诊断：右肺下叶占位性病变，性质待定。\n\n"
                      "（演示文件，不含任何真实患者信息）"));
    return upload_ecg(d, request);
}

/* ---- requests ---- */

static cn_err add_request(demo *d, const char *name, const char *sex, const char *birth, const char *diagnosis,
                          const char *question, const char *urgency, char id[CN_ID_TEXT])
{
    CN_AUTO_JSON json_t *body =
        json_pack("{s:s, s:s, s:{s:s, s:s, s:s, s:s, s:s}, s:s, s:s}", "kind", "C", "urgency", urgency, "patient",
                  "name", name, "sex", sex, "birth_date", birth, "identity_number", "", "phone", "", "diagnosis",
                  diagnosis, "question", question);
    return cn_request_create(d->c, &d->actor[REFERRER], body, id, NULL);
}

static cn_err submit(demo *d, const char *id)
{
    CN_AUTO_JSON json_t *body = json_object();
    return cn_request_act(d->c, &d->actor[REFERRER], id, "submit", body, NULL);
}

static cn_err schedule(demo *d, const char *id)
{
    CN_AUTO_JSON json_t *body =
        json_pack("{s:s, s:[s, s], s:I, s:i}", "lead", d->actor[EXPERT_1].user, "experts", d->actor[EXPERT_2].user,
                  d->actor[EXPERT_3].user, "at", (json_int_t)(cn_wall_ms() + 1800000), "minutes", 60);
    return cn_request_act(d->c, &d->actor[ADMIN], id, "schedule", body, NULL);
}

static cn_err add_requests(demo *d, const char *slide)
{
    char id[CN_ID_TEXT];
    CN_TRY(add_request(d, "演示患者甲", "male", "1962-03-14", "右肺下叶占位，性质待定",
                       "请结合病理切片协助明确诊断及下一步治疗方案。", "ordinary", id));
    CN_TRY(upload_documents(d, id));
    CN_TRY(upload_path(d, id, "pathology", "右肺下叶穿刺 HE.tif", slide));
    CN_TRY(submit(d, id));
    CN_TRY(schedule(d, id));
    CN_TRY(add_request(d, "演示患者乙", "female", "1975-11-02", "甲状腺结节 TI-RADS 4a", "是否建议手术？", "ordinary",
                       id));
    CN_TRY(upload_documents(d, id));
    CN_TRY(submit(d, id));
    return add_request(d, "演示患者丙", "male", "1950-07-21", "急性胸痛待查", "请紧急会诊。", "urgent", id);
}

cn_err cn_demo_init(cn_consult *c, const char *slide, FILE *to)
{
    demo *d = CN_NEW(demo);
    bool empty = false;
    if (!d) return CN_ERR_NOMEM;
    d->c = c;
    cn_err err = cn_accounts_empty(c, &empty);
    if (err == CN_OK && !empty) err = CN_ERR_CONFLICT;
    if (err == CN_OK) err = add_places(d);
    if (err == CN_OK) fprintf(to, "\nDemo users. The passwords are shown this once:\n\n");
    for (int i = 0; err == CN_OK && i < PEOPLE; i++) err = add_person(d, i, to);
    if (err == CN_OK) fprintf(to, "\n");
    if (err == CN_OK) err = add_requests(d, slide);
    free(d);
    return err;
}
