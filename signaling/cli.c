#include "signaling/cli.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/child.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "consult/demo/demo.h"
#include "consult/people/manage.h"
#include "consult/people/password.h"
#include "consult/room/room.h"
#include "consult/room/token.h"
#include "signaling/app.h"
#include "storage/vault/master.h"

#define TOKEN_DAYS 30
#define ROLES_MAX 8

enum { OPEN_NOTHING = 1 }; /* the command does not want the storage opened */

typedef struct cli_command {
    const char *name; /* one or two words */
    const char *arguments, *what;
    int (*run)(cn_app *app, int argc, char **argv); /* what follows the name; "--config FILE" is taken out */
    unsigned flags;
} cli_command;

static int failed(const char *what, cn_err err, const cn_problem *problem)
{
    const char *detail = problem && problem->err == err && *problem->detail ? problem->detail : cn_err_text(err);
    fprintf(stderr, "consilium: %s: %s%s%s\n", what,
            problem && problem->err == err && *problem->field ? problem->field : "",
            problem && problem->err == err && *problem->field ? ": " : "", detail);
    return 1;
}

static int usage(const char *what)
{
    fprintf(stderr, "consilium: %s (see consilium --help)\n", what);
    return 2;
}

/* Value of "--name VALUE"; `or_else` when absent. */
static const char *option(int argc, char **argv, const char *name, const char *or_else)
{
    for (int i = 0; i + 1 < argc; i++)
        if (strcmp(argv[i], name) == 0) return argv[i + 1];
    return or_else;
}

static bool flag(int argc, char **argv, const char *name)
{
    for (int i = 0; i < argc; i++)
        if (strcmp(argv[i], name) == 0) return true;
    return false;
}

static int serve(cn_app *app, int argc, char **argv)
{
    (void)argv;
    if (argc) return usage("serve takes no further arguments");
    cn_err err = cn_app_serve(app);
    return err == CN_OK ? 0 : failed("serve", err, NULL);
}

/* First line of standard input, without its end. */
static bool read_password(char *out, size_t size)
{
    if (!fgets(out, (int)size, stdin)) return false;
    out[strcspn(out, "\r\n")] = '\0';
    return *out != '\0';
}

/* "referrer,expert" in place; false when there are too many. */
static bool split_roles(char *text, const char *roles[ROLES_MAX + 1])
{
    size_t n = 0;
    for (char *at = text; at && *at;) {
        char *comma = strchr(at, ',');
        if (n == ROLES_MAX) return false;
        roles[n++] = at;
        if (comma) *comma++ = '\0';
        at = comma;
    }
    roles[n] = NULL;
    return n > 0;
}

/* Hospital and department by name; made when they are not there. */
static cn_err place_of(cn_app *app, const char *hospital_name, const char *city, const char *department_name,
                       char hospital[CN_ID_TEXT], char department[CN_ID_TEXT])
{
    const cn_actor system = cn_actor_system();
    CN_TRY(cn_hospital_find(&app->consult, hospital_name, hospital));
    if (!*hospital) CN_TRY(cn_hospital_add(&app->consult, &system, hospital_name, city, hospital));
    CN_TRY(cn_department_find(&app->consult, hospital, department_name, department));
    if (*department) return CN_OK;
    return cn_department_add(&app->consult, &system, hospital, department_name, department_name, department);
}

static int user_add(cn_app *app, int argc, char **argv)
{
    char password[256], roles_text[256], hospital[CN_ID_TEXT], department[CN_ID_TEXT], id[CN_ID_TEXT];
    const char *roles[ROLES_MAX + 1];
    const cn_actor system = cn_actor_system();
    cn_problem problem = {.err = CN_OK};
    if (argc < 1 || argv[0][0] == '-') return usage("user add wants a username");
    const char *name = option(argc, argv, "--name", argv[0]), *hospital_name = option(argc, argv, "--hospital", NULL);
    const char *department_name = option(argc, argv, "--department", "General");
    if (!hospital_name || !cn_strcpy(roles_text, sizeof roles_text, option(argc, argv, "--role", "")) ||
        !split_roles(roles_text, roles))
        return usage("user add wants --hospital NAME and --role ROLE[,ROLE]");
    bool given = flag(argc, argv, "--password-stdin");
    if (!given)
        cn_password_generate(password);
    else if (!read_password(password, sizeof password))
        return usage("no password on standard input");
    cn_err err = place_of(app, hospital_name, option(argc, argv, "--city", ""), department_name, hospital, department);
    const cn_user_new user = {.username = argv[0],
                              .password = password,
                              .name = name,
                              .title = option(argc, argv, "--title", ""),
                              .hospital = hospital,
                              .department = department,
                              .phone = option(argc, argv, "--phone", NULL),
                              .roles = roles};
    if (err == CN_OK) err = cn_user_add(&app->consult, &system, &user, id, &problem);
    if (err != CN_OK) return failed("user add", err, &problem);
    if (given)
        printf("user %s\n", id);
    else
        printf("user %s password %s\n", id, password); /* shown this once */
    return 0;
}

