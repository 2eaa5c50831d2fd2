/* Pictures of places on slides for a report: cut from the slide at full sharpness, drawn with a scale bar, kept as objects. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "consult/file/calibration.h"
#include "consult/file/file.h"
#include "consult/mark/marks.h"
#include "consult/paper/figure.h"
#include "consult/report/figures.h"
#include "signaling/api/api.h"
#include "signaling/api/slides.h"
#include "signaling/app.h"
#include "viewer/slide/slides.h"

#define MARKS_MOST 500 /* of a picture */

typedef struct figure_job {
    cn_http *http;
    const char *file; /* of the body */
    cn_file_info info;
    cn_grant ticket;
    cn_decode_info slide;
    cn_figure_place place;
    cn_figure_plan plan;
    double mpp; /* µm per pixel of the slide */
    cn_buf jpeg;
} figure_job;

static cn_consult *consult(cn_http *http)
{
    return cn_app_consult(cn_http_app(http));
}

/* ---- what is asked for ---- */

/* What somebody measured stands before what the file says. */
static cn_err find_scale(figure_job *job)
{
    CN_AUTO_JSON json_t *found = NULL;
    CN_TRY(cn_calibration_get(consult(job->http), cn_http_actor(job->http), job->file, &found));
    job->mpp = json_number_value(json_object_get(found, "mpp"));
    if (!(job->mpp > 0)) job->mpp = job->slide.mpp_x;
    return CN_OK;
}

static cn_err prepare(figure_job *job)
{
    cn_problem *problem = cn_http_problem(job->http);
    const json_t *body = cn_http_body_json(job->http);
    CN_TRY(cn_json_str(body, "file", true, 1, CN_ID_TEXT, &job->file, problem));
    CN_TRY(cn_figure_place_read(body, &job->place, problem));
    CN_TRY(cn_figure_may(consult(job->http), cn_http_actor(job->http), cn_http_param(job->http, "id"), job->file,
                         problem));
    CN_TRY(cn_slide_load_file(job->http, job->file, NULL, &job->ticket, &job->slide));
    if (job->place.z > 0 && job->place.z >= job->slide.z_planes)
        return cn_problem_set(problem, CN_ERR_INVALID, "z", "the slide has no such plane");
    CN_TRY(find_scale(job));
    return cn_figure_plan_make(&job->place, job->slide.width, job->slide.height, &job->plan, problem);
}

/* Of all that is drawn on the slide what the body names, by its ids. */
static cn_err chosen_marks(figure_job *job, json_t **out)
{
    json_t *wanted = NULL;
    CN_AUTO_JSON json_t *all = NULL, *list = json_array();
    const json_t *mark, *id;
    size_t i, k;
    CN_TRY(cn_json_arr(cn_http_body_json(job->http), "marks", false, MARKS_MOST, &wanted, cn_http_problem(job->http)));
    if (wanted) CN_TRY(cn_marks_get(consult(job->http), cn_http_actor(job->http), job->file, false, &all));
    json_array_foreach(json_object_get(all, "marks"), i, mark){
        json_array_foreach(wanted, k, id){if (json_equal(json_object_get(mark, "id"), id) &&
                                              json_array_append(list, (json_t *)mark) < 0) return CN_ERR_NOMEM;
}
}
*out = json_incref(list);
return CN_OK;
}

/* ---- the picture ---- */

static cn_err cut(figure_job *job, cn_tile **out)
{
    const cn_figure_plan *plan = &job->plan;
    const cn_iiif_ask ask = {.x = plan->x,
                             .y = plan->y,
                             .width = plan->width,
                             .height = plan->height,
                             .out_width = plan->cut_width,
                             .out_height = plan->cut_height,
                             .format = CN_IIIF_PNG,
                             .z = job->slide.z_planes ? (uint32_t)job->place.z + 1 : 0};
    return cn_slide_cut(cn_app_slides(cn_http_app(job->http)), job->ticket.file, job->ticket.path, &ask, out);
}

