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

static bool config_write(const host *machine, const host_shape *shape, const char *path)
{
    FILE *file = fopen(path, "we");
    if (!file) return false;
    fprintf(file,
            "[server]\nlisten = 127.0.0.1\nport = 0\nmanagement_port = 0\nport_file = %s/ports.json\nweb_root = "
            "%s/web\nidle_minutes = 600\nlog_level = warn\n",
            machine->folder, machine->folder);
    fprintf(file,
            "[database]\nurl = sqlite:%s/consilium.db\n[files]\nroot = %s/files\n[keys]\nmaster = %s/master.key\n",
            machine->folder, machine->folder, machine->folder);
    fprintf(file,
            "[audit]\nheads = %s/heads.log\n[media]\nlisten = 127.0.0.1\nport = 0\nworkers = %u\nroom_video_max = "
            "%u\nroom_voice_max = %u\n",
            machine->folder, shape->workers, shape->video_max, shape->voice_max);
    return fclose(file) == 0;
}

static bool ports_read(host *machine)
{
    char path[96];
    (void)cn_fmt(path, sizeof path, "%s/ports.json", machine->folder);
    uint64_t until = cn_mono_ms() + START_MS;
    while (cn_mono_ms() < until) {
        json_t *ports = json_load_file(path, 0, NULL);
        machine->port = (uint16_t)json_integer_value(json_object_get(ports, "port"));
        machine->management = (uint16_t)json_integer_value(json_object_get(ports, "management_port"));
        json_decref(ports);
        if (machine->port) return true;
        (void)usleep(50000);
    }
    fprintf(stderr, "load: the server is not ready after %d s; its log is in %s\n", START_MS / 1000, machine->folder);
    return false;
}

static bool people_and_rooms(host *machine, const host_shape *shape, const char *config)
{
    char out[512];
    const char *key[] = {shape->program, "key", "create", "--config", config, NULL};
    const char *user[] = {shape->program, "user",          "add",      USER,   "--hospital", "Test hospital",
                          "--role",       "consult_admin", "--config", config, NULL};
    if (!proc_run(key, out, sizeof out) || !proc_run(user, out, sizeof out)) return false;
    (void)cn_strcpy(machine->user, sizeof machine->user, USER);
    if (sscanf(out, "user %*s password %127s", machine->password) != 1) return false;
    for (machine->rooms = 0; machine->rooms < shape->rooms; machine->rooms++) {
        char room[32];
        (void)cn_fmt(room, sizeof room, "load-%u", machine->rooms);
        const char *make[] = {shape->program, "room", "token", room, "--view", "--config", config, NULL};
        if (!proc_run(make, out, sizeof out)) return false;
    }
    return true;
}

bool host_start(host *machine, const host_shape *shape)
{
    char config[96], log[96], web[96];
    *machine = (host){.folder = "/tmp/consilium-load-XXXXXX"};
    if (!mkdtemp(machine->folder)) return false;
    (void)cn_fmt(config, sizeof config, "%s/consilium.ini", machine->folder);
    (void)cn_fmt(log, sizeof log, "%s/log", machine->folder);
    (void)cn_fmt(web, sizeof web, "%s/web", machine->folder);
    const char *serve[] = {shape->program, "serve", "--config", config, NULL};
    bool ok = mkdir(web, 0700) == 0 && config_write(machine, shape, config) && people_and_rooms(machine, shape, config);
    if (ok) machine->pid = proc_start(serve, log, shape->cpu);
    ok = ok && machine->pid > 0 && ports_read(machine);
    if (!ok) {
        fprintf(stderr, "load: %s cannot be started\n", shape->program);
        host_stop(machine, true);
    }
    return ok;
}

void host_stop(host *machine, bool keep)
{
    proc_end(machine->pid, 10000);
    machine->pid = 0;
    if (!keep) proc_folder_remove(machine->folder);
}
