#include "signaling/slide_parts.h"

#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "signaling/slide_file.h"
#include "viewer/parts/unpack.h"
#include "viewer/scratch.h"

#define PATH 4096

bool cn_slide_is_packed(const cn_file_info *info)
{
    return strcmp(info->type, "application/zip") == 0;
}

cn_err cn_slide_parts_look(const char *path, cn_problem *problem)
{
    char field[48];
    cn_zip_refusal refusal = CN_ZIP_FINE;
    cn_err err = cn_unpack_look(path, &refusal);
    if (err == CN_ERR_INVALID) {
        cn_fmt(field, sizeof(field), "file.zip.%s", cn_zip_word(refusal));
        return cn_problem_set(problem, err, field, "%s", cn_zip_text(refusal));
    }
    if (err != CN_OK) cn_warn("signaling.convert", "a ZIP is taken without a look into it: %s", cn_err_text(err));
    return CN_OK;
}

cn_err cn_slide_parts_make(cn_consult *consult, const cn_file_info *info, const char *scratch, int stop_fd)
{
    char zip[PATH], dir[PATH], path[PATH];
    const cn_actor system = cn_actor_system();
    cn_file_info now;
    if (cn_slide_file_path(consult, info, path, sizeof(path)) == CN_OK) return CN_OK;
    CN_TRY(cn_files_path(consult->files, info->sha256, zip, sizeof(zip)));
    CN_TRY(cn_unpack(zip, scratch, stop_fd, dir, sizeof(dir)));
    cn_err err = cn_files_parts_put(consult->files, info->id, dir);
    if (err != CN_OK) cn_scratch_remove(dir);
    CN_TRY(err);
    /* deleted in these minutes */
    return cn_file_get(consult, &system, info->id, NULL, &now) == CN_ERR_NOTFOUND
               ? cn_files_parts_remove(consult->files, info->id)
               : CN_OK;
}