static cn_err draw(figure_job *job)
{
    cn_tile *part = NULL;
    CN_AUTO_JSON json_t *marks = NULL;
    CN_TRY(chosen_marks(job, &marks));
    cn_err err = cut(job, &part);
    if (err != CN_OK) return cn_slide_refusal(job->http, job->ticket.file, err);
    const cn_figure_drawing drawing = {
        .png = part->bytes, .png_len = part->n, .background = job->slide.background, .mpp = job->mpp, .marks = marks};
    err = cn_figure_draw(&job->plan, &drawing, &job->jpeg);
    cn_unref(part);
    return err;
}

/* Through the folder of uploads, so that the object is there whole or not at all. */
static cn_err keep_object(cn_files *files, const cn_buf *jpeg, char sha256[65])
{
    char id[CN_ID_TEXT];
    int64_t size = 0;
    cn_id_new(id);
    CN_TRY(cn_part_create(files, id));
    cn_err err = cn_part_append(files, id, 0, jpeg->p, jpeg->n);
    if (err == CN_OK) err = cn_part_sync(files, id);
    if (err == CN_OK) err = cn_part_hash(files, id, sha256, &size);
    if (err == CN_OK) err = cn_part_publish(files, id, sha256, size);
    cn_err removed = cn_part_remove(files, id);
    return err != CN_OK ? err : removed;
}

static cn_err keep(figure_job *job, json_t **out)
{
    char sha256[65];
    const cn_figure_place *place = &job->place;
    CN_AUTO_JSON json_t *where = json_pack(
        "{s:f, s:f, s:f, s:f, s:f, s:b, s:I, s:i, s:i, s:f}", "cx", place->cx, "cy", place->cy, "w", place->w, "h",
        place->h, "rotation", place->rotation, "mirror", (int)place->mirror, "z", (json_int_t)place->z, "width",
        (int)job->plan.out_width, "height", (int)job->plan.out_height, "mpp", job->mpp / job->plan.scale);
    if (!where) return CN_ERR_NOMEM;
    CN_TRY(keep_object(consult(job->http)->files, &job->jpeg, sha256));
    const cn_figure_new figure = {.file = job->file, .sha256 = sha256, .place = where};
    return cn_figure_add(consult(job->http), cn_http_actor(job->http), cn_http_param(job->http, "id"), &figure, out,
                         cn_http_problem(job->http));
}

static cn_err make(cn_http *http)
{
    json_t *out = NULL;
    figure_job job = {.http = http};
    CN_TRY(prepare(&job));
    cn_err err = draw(&job);
    if (err == CN_OK) err = keep(&job, &out);
    cn_buf_free(&job.jpeg);
    return err == CN_OK ? cn_http_json(http, 201, out) : err;
}

/* Never changes, and names no patient. */
static cn_err show(cn_http *http)
{
    char sha256[65], path[1024];
    char *bytes = NULL;
    size_t n = 0;
    CN_TRY(cn_figure_object(consult(http), cn_http_actor(http), cn_http_param(http, "id"),
                            cn_http_param(http, "figure"), sha256));
    cn_http_set(http, "Cache-Control", "private, no-cache");
    if (cn_http_not_modified(http, sha256)) return CN_OK;
    CN_TRY(cn_files_path(consult(http)->files, sha256, path, sizeof(path)));
    CN_TRY(cn_file_read(path, (size_t)16 << 20, &bytes, &n));
    return cn_http_bytes(http, 200, "image/jpeg", bytes, n, free, bytes);
}

const cn_route cn_figure_routes[] = {
    {CN_POST, "/api/v1/requests/{id}/figures", CN_RIGHT_REPORT_WRITE, make, .body = CN_BODY_JSON, .job = CN_RUN_TILE},
    {CN_GET, "/api/v1/requests/{id}/figures/{figure}", CN_WHO_ANY, show, .body = CN_BODY_NONE, .flags = CN_ROUTE_CACHE},
    {.path = NULL},
};
