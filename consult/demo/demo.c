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
#include "consult/demo/files.h"
#include "consult/file/file.h"
#include "consult/people/accounts.h"
#include "consult/people/password.h"
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
    {"expert02", "钱影像（演示）", "主任医师", "expert", 4},
    {"expert03", "孙内科（演示）", "副主任医师", "expert", 5},
};

static const struct {
    int hospital;
    const char *name, *code;
} departments[] = {{0, "普外科", "PW"},       {0, "病理科", "BL"},     {1, "病理科", "BL"},
                   {1, "远程会诊中心", "HZ"}, {1, "医学影像科", "YX"}, {1, "内科", "NK"}};

#define PLACES (sizeof(departments) / sizeof(departments[0]))

typedef struct demo {
    cn_consult *c;
    char hospital[2][CN_ID_TEXT], department[PLACES][CN_ID_TEXT];
    cn_actor actor[PEOPLE];
} demo;

/* ---- people ---- */

static cn_err add_places(demo *show)
{
    const cn_actor system = cn_actor_system();
    CN_TRY(cn_hospital_add(show->c, &system, "青山县人民医院（演示）", "青山", show->hospital[0]));
    CN_TRY(cn_hospital_add(show->c, &system, "江城大学附属医院（演示）", "江城", show->hospital[1]));
    for (size_t i = 0; i < PLACES; i++)
        CN_TRY(cn_department_add(show->c, &system, show->hospital[departments[i].hospital], departments[i].name,
                                 departments[i].code, show->department[i]));
    return CN_OK;
}

static cn_err add_person(demo *show, int index, FILE *to)
{
    const cn_actor system = cn_actor_system();
    const char *const roles[] = {people[index].role, NULL};
    char password[16];
    int place = people[index].department;
    cn_actor *actor = &show->actor[index];
    cn_password_generate(password);
    const cn_user_new user = {.username = people[index].username,
                              .name = people[index].name,
                              .title = people[index].title,
                              .hospital = show->hospital[departments[place].hospital],
                              .department = show->department[place],
                              .roles = roles,
                              .password = password};
    CN_TRY(cn_user_add(show->c, &system, &user, actor->user, NULL));
    actor->rights = cn_role_rights(people[index].role);
    cn_strcpy(actor->hospital, sizeof(actor->hospital), user.hospital);
    cn_strcpy(actor->department, sizeof(actor->department), user.department);
    cn_strcpy(actor->address, sizeof(actor->address), "local");
    fprintf(to, "  %-10s %-16s %s\n", people[index].username, password, people[index].name);
    return CN_OK;
}

/* ---- files, through the same door as everybody's ---- */

static cn_err begin_upload(demo *show, const char *request, const char *category, const char *name, int64_t size,
                           char id[CN_ID_TEXT])
{
    const cn_upload_new upload = {
        .request = request, .category = category, .name = name, .size = size, .max_bytes = INT64_MAX};
    return cn_upload_create(show->c, &show->actor[REFERRER], &upload, id, NULL);
}

static cn_err upload_bytes(demo *show, const char *request, const char *category, const char *name, cn_buf *buf)
{
    char id[CN_ID_TEXT];
    cn_upload_state upload;
    cn_err err = buf->err != CN_OK ? buf->err : begin_upload(show, request, category, name, (int64_t)buf->n, id);
    if (err == CN_OK) err = cn_upload_append(show->c, &show->actor[REFERRER], id, 0, buf->p, buf->n, NULL);
    if (err == CN_OK) err = cn_upload_sync(show->c, &show->actor[REFERRER], id, &upload, NULL);
    cn_buf_free(buf);
    return err;
}

static cn_err upload_path(demo *show, const char *request, const char *category, const char *name, const char *path)
{
    struct stat st;
    char id[CN_ID_TEXT];
    cn_upload_state upload;
    CN_AUTO_FREE char *chunk = cn_calloc(1, CHUNK);
    CN_AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (!chunk || fd < 0 || fstat(fd, &st) != 0) return CN_ERR_IO;
    CN_TRY(begin_upload(show, request, category, name, st.st_size, id));
    int64_t at = 0;
    for (ssize_t n; (n = pread(fd, chunk, CHUNK, at)) > 0; at += n)
        CN_TRY(cn_upload_append(show->c, &show->actor[REFERRER], id, at, chunk, (size_t)n, NULL));
    return cn_upload_sync(show->c, &show->actor[REFERRER], id, &upload, NULL);
}

static cn_err upload_pdf(demo *show, const char *request, const char *category, const char *name, const char *title,
                         const char *text)
{
    cn_buf buf = {.p = NULL};
    cn_err err = cn_demo_pdf(title, text, &buf);
    if (err == CN_OK) return upload_bytes(show, request, category, name, &buf);
    cn_buf_free(&buf);
    return err;
}

static cn_err upload_ecg(demo *show, const char *request)
{
    cn_buf buf = {.p = NULL};
    cn_err err = cn_demo_ecg(&buf);
    if (err == CN_OK) return upload_bytes(show, request, "ecg", "心电图.png", &buf);
    cn_buf_free(&buf);
    return err;
}

