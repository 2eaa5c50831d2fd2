/* What supervisors ask: alive, ready. */
#include <string.h>

#include "base/child.h"
#include "base/str.h"
#include "signaling/app.h"
#include "signaling/api/api.h"

static cn_err healthz(cn_http *http)
{
    return cn_http_text(http, 200, "text/plain; charset=utf-8", "ok\n", 3);
}

/* Where the kernel cannot confine them: not a reason to be taken out of service, but one to be told. */
static json_t *helpers(void)
{
    const char *missing = cn_child_missing();
    if (!*missing) return json_string("ok");
    return json_sprintf("not confined, the kernel has no %s: uploaded files are %s", missing,
                        cn_child_permitted() ? "read all the same" : "not read");
}

static json_t *dicom(const cn_app *app)
{
    cn_dicom_net_stats stats;
    if (!app->dicom_net) return json_string("off");
    cn_dicom_net_look(app->dicom_net, &stats);
    return json_string(stats.listening ? "ok" : "the listener does not run and is being started again");
}

/* That this handler runs at all shows that the line of jobs moves. */
static cn_err readyz(cn_http *http)
{
    const cn_app *app = cn_http_app(http);
    const struct {
        const char *name;
        cn_err err;
    } parts[] = {{"database", cn_db_ping(app->db)}, {"files", cn_files_ping(app->files)}};
    bool ready = true;
    json_t *object = json_object(), *components = json_object();
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (parts[i].err != CN_OK) ready = false;
        json_object_set_new(components, parts[i].name,
                            json_string(parts[i].err == CN_OK ? "ok" : cn_err_text(parts[i].err)));
    }
    json_object_set_new(components, "jobs", json_string("ok"));
    json_object_set_new(components, "helpers", helpers());
    json_object_set_new(components, "dicom", dicom(app));
    json_object_set_new(object, "ready", json_boolean(ready));
    json_object_set_new(object, "components", components);
    return cn_http_json(http, ready ? 200 : 503, object);
}

const cn_route cn_health_routes[] = {
    {CN_GET, "/healthz", CN_WHO_PUBLIC, healthz, .body = CN_BODY_NONE, .job = CN_RUN_DOOR},
    {CN_GET, "/readyz", CN_WHO_PUBLIC, readyz, .body = CN_BODY_NONE},
    {.path = NULL},
};