static int user_unlock(cn_app *app, int argc, char **argv)
{
    char id[CN_ID_TEXT];
    const cn_actor system = cn_actor_system();
    if (argc != 1 || argv[0][0] == '-') return usage("user unlock wants a username");
    cn_err err = cn_user_find(&app->consult, argv[0], id);
    if (err == CN_OK) err = cn_user_unlock(&app->consult, &system, id);
    return err == CN_OK ? 0 : failed("user unlock", err, NULL);
}

static int user_password(cn_app *app, int argc, char **argv)
{
    char password[256], id[CN_ID_TEXT];
    const cn_actor system = cn_actor_system();
    cn_problem problem = {.err = CN_OK};
    bool given = flag(argc, argv, "--password-stdin");
    if (argc < 1 || argv[0][0] == '-') return usage("user password wants a username");
    if (!given)
        cn_password_generate(password);
    else if (!read_password(password, sizeof password))
        return usage("no password on standard input");
    cn_err err = cn_user_find(&app->consult, argv[0], id);
    if (err == CN_OK) err = cn_user_password(&app->consult, &system, id, password, &problem);
    if (err == CN_OK && !given) printf("user %s password %s\n", id, password); /* shown this once */
    OPENSSL_cleanse(password, sizeof password);
    return err == CN_OK ? 0 : failed("user password", err, &problem);
}

static int room_token(cn_app *app, int argc, char **argv)
{
    char token[CN_ROOM_TOKEN];
    const cn_actor system = cn_actor_system();
    bool publish = flag(argc, argv, "--publish"), view = flag(argc, argv, "--view");
    int64_t days = TOKEN_DAYS;
    if (argc < 1 || argv[0][0] == '-' || publish == view) return usage("room token wants ROOM and --publish or --view");
    if (!cn_parse_i64(option(argc, argv, "--days", "30"), 1, 366, &days)) return usage("--days wants 1 to 366");
    cn_err err = cn_room_make(&app->consult, &system, argv[0]);
    if (err == CN_OK) err = cn_room_token_new(&app->consult, &system, argv[0], publish, days * 86400000, token);
    if (err != CN_OK) return failed("room token", err, NULL);
    printf("%s\n", token);
    return 0;
}

static int verify(cn_app *app, int argc, char **argv)
{
    bool ledger = argc == 1 && strcmp(argv[0], "ledger") == 0, audit = argc == 1 && strcmp(argv[0], "audit") == 0;
    if (!ledger && !audit) return usage("verify wants \"ledger\" or \"audit\"");
    cn_err err = cn_chain_verify(ledger ? CN_CHAIN_LEDGER : CN_CHAIN_AUDIT, app->db, app->vault,
                                 cn_config_str(app->config, "audit", "heads"), stdout);
    return err == CN_OK ? 0 : failed("verify", err, NULL);
}

static int key_create(cn_app *app, int argc, char **argv)
{
    (void)argv;
    if (argc) return usage("key create takes no further arguments");
    const char *path = cn_config_str(app->config, "keys", "master");
    cn_err err = cn_master_key_create(path);
    if (err == CN_ERR_CONFLICT) fprintf(stderr, "consilium: %s is there already\n", path);
    return err == CN_OK ? 0 : err == CN_ERR_CONFLICT ? 1 : failed(path, err, NULL);
}