static cn_err upload_documents(demo *show, const char *request)
{
    CN_TRY(upload_pdf(show, request, "consent", "远程会诊知情同意书.pdf", "远程会诊知情同意书",
                      "本人已了解远程会诊的目的、方式及可能的局限，同意将病历资料用于本次会诊。\n\n（演示文件，不含任何"
                      "真实患者信息）"));
    CN_TRY(upload_pdf(show, request, "admission", "入院记录.pdf", "入院记录",
                      "主诉：体检发现右肺下叶结节 2 月。\n\n现病史：患者 2 月前体检胸部 CT "
                      "示右肺下叶一枚实性结节，大小约 18×15 mm，边缘可见毛刺，"
                      "无咳嗽、咯血及胸痛。\n\n体格检查：生命体征平稳，双肺呼吸音清。\n\n辅助检查：血常规、肝肾功能未见"
                      "明显异常。\n\n初步诊断：右肺下叶占位性病变，性质待定。\n\n"
                      "（演示文件，不含任何真实患者信息）"));
    return upload_ecg(show, request);
}

/* ---- requests ---- */

static cn_err add_request(demo *show, const char *name, const char *sex, const char *birth, const char *diagnosis,
                          const char *question, const char *urgency, char id[CN_ID_TEXT])
{
    CN_AUTO_JSON json_t *body =
        json_pack("{s:s, s:s, s:{s:s, s:s, s:s, s:s, s:s}, s:s, s:s}", "kind", "C", "urgency", urgency, "patient",
                  "name", name, "sex", sex, "birth_date", birth, "identity_number", "", "phone", "", "diagnosis",
                  diagnosis, "question", question);
    return cn_request_create(show->c, &show->actor[REFERRER], body, id, NULL, NULL);
}

static cn_err submit(demo *show, const char *id)
{
    CN_AUTO_JSON json_t *body = json_object();
    return cn_request_act(show->c, &show->actor[REFERRER], id, "submit", body, NULL, NULL);
}

static cn_err schedule(demo *show, const char *id)
{
    CN_AUTO_JSON json_t *body =
        json_pack("{s:s, s:[s, s], s:I, s:i}", "lead", show->actor[EXPERT_1].user, "experts",
                  show->actor[EXPERT_2].user, show->actor[EXPERT_3].user, "at",
                  (json_int_t)((cn_wall_ms() + 1800000 + 299999) / 300000 * 300000), "minutes", 60);
    return cn_request_act(show->c, &show->actor[ADMIN], id, "schedule", body, NULL, NULL);
}

static cn_err add_images(demo *show, const cn_demo_sources *sources, const char *request)
{
    CN_AUTO_JSON json_t *body = NULL;
    if (!sources->images) return CN_OK;
    CN_TRY(cn_request_get(show->c, &show->actor[REFERRER], request, &body));
    return sources->images(sources->ctx, &show->actor[REFERRER], json_string_value(json_object_get(body, "number")));
}

static cn_err add_requests(demo *show, const cn_demo_sources *sources)
{
    char id[CN_ID_TEXT];
    CN_TRY(add_request(show, "演示患者甲", "male", "1962-03-14", "右肺下叶占位，性质待定",
                       "请结合病理切片协助明确诊断及下一步治疗方案。", "ordinary", id));
    CN_TRY(upload_documents(show, id));
    CN_TRY(upload_path(show, id, "pathology", "右肺下叶穿刺 HE.tif", sources->slide));
    if (sources->ecg) CN_TRY(upload_path(show, id, "ecg", "静息心电图.scp", sources->ecg));
    CN_TRY(add_images(show, sources, id));
    CN_TRY(submit(show, id));
    CN_TRY(schedule(show, id));
    CN_TRY(add_request(show, "演示患者乙", "female", "1975-11-02", "甲状腺结节 TI-RADS 4a", "是否建议手术？",
                       "ordinary", id));
    CN_TRY(upload_documents(show, id));
    CN_TRY(submit(show, id));
    return add_request(show, "演示患者丙", "male", "1950-07-21", "急性胸痛待查", "请紧急会诊。", "urgent", id);
}

cn_err cn_demo_init(cn_consult *consult, const cn_demo_sources *sources, FILE *to)
{
    demo *show = CN_NEW(demo);
    bool empty = false;
    if (!show) return CN_ERR_NOMEM;
    show->c = consult;
    cn_err err = cn_accounts_empty(consult, &empty);
    if (err == CN_OK && !empty) err = CN_ERR_CONFLICT;
    if (err == CN_OK) err = add_places(show);
    if (err == CN_OK) fprintf(to, "\nDemo users. The passwords are shown this once:\n\n");
    for (int i = 0; err == CN_OK && i < PEOPLE; i++) err = add_person(show, i, to);
    if (err == CN_OK) fprintf(to, "\n");
    if (err == CN_OK) err = add_requests(show, sources);
    free(show);
    return err;
}
