#include "signaling/dicom_intake.h"

#include <string.h>

#include "base/str.h"

#define BYTES_MOST (256 << 20) /* of instances that wait together */

cn_err cn_intake_check(const cn_dicom_index *index, char *why, size_t why_size)
{
    if (index->study[0] && index->series[0] && index->instance[0] && index->sop_class[0]) return CN_OK;
    cn_strcpy(why, why_size, "a UID of study, series, instance or class is missing");
    return CN_ERR_CORRUPT;
}

static void describe(const cn_dicom_index *index, cn_instance_new *fresh)
{
    *fresh = (cn_instance_new){.rows = index->rows, .columns = index->columns, .frames = index->frames};
    cn_strcpy(fresh->study, CN_UID, index->study);
    cn_strcpy(fresh->series, CN_UID, index->series);
    cn_strcpy(fresh->instance, CN_UID, index->instance);
    cn_strcpy(fresh->sop_class, CN_UID, index->sop_class);
    cn_strcpy(fresh->syntax, CN_UID, index->syntax);
    fresh->tags = json_incref(index->tags);
}

cn_err cn_intake_add(cn_intake *intake, const char *part, const cn_dicom_index *index)
{
    cn_files *files = cn_app_consult(intake->app)->files;
    cn_instance_new *fresh = &intake->waiting[intake->count];
    cn_part *mine = &intake->part[intake->count];
    *mine = (cn_part){.size = 0};
    cn_err err = cn_strcpy(mine->id, sizeof(mine->id), part) ? cn_part_hash(files, part, mine->sha256, &mine->size)
                                                             : CN_ERR_INVALID;
    if (err != CN_OK) {
        cn_part_remove(files, part);
        return err;
    }
    describe(index, fresh);
    memcpy(fresh->sha256, mine->sha256, sizeof(fresh->sha256));
    fresh->size = mine->size;
    cn_dicom_shelf_keep(cn_app_dicom_shelf(intake->app), fresh->sha256, index);
    intake->count++;
    intake->bytes += fresh->size;
    return CN_OK;
}

bool cn_intake_full(const cn_intake *intake)
{
    return intake->count == CN_IMAGING_BATCH || intake->bytes > BYTES_MOST;
}

cn_err cn_intake_store(cn_intake *intake, cn_problem *problem)
{
    cn_consult *consult = cn_app_consult(intake->app);
    CN_TRY(cn_parts_publish(consult->files, intake->part, intake->count));
    return cn_imaging_store(consult, intake->actor, intake->request, intake->waiting, intake->count, problem);
}

void cn_intake_forget(cn_intake *intake)
{
    for (size_t i = 0; i < intake->count; i++) {
        cn_part_remove(cn_app_consult(intake->app)->files, intake->part[i].id);
        json_decref(intake->waiting[i].tags);
    }
    intake->count = 0;
    intake->bytes = 0;
}
