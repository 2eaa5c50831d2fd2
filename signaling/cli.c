#include "signaling/cli.h"

#include <openssl/crypto.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rights.h"
#include "base/str.h"
#include "consult/people/manage.h"
#include "consult/people/password.h"
#include "consult/request/patient.h"
#include "consult/room/room.h"
#include "consult/room/token.h"
#include "signaling/app.h"
#include "signaling/demo.h"
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

/* What is said of a new user, read as a form is: one line each, without blanks around it, of a bounded length. */
typedef struct who {
    json_t *said; /* owns the texts */
    const char *name, *hospital, *department, *city, *title, *phone;
} who;

static cn_err read_who(int argc, char **argv, who *out, cn_problem *problem)
{
    static const struct {
        const char *option, *key, *usual;
        size_t min, max, place;
    } lines[] = {
        {"--name", "name", NULL, 1, 40, offsetof(who, name)},
        {"--hospital", "hospital", "", 2, 60, offsetof(who, hospital)},
        {"--department", "department", "综合科", 1, 40, offsetof(who, department)},
        {"--city", "city", "", 0, 40, offsetof(who, city)},
        {"--title", "title", "", 0, 40, offsetof(who, title)},
        {"--phone", "phone", "", 0, 30, offsetof(who, phone)},
    };
    out->said = json_object();
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        const char *text = option(argc, argv, lines[i].option, lines[i].usual ? lines[i].usual : argv[0]);
        if (json_object_set_new(out->said, lines[i].key, json_string(text)))
            return cn_problem_set(problem, CN_ERR_INVALID, lines[i].key, "is not UTF-8");
        const char **place = (const char **)((char *)out + lines[i].place);
        CN_TRY(cn_json_line(out->said, lines[i].key, true, lines[i].min, lines[i].max, place, problem));
    }
    if (*out->phone && !cn_phone_valid(out->phone))
        return cn_problem_field(problem, CN_WRONG_FORMAT, "phone", "must be a telephone number");
    return CN_OK;
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
    who said = {0};
    if (argc < 1 || argv[0][0] == '-') return usage("user add wants a username");
    if (!option(argc, argv, "--hospital", NULL) ||
        !cn_strcpy(roles_text, sizeof roles_text, option(argc, argv, "--role", "")) || !split_roles(roles_text, roles))
        return usage("user add wants --hospital NAME and --role ROLE[,ROLE]");
    bool given = flag(argc, argv, "--password-stdin");
    if (!given)
        cn_password_generate(password);
    else if (!read_password(password, sizeof password))
        return usage("no password on standard input");
    cn_err err = read_who(argc, argv, &said, &problem);
    const cn_user_new user = {.username = argv[0],
                              .password = password,
                              .name = said.name,
                              .title = said.title,
                              .hospital = hospital,
                              .department = department,
                              .phone = said.phone && *said.phone ? said.phone : NULL,
                              .roles = roles};
    /* who is refused leaves no hospital behind */
    if (err == CN_OK) err = cn_user_check(&app->consult, &user, &problem);
    if (err == CN_OK) err = place_of(app, said.hospital, said.city, said.department, hospital, department);
    if (err == CN_OK) err = cn_user_add(&app->consult, &system, &user, id, &problem);
    json_decref(said.said);
    if (err != CN_OK) return failed("user add", err, &problem);
    if (given)
        printf("user %s\n", id);
    else
        printf("user %s password %s\n", id, password); /* shown this once */
    return 0;
}

static int user_list(cn_app *app, int argc, char **argv)
{
    const cn_actor system = cn_actor_system();
    json_t *list = NULL, *user, *role;
    size_t i, j;
    (void)argv;
    if (argc) return usage("user list takes no further arguments");
    cn_err err = cn_user_list(&app->consult, &system, &list);
    if (err != CN_OK) return failed("user list", err, NULL);
    json_array_foreach(json_object_get(list, "items"), i, user)
    {
        const char *name, *username, *hospital, *department;
        int active = 0;
        json_int_t locked = 0;
        if (json_unpack(user, "{s:s, s:s, s:s, s:s, s:b, s:I}", "username", &username, "name", &name, "hospital",
                        &hospital, "department", &department, "active", &active, "locked_ms", &locked))
            continue;
        printf("%-16s %s  %s · %s ", username, name, hospital, department);
        json_array_foreach(json_object_get(user, "roles"), j, role) printf(" %s", json_string_value(role));
        printf("%s%s\n", active ? "" : "  disabled", locked > 0 ? "  locked" : "");
    }
    json_decref(list);
    return 0;
}

