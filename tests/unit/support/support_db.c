#include "support_db.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BIN "/usr/lib/postgresql/15/bin"
#define URLS 256

static char dir[64];
static char pg_dir[96];
static pid_t pg_pid;
static pid_t owner; /* forked children inherit the exit handler, but must not clean up */
static char *urls[URLS];
static unsigned n_urls;

static void die(const char *what)
{
    fprintf(stderr, "support_db: %s: %s\n", what, strerror(errno));
    exit(99);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static void wait_for(pid_t pid)
{
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
}

static void clean_up(void)
{
    if (getpid() != owner) return;
    if (pg_pid > 0) support_pg_kill(SIGINT);
    nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    for (unsigned i = 0; i < n_urls; i++) free(urls[i]);
}

const char *support_dir(void)
{
    if (*dir) return dir;
    snprintf(dir, sizeof dir, "/tmp/cn-test-XXXXXX");
    if (!mkdtemp(dir) || chmod(dir, 0755) < 0) die("temporary folder");
    owner = getpid();
    atexit(clean_up);
    return dir;
}

/* PostgreSQL refuses to run as root. */
static const struct passwd *server_user(void)
{
    if (geteuid() != 0) return NULL;
    const struct passwd *pw = getpwnam("postgres");
    if (!pw) pw = getpwnam("nobody");
    if (!pw) die("neither user postgres nor nobody");
    return pw;
}

static pid_t spawn(const char *const argv[], int die_signal)
{
    const struct passwd *pw = server_user();
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid < 0) die("fork");
    if (pid > 0) return pid;
    char log[128];
    snprintf(log, sizeof log, "%s/log", pg_dir);
    if (pw && (setgroups(0, NULL) < 0 || setgid(pw->pw_gid) < 0 || setuid(pw->pw_uid) < 0)) _exit(98);
    /* after setuid, which clears it */
    prctl(PR_SET_PDEATHSIG, die_signal);
    if (getppid() != parent || chdir(pg_dir) < 0) _exit(98);
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    int null = open("/dev/null", O_RDONLY);
    if (fd < 0 || null < 0 || dup2(null, 0) < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0) _exit(98);
    setenv("LC_ALL", "C.UTF-8", 1);
    execv(argv[0], (char *const *)argv);
    _exit(97);
}

static void show_log(void)
{
    char path[128], text[4096];
    snprintf(path, sizeof path, "%s/log", pg_dir);
    int fd = open(path, O_RDONLY);
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text);
    if (n > 0) fprintf(stderr, "%.*s\n", (int)n, text);
    if (fd >= 0) close(fd);
}

static void server_url(char *out, size_t len, const char *schema)
{
    snprintf(out, len, "host=%s port=5432 dbname=postgres user=consilium options='-c search_path=%s'", pg_dir, schema);
}

static void server_start(void)
{
    const char *const argv[] = {BIN "/postgres",
                                "-D",
                                "data",
                                "-k",
                                pg_dir,
                                "-p",
                                "5432",
                                "-c",
                                "listen_addresses=",
                                "-c",
                                "fsync=on",
                                "-c",
                                "shared_buffers=16MB",
                                "-c",
                                "max_connections=60",
                                "-c",
                                "autovacuum=off",
                                "-c",
                                "jit=off",
                                "-c",
                                "max_wal_size=256MB",
                                "-c",
                                "wal_level=minimal",
                                "-c",
                                "max_wal_senders=0",
                                NULL};
    char url[256];
    pg_pid = spawn(argv, SIGINT);
    server_url(url, sizeof url, "public");
    for (unsigned i = 0; i < 1200; i++) {
        if (PQping(url) == PQPING_OK) return;
        if (waitpid(pg_pid, NULL, WNOHANG) == pg_pid) break;
        nanosleep(&(struct timespec){.tv_nsec = 25 * 1000 * 1000}, NULL);
    }
    show_log();
    die("PostgreSQL does not start");
}

static void server_create(void)
{
    snprintf(pg_dir, sizeof pg_dir, "%s/pg", support_dir());
    const struct passwd *pw = server_user();
    if (mkdir(pg_dir, 0755) < 0 || (pw && chown(pg_dir, pw->pw_uid, pw->pw_gid) < 0)) die(pg_dir);
    const char *const argv[] = {BIN "/initdb",      "-D", "data", "-U", "consilium", "-A", "trust", "-E", "UTF8",
                                "--locale=C.UTF-8", "-N", NULL};
    int status = 0;
    pid_t pid = spawn(argv, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (status != 0) {
        show_log();
        die("initdb (is postgresql-15 installed?)");
    }
    server_start();
}

pid_t support_pg_pid(void)
{
    if (pg_pid == 0) server_create();
    return pg_pid;
}

void support_pg_kill(int sig)
{
    if (pg_pid <= 0) return;
    kill(pg_pid, sig);
    wait_for(pg_pid);
    pg_pid = -1;
}

void support_pg_restart(void)
{
    if (pg_pid > 0) support_pg_kill(SIGINT);
    server_start();
}

static void schema_create(const char *name)
{
    char url[256], sql[128];
    (void)support_pg_pid();
    server_url(url, sizeof url, "public");
    snprintf(sql, sizeof sql, "CREATE SCHEMA %s", name);
    PGconn *conn = PQconnectdb(url);
    PGresult *result = PQexec(conn, sql);
    if (PQresultStatus(result) != PGRES_COMMAND_OK) {
        fprintf(stderr, "support_db: %s\n", PQerrorMessage(conn));
        exit(99);
    }
    PQclear(result);
    PQfinish(conn);
}

const char *support_db_url(cn_db_kind kind)
{
    char url[256], name[32];
    if (n_urls == URLS) die("too many databases");
    snprintf(name, sizeof name, "t%u", n_urls);
    if (kind == CN_DB_SQLITE) {
        snprintf(url, sizeof url, "sqlite:%s/%s.db", support_dir(), name);
    } else {
        schema_create(name);
        server_url(url, sizeof url, name);
    }
    char *copy = strdup(url);
    if (!copy) die("memory");
    return urls[n_urls++] = copy;
}