/* A connection string may hold a password: it is read from standard input, not from the command line. */
static int key_seal(cn_app *app, int argc, char **argv)
{
    char url[2048];
    CN_AUTO_FREE char *sealed = NULL;
    (void)argv;
    if (argc) return usage("key seal takes no further arguments");
    if (!read_password(url, sizeof url)) return usage("no connection string on standard input");
    cn_err err = cn_master_key_seal_url(cn_config_str(app->config, "keys", "master"), url, &sealed);
    OPENSSL_cleanse(url, sizeof url);
    if (err != CN_OK) return failed("key seal", err, NULL);
    printf("%s\n", sealed);
    return 0;
}

static int key_rotate(cn_app *app, int argc, char **argv)
{
    (void)argv;
    if (argc) return usage("key rotate takes no further arguments");
    cn_err err = cn_master_key_rotate(app->db, cn_config_str(app->config, "keys", "master"));
    return err == CN_OK ? 0 : failed("key rotate", err, NULL);
}

static int key_add(cn_app *app, int argc, char **argv)
{
    (void)argv;
    if (argc) return usage("key add takes no further arguments");
    cn_err err = cn_vault_add_key(app->db, cn_config_str(app->config, "keys", "master"));
    return err == CN_OK ? 0 : failed("key add", err, NULL);
}

/* The slide is drawn by a program of its own; the file is the store's afterwards. */
static cn_err draw_slide(char *path, size_t size)
{
    char dir[1024], program[1200];
    int status = -1;
    const cn_child_limits limits = {.wall_seconds = 300};
    CN_TRY(cn_program_dir(dir, sizeof dir));
    if (!cn_fmt(program, sizeof program, "%s/consilium-demo-slide", dir)) return CN_ERR_TOOBIG;
    if (!cn_strcpy(path, size, "/tmp/consilium-demo-XXXXXX")) return CN_ERR_TOOBIG;
    int fd = mkstemp(path);
    if (fd < 0) return CN_ERR_IO;
    close(fd);
    const char *const arguments[] = {program, path, NULL};
    cn_err err = cn_child_run(arguments, &limits, &status);
    return err != CN_OK ? err : status == 0 ? CN_OK : CN_ERR_CRASHED;
}

static int demo_init(cn_app *app, int argc, char **argv)
{
    char drawn[64] = "";
    const char *slide = argc == 2 && strcmp(argv[0], "--slide") == 0 ? argv[1] : NULL;
    if (argc && !slide) return usage("demo init takes --slide FILE or nothing");
    cn_err err = slide ? CN_OK : draw_slide(drawn, sizeof drawn);
    if (err == CN_OK) err = cn_demo_init(&app->consult, slide ? slide : drawn, stdout);
    if (*drawn) unlink(drawn);
    if (err == CN_ERR_CONFLICT)
        return fprintf(stderr, "consilium: there are users already: no demo data was made\n"), 1;
    return err == CN_OK ? 0 : failed("demo init", err, NULL);
}

static const cli_command commands[] = {
    {"serve", "", "serve until SIGTERM", serve, 0},
    {"user add",
     "USERNAME --role ROLE[,ROLE] --hospital NAME [--department NAME] [--name NAME] [--title T] [--city C] [--phone P] "
     "[--password-stdin]",
     "add a user; without --password-stdin a password is made and printed once", user_add, 0},
    {"user password", "USERNAME [--password-stdin]",
     "give a user a new password, unlock the account and end its logins; without --password-stdin it is made and "
     "printed once",
     user_password, 0},
    {"user unlock", "USERNAME", "forget the wrong passwords that locked an account", user_unlock, 0},
    {"room token", "ROOM --publish|--view [--days N]",
     "print a bearer token for WHIP or WHEP; makes the room if need be", room_token, 0},
    {"verify", "ledger|audit", "check an append-only log against its links and the file of heads", verify, 0},
    {"demo init", "[--slide FILE]",
     "make demo users, requests and documents in an empty database; draws a slide unless one is given", demo_init, 0},
    {"key create", "", "make the master key file", key_create, OPEN_NOTHING},
    {"key seal", "", "read the database's connection string, print it sealed for the configuration file", key_seal,
     OPEN_NOTHING},
    {"key rotate", "", "put a new master key in place of the present one; seal the connection string anew afterwards",
     key_rotate, 0},
    {"key add", "", "make another data key, which seals from the next start on; what is sealed already stays readable",
     key_add, 0},
};

#define COMMANDS (sizeof commands / sizeof *commands)