/* What is done to the account of that name, without further arguments, and is said then. */
static int to_user(cn_app *app, int argc, char **argv, const char *what,
                   cn_err (*act)(cn_consult *consult, const cn_actor *actor, const char *user), const char *done)
{
    char id[CN_ID_TEXT];
    const cn_actor system = cn_actor_system();
    if (argc != 1 || argv[0][0] == '-') return usage("a username is wanted, and nothing else");
    cn_err err = cn_user_find(&app->consult, argv[0], id);
    if (err == CN_OK) err = act(&app->consult, &system, id);
    if (err != CN_OK) return failed(what, err, NULL);
    printf("user %s %s: %s\n", id, done, argv[0]);
    return 0;
}

static int user_unlock(cn_app *app, int argc, char **argv)
{
    return to_user(app, argc, argv, "user unlock", cn_user_unlock, "unlocked");
}

static cn_err enable(cn_consult *consult, const cn_actor *actor, const char *user)
{
    return cn_user_enable(consult, actor, user, true, NULL);
}

static cn_err disable(cn_consult *consult, const cn_actor *actor, const char *user)
{
    return cn_user_enable(consult, actor, user, false, NULL);
}

static int user_logout(cn_app *app, int argc, char **argv)
{
    return to_user(app, argc, argv, "user logout", cn_user_logout, "logged out everywhere");
}

static int user_enable(cn_app *app, int argc, char **argv)
{
    return to_user(app, argc, argv, "user enable", enable, "enabled");
}

static int user_disable(cn_app *app, int argc, char **argv)
{
    char id[CN_ID_TEXT];
    int64_t left = 0;
    int rc = to_user(app, argc, argv, "user disable", disable, "disabled, and logged out everywhere");
    if (rc == 0 && cn_user_find(&app->consult, argv[0], id) == CN_OK &&
        cn_user_consultations(&app->consult, id, &left) == CN_OK && left > 0)
        printf("still an expert of %lld consultation%s not over: the centre finds %s among what waits for it\n",
               (long long)left, left == 1 ? " that is" : "s that are", left == 1 ? "it" : "them");
    return rc;
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
    if (err == CN_OK && given)
        printf("user %s has the new password: %s is unlocked, the account's logins have ended\n", id, argv[0]);
    else if (err == CN_OK)
        printf("user %s password %s\n", id, password); /* shown this once */
    OPENSSL_cleanse(password, sizeof password);
    return err == CN_OK ? 0 : failed("user password", err, &problem);
}

static int room_token(cn_app *app, int argc, char **argv)
{
    char token[CN_ROOM_TOKEN], room[64];
    const cn_actor system = cn_actor_system();
    cn_problem problem = {.err = CN_OK};
    bool publish = flag(argc, argv, "--publish"), view = flag(argc, argv, "--view");
    int64_t days = TOKEN_DAYS, sessions = 0;
    if (argc < 1 || argv[0][0] == '-' || publish == view) return usage("room token wants ROOM and --publish or --view");
    if (!cn_parse_i64(option(argc, argv, "--days", "30"), 1, 366, &days)) return usage("--days wants 1 to 366");
    if (!cn_parse_i64(option(argc, argv, "--sessions", publish ? "4" : "20"), 1, CN_ROOM_TOKEN_SESSIONS, &sessions))
        return usage("--sessions wants 1 to 1000");
    const cn_room_token_what what = {.publish = publish, .lives_ms = days * 86400000, .sessions = sessions};
    cn_err err = cn_room_find(&app->consult, argv[0], room, &problem);
    if (err == CN_ERR_NOTFOUND) {
        err = cn_strcpy(room, sizeof room, argv[0]) ? cn_room_make(&app->consult, &system, room) : CN_ERR_INVALID;
        if (err == CN_OK) fprintf(stderr, "consilium: the room %s is new\n", room);
    }
    if (err == CN_OK) err = cn_room_token_new(&app->consult, &system, room, &what, token);
    if (err != CN_OK) return failed("room token", err, &problem);
    printf("%s\n", token);
    return 0;
}

static int room_tokens(cn_app *app, int argc, char **argv)
{
    const cn_actor system = cn_actor_system();
    json_t *list = NULL, *item;
    cn_problem problem = {.err = CN_OK};
    char room[64];
    size_t i;
    if (argc != 1 || argv[0][0] == '-') return usage("room tokens wants ROOM");
    cn_err err = cn_room_find(&app->consult, argv[0], room, &problem);
    if (err == CN_OK) err = cn_room_token_list(&app->consult, &system, room, &list);
    if (err != CN_OK) return failed("room tokens", err, &problem);
    json_array_foreach(json_object_get(list, "items"), i, item)
    {
        char until[CN_TIME_TEXT];
        cn_time_format(json_integer_value(json_object_get(item, "expires")), until);
        printf("%s %s sessions %lld until %s\n", json_string_value(json_object_get(item, "id")),
               json_is_true(json_object_get(item, "publish")) ? "publish" : "view",
               (long long)json_integer_value(json_object_get(item, "sessions")), until);
    }
    json_decref(list);
    return 0;
}

