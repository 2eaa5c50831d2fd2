#include "host.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "proc.h"

#define USER "loadtest"
#define START_MS 30000

static bool config_write(const host *h, const host_shape *s, const char *path)
{
    FILE *f = fopen(path, "we");
    if (!f) return false;
    fprintf(f,
            "[server]\nlisten = 127.0.0.1\nport = 0\nmanagement_port = 0\nport_file = %s/ports.json\nweb_root = "
            "%s/web\nidle_minutes = 600\nlog_level = warn\n",
            h->folder, h->folder);
    fprintf(f, "[database]\nurl = sqlite:%s/consilium.db\n[files]\nroot = %s/files\n[keys]\nmaster = %s/master.key\n",
            h->folder, h->folder, h->folder);
    fprintf(f,
            "[audit]\nheads = %s/heads.log\n[media]\nlisten = 127.0.0.1\nport = 0\nworkers = %u\nroom_video_max = "
            "%u\nroom_voice_max = %u\n",
            h->folder, s->workers, s->video_max, s->voice_max);
    return fclose(f) == 0;
}

static bool ports_read(host *h)
{
    char path[96];
    (void)cn_fmt(path, sizeof path, "%s/ports.json", h->folder);
    uint64_t until = cn_mono_ms() + START_MS;
    while (cn_mono_ms() < until) {
        json_t *ports = json_load_file(path, 0, NULL);
        h->port = (uint16_t)json_integer_value(json_object_get(ports, "port"));
        h->management = (uint16_t)json_integer_value(json_object_get(ports, "management_port"));
        json_decref(ports);
        if (h->port) return true;
        (void)usleep(50000);
    }
    fprintf(stderr, "load: the server is not ready after %d s; its log is in %s\n", START_MS / 1000, h->folder);
    return false;
}

static bool people_and_rooms(host *h, const host_shape *s, const char *config)
{
    char out[512];
    const char *key[] = {s->program, "key", "create", "--config", config, NULL};
    const char *user[] = {s->program, "user",          "add",      USER,   "--hospital", "Test hospital",
                          "--role",   "consult_admin", "--config", config, NULL};
    if (!proc_run(key, out, sizeof out) || !proc_run(user, out, sizeof out)) return false;
    (void)cn_strcpy(h->user, sizeof h->user, USER);
    if (sscanf(out, "user %*s password %127s", h->password) != 1) return false;
    for (h->rooms = 0; h->rooms < s->rooms; h->rooms++) {
        char room[32];
        (void)cn_fmt(room, sizeof room, "load-%u", h->rooms);
        const char *make[] = {s->program, "room", "token", room, "--view", "--config", config, NULL};
        if (!proc_run(make, out, sizeof out)) return false;
    }
    return true;
}

bool host_start(host *h, const host_shape *s)
{
    char config[96], log[96], web[96];
    *h = (host){.folder = "/tmp/consilium-load-XXXXXX"};
    if (!mkdtemp(h->folder)) return false;
    (void)cn_fmt(config, sizeof config, "%s/consilium.ini", h->folder);
    (void)cn_fmt(log, sizeof log, "%s/log", h->folder);
    (void)cn_fmt(web, sizeof web, "%s/web", h->folder);
    const char *serve[] = {s->program, "serve", "--config", config, NULL};
    bool ok = mkdir(web, 0700) == 0 && config_write(h, s, config) && people_and_rooms(h, s, config);
    if (ok) h->pid = proc_start(serve, log, s->cpu);
    ok = ok && h->pid > 0 && ports_read(h);
    if (!ok) {
        fprintf(stderr, "load: %s cannot be started\n", s->program);
        host_stop(h, true);
    }
    return ok;
}

void host_stop(host *h, bool keep)
{
    proc_end(h->pid, 10000);
    h->pid = 0;
    if (!keep) proc_folder_remove(h->folder);
}