void cn_cli_help(FILE *to)
{
    fprintf(to, "Consilium %s: remote consultation server\n\nusage: consilium COMMAND [ARGUMENTS] [--config FILE]\n\n",
            CN_VERSION);
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(to, "  %s%s%s\n      %s\n", commands[i].name, *commands[i].arguments ? " " : "", commands[i].arguments,
                commands[i].what);
    fprintf(
        to,
        "  --help-config\n      print every key of the configuration with its default\n  --help, --version\n"
        "\nWithout --config the configuration is consilium.ini in the working folder, or else var/consilium.ini.\n");
}

/* How many words of argv a command's name takes; 0: it is another one. */
static int name_words(const cli_command *cmd, int argc, char **argv)
{
    const char *space = strchr(cmd->name, ' ');
    size_t first = space ? (size_t)(space - cmd->name) : strlen(cmd->name);
    if (argc < 1 || strlen(argv[0]) != first || strncmp(argv[0], cmd->name, first) != 0) return 0;
    if (!space) return 1;
    return argc >= 2 && strcmp(argv[1], space + 1) == 0 ? 2 : 0;
}

/* Where the configuration is when nobody says: where operators put it, and where ./run does. */
static const char *const usual_configs[] = {"consilium.ini", "var/consilium.ini"};

#define USUAL_CONFIGS (sizeof usual_configs / sizeof *usual_configs)

/* Takes "--config FILE" or "--config=FILE" out of the arguments. False when the file is missing after it. */
static bool take_config(int *argc, char **argv, const char **path)
{
    static const char name[] = "--config";
    const size_t length = sizeof name - 1;
    int kept = 0;
    *path = NULL;
    for (int i = 0; i < *argc; i++) {
        if (strcmp(argv[i], name) == 0) {
            if (i + 1 == *argc) return false;
            *path = argv[++i];
        } else if (strncmp(argv[i], name, length) == 0 && argv[i][length] == '=') {
            *path = argv[i] + length + 1;
        } else {
            argv[kept++] = argv[i];
        }
    }
    *argc = kept;
    return !*path || **path;
}

/* The first of the usual places that has one, and says so: two instances may lie side by side. NULL: none has. */
static const char *find_config(void)
{
    for (size_t i = 0; i < USUAL_CONFIGS; i++) {
        if (access(usual_configs[i], F_OK) != 0) continue;
        fprintf(stderr, "consilium: the configuration is %s\n", usual_configs[i]);
        return usual_configs[i];
    }
    fprintf(stderr, "consilium: there is no %s and no %s in this folder: name the configuration with --config FILE\n",
            usual_configs[0], usual_configs[1]);
    return NULL;
}

static int run(const cli_command *cmd, const char *config_path, int argc, char **argv)
{
    if (!config_path) config_path = find_config();
    if (!config_path) return 1;
    cn_config *config = NULL;
    cn_problem problem = {.err = CN_OK};
    cn_app app = {.config = NULL};
    cn_log_level level = CN_LOG_INFO;
    cn_err err = cn_config_load(&config, config_path, &problem);
    if (err != CN_OK) return failed(config_path, err, &problem);
    if (cn_log_level_parse(cn_config_str(config, "server", "log_level"), &level) == 0) cn_log_set_level(level);
    app.config = config;
    if (!(cmd->flags & OPEN_NOTHING)) err = cn_app_open(&app, config);
    int status = err == CN_OK ? cmd->run(&app, argc, argv) : failed("cannot start", err, NULL);
    if (!(cmd->flags & OPEN_NOTHING) && err == CN_OK) cn_app_close(&app);
    cn_config_free(config);
    return status;
}

int cn_cli_run(int argc, char **argv)
{
    argc--;
    argv++;
    if (argc == 1 && strcmp(argv[0], "--version") == 0) return printf("consilium %s\n", CN_VERSION) < 0;
    if (argc == 1 && strcmp(argv[0], "--help-config") == 0) return cn_config_print_reference(stdout), 0;
    if (argc == 1 && strcmp(argv[0], "--help") == 0) return cn_cli_help(stdout), 0;
    const char *config = NULL;
    if (!take_config(&argc, argv, &config)) return usage("--config wants a file");
    for (size_t i = 0; i < COMMANDS; i++) {
        int words = name_words(&commands[i], argc, argv);
        if (words) return run(&commands[i], config, argc - words, argv + words);
    }
    cn_cli_help(stderr);
    return 2;
}
