#include "signaling/demo.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/child.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "consult/demo/demo.h"
#include "signaling/dicom_intake.h"

#define IMAGE_MAX (4 << 20) /* bytes */
#define SLICES "60"

static cn_err draw(const char *name, const char *const *arguments)
{
    char dir[1024], program[1200];
    const char *all[14] = {program};
    int status = -1;
    const cn_child_limits limits = {.wall_seconds = 300};
    CN_TRY(cn_program_dir(dir, sizeof dir));
    if (!cn_fmt(program, sizeof program, "%s/%s", dir, name)) return CN_ERR_TOOBIG;
    for (size_t i = 0; arguments[i] && i + 2 < sizeof all / sizeof *all; i++) all[i + 1] = arguments[i];
    cn_err err = cn_child_run(all, &limits, &status);
    return err != CN_OK ? err : status == 0 ? CN_OK : CN_ERR_CRASHED;
}

static cn_err draw_file(const char *program, const char *kind, char *path, size_t size)
{
    if (!cn_strcpy(path, size, "/tmp/consilium-demo-XXXXXX")) return CN_ERR_TOOBIG;
    int fd = mkstemp(path);
    if (fd < 0) return CN_ERR_IO;
    close(fd);
    return draw(program, kind ? (const char *const[]){kind, path, NULL} : (const char *const[]){path, NULL});
}

static cn_err take_image(cn_intake *intake, cn_dicom_reader *reader, const char *path)
{
    char part[CN_ID_TEXT], why[256] = "", *bytes = NULL;
    size_t len = 0;
    cn_problem problem = {.err = CN_OK};
    cn_dicom_index index = {.tags = NULL};
    cn_files *files = cn_app_consult(intake->app)->files;
    CN_AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return CN_ERR_IO;
    CN_TRY(cn_dicom_reader_index(reader, fd, &index, why, sizeof why));
    cn_id_new(part);
    cn_err err = cn_file_read(path, IMAGE_MAX, &bytes, &len);
    if (err == CN_OK) err = cn_part_begin(files, part);
    if (err == CN_OK) err = cn_part_append(files, part, 0, bytes, len);
    if (err == CN_OK) err = cn_intake_add(intake, part, &index);
    free(bytes);
    cn_dicom_index_clear(&index);
    if (err == CN_OK && cn_intake_full(intake)) {
        err = cn_intake_store(intake, &problem);
        cn_intake_forget(intake);
    }
    return err;
}

static cn_err take_images(cn_intake *intake, cn_dicom_readers *readers, const char *folder)
{
    char path[1200];
    cn_problem problem = {.err = CN_OK};
    cn_dicom_reader *reader = NULL;
    DIR *dir = opendir(folder);
    cn_err err = dir ? cn_dicom_reader_open(readers, &reader) : CN_ERR_IO;
    for (struct dirent *found; err == CN_OK && (found = readdir(dir));) {
        if (found->d_name[0] == '.') continue;
        err = cn_fmt(path, sizeof path, "%s/%s", folder, found->d_name) ? take_image(intake, reader, path)
                                                                        : CN_ERR_TOOBIG;
        unlink(path);
    }
    if (err == CN_OK) err = cn_intake_store(intake, &problem);
    cn_intake_forget(intake);
    cn_dicom_reader_close(reader);
    if (dir) closedir(dir);
    return err;
}

static cn_err open_readers(cn_app *app)
{
    char dir[1024], program[1200];
    CN_TRY(cn_program_dir(dir, sizeof dir));
    if (!cn_fmt(program, sizeof program, "%s/consilium-dicom", dir)) return CN_ERR_TOOBIG;
    CN_TRY(cn_dicom_readers_new(&app->dicom, program, 1));
    return cn_dicom_shelf_new(&app->dicom_shelf, app->consult.files, app->dicom);
}

static void close_readers(cn_app *app)
{
    cn_dicom_shelf_free(app->dicom_shelf);
    cn_dicom_readers_free(app->dicom);
    app->dicom_shelf = NULL;
    app->dicom = NULL;
}

static cn_err demo_images(void *ctx, const cn_actor *actor, const char *number)
{
    cn_app *app = ctx;
    char folder[] = "/tmp/consilium-images-XXXXXX";
    cn_problem problem = {.err = CN_OK};
    CN_AUTO_FREE cn_intake *intake = CN_NEW(cn_intake);
    if (!intake) return CN_ERR_NOMEM;
    intake->app = app;
    intake->actor = actor;
    CN_TRY(cn_imaging_request(&app->consult, actor, number, intake->request, &problem));
    if (!mkdtemp(folder)) return CN_ERR_IO;
    cn_err err =
        draw("consilium-demo-dicom", (const char *const[]){"ct", folder, "--accession", number, "--name", "演示患者甲",
                                                           "--slices", SLICES, "--charset", "utf-8", NULL});
    if (err == CN_OK) err = open_readers(app);
    if (err == CN_OK) err = take_images(intake, app->dicom, folder);
    close_readers(app);
    rmdir(folder);
    return err;
}

cn_err cn_app_demo(cn_app *app, const char *slide, FILE *to)
{
    char drawn[64] = "", ecg[64] = "";
    cn_err err = slide ? CN_OK : draw_file("consilium-demo-slide", NULL, drawn, sizeof drawn);
    if (err == CN_OK) err = draw_file("consilium-demo-ecg", "scp", ecg, sizeof ecg);
    const cn_demo_sources sources = {.slide = slide ? slide : drawn, .ecg = ecg, .images = demo_images, .ctx = app};
    if (err == CN_OK) err = cn_demo_init(&app->consult, &sources, to);
    if (*drawn) unlink(drawn);
    if (*ecg) unlink(ecg);
    return err;
}