static int room_revoke(cn_app *app, int argc, char **argv)
{
    const cn_actor system = cn_actor_system();
    const char *id = option(argc, argv, "--token", NULL);
    cn_problem problem = {.err = CN_OK};
    char room[64];
    if (argc < 1 || argv[0][0] == '-' || !(id || flag(argc, argv, "--all")))
        return usage("room revoke wants ROOM and --token ID (of room tokens) or --all");
    cn_err err = cn_room_find(&app->consult, argv[0], room, &problem);
    if (err == CN_OK) err = cn_room_token_revoke(&app->consult, &system, room, id);
    return err == CN_OK ? 0 : failed("room revoke", err, &problem);
}

static int verify(cn_app *app, int argc, char **argv)
{
    bool ledger = argc >= 1 && strcmp(argv[0], "ledger") == 0, audit = argc >= 1 && strcmp(argv[0], "audit") == 0;
    bool adopt = flag(argc, argv, "--adopt"), empty = true;
    cn_chain_log log = ledger ? CN_CHAIN_LEDGER : CN_CHAIN_AUDIT;
    cn_chain_proof proof = cn_app_proof(app);
    int64_t rows = 0;
    if (!ledger && !audit) return usage("verify wants \"ledger\" or \"audit\"");
    if (!cn_parse_i64(option(argc, argv, "--uncovered", "0"), 0, INT64_MAX, &proof.uncovered))
        return usage("--uncovered wants a number of rows");
    cn_err err = adopt ? cn_chain_adopt(log, app->db, app->vault, &proof, INT64_MAX, &rows) : CN_OK;
    if (adopt && err == CN_OK) printf("%s: %lld rows got a head\n", argv[0], (long long)rows);
    if (err == CN_OK) err = cn_chain_verify(log, app->db, app->vault, &proof, stdout);
    if (err == CN_OK && audit) err = cn_accounts_unlogged(&app->consult, &empty);
    if (err == CN_OK && audit && empty) {
        printf("audit: there are users, and not one row: the log was emptied\n");
        err = CN_ERR_CORRUPT;
    }
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

static int demo_init(cn_app *app, int argc, char **argv)
{
    const char *slide = argc == 2 && strcmp(argv[0], "--slide") == 0 ? argv[1] : NULL;
    if (argc && !slide) return usage("demo init takes --slide FILE or nothing");
    cn_err err = cn_app_demo(app, slide, stdout);
    if (err == CN_ERR_CONFLICT)
        return fprintf(stderr, "consilium: there are users already: no demo data was made\n"), 1;
    return err == CN_OK ? 0 : failed("demo init", err, NULL);
}

static const cli_command commands[] = {
    {"serve", "", "serve until SIGTERM", serve, 0},
    {"user add",
     "USERNAME --role ROLE[,ROLE] --hospital NAME [--department NAME] [--name NAME] [--title T] [--city C] [--phone P] "
     "[--password-stdin]",
     "add a user of 6 to 32 letters and digits; without --password-stdin a password is made and printed once; hospital "
     "and department are made when they are new",
     user_add, 0},
    {"user list", "", "everybody: username, name, hospital, department, roles, and who is locked or disabled",
     user_list, 0},
    {"user password", "USERNAME [--password-stdin]",
     "give a user a new password, unlock the account and end its logins; without --password-stdin it is made and "
     "printed once",
     user_password, 0},
    {"user unlock", "USERNAME", "forget the wrong passwords that locked an account", user_unlock, 0},
    {"user logout", "USERNAME", "end every login of a user, also in rooms", user_logout, 0},
    {"user disable", "USERNAME", "nobody can log in with the account any more; its logins end", user_disable, 0},
    {"user enable", "USERNAME", "the account can be used again", user_enable, 0},
    {"room token", "ROOM --publish|--view [--days N] [--sessions N]",
     "print a bearer token for WHIP or WHEP, for so many at once (4 to publish, 20 to view); ROOM is a consultation's "
     "number, a room's id, or "
     "a word for a room of its own, which is made if need be",
     room_token, 0},
    {"room tokens", "ROOM", "list the tokens of a room by their ids", room_tokens, 0},
    {"room revoke", "ROOM --token ID|--all", "end tokens of a room; whoever uses them leaves within 5 s", room_revoke,
     0},
    {"verify", "ledger|audit [--uncovered N] [--adopt]",
     "check an append-only log against its links and both files of heads; N rows without a head are taken (a restored "
     "copy); --adopt gives heads to rows behind the last one",
     verify, 0},
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
    const char *user = cn_config_str(config, "server", "user");
    err = *user ? cn_rights_drop(user) : CN_OK;
    if (err == CN_OK && !(cmd->flags & OPEN_NOTHING)) err = cn_app_open(&app, config);
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
