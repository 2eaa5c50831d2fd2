#include "signaling/http/statics.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/crypto.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

#define FILES_MAX 4096
#define BYTES_MAX (256u << 20)
#define DEPTH_MAX 8

typedef struct variant {
    char *bytes;
    size_t n;
    char etag[24];
} variant;

typedef struct web_file {
    char *path; /* "/assets/x.js" */
    variant plain, br, gz;
} web_file;

struct cn_statics {
    web_file *entries; /* sorted by path */
    size_t n, files, bytes;
};

static const struct {
    const char *ending, *type;
} types[] = {
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".mjs", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".json", "application/json"},
    {".map", "application/json"},
    {".webmanifest", "application/manifest+json"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".jpg", "image/jpeg"},
    {".ico", "image/x-icon"},
    {".webp", "image/webp"},
    {".woff2", "font/woff2"},
    {".woff", "font/woff"},
    {".ttf", "font/ttf"},
    {".wasm", "application/wasm"},
    {".txt", "text/plain; charset=utf-8"},
    {".pdf", "application/pdf"},
    {".bcmap", "application/octet-stream"},
    {".mp3", "audio/mpeg"},
    {".ogg", "audio/ogg"},
    {".wav", "audio/wav"},
};

/* First path parts that never belong to the app's own pages. */
static const char *const not_app[] = {"api",  "assets", "uploads",   "slides",  "iiif",   "whip",   "whep",
                                      "open", "ws",     "dicom-web", "healthz", "readyz", "metrics"};

static bool ends_with(const char *text, const char *ending)
{
    size_t n = strlen(text), m = strlen(ending);
    return n >= m && strcmp(text + n - m, ending) == 0;
}

static const char *type_of(const char *path)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (ends_with(path, types[i].ending)) return types[i].type;
    return "application/octet-stream";
}

static int by_path(const void *left, const void *right)
{
    return strcmp(((const web_file *)left)->path, ((const web_file *)right)->path);
}

static web_file *entry_of(cn_statics *statics, const char *path)
{
    for (size_t i = 0; i < statics->n; i++)
        if (strcmp(statics->entries[i].path, path) == 0) return &statics->entries[i];
    if (statics->n == FILES_MAX) return NULL;
    web_file *row = &statics->entries[statics->n];
    row->path = cn_strdup(path);
    if (!row->path) return NULL;
    statics->n++;
    return row;
}

static cn_err load_file(cn_statics *statics, const char *file, const char *path)
{
    char plain[1024];
    if (!cn_strcpy(plain, sizeof plain, path)) return CN_ERR_TOOBIG;
    size_t len = strlen(plain);
    bool br = ends_with(plain, ".br"), gz = ends_with(plain, ".gz");
    if (br || gz) plain[len - 3] = '\0';
    if (++statics->files > FILES_MAX) return CN_ERR_TOOBIG;
    web_file *row = entry_of(statics, plain);
    if (!row) return CN_ERR_TOOBIG;
    variant *choice = br ? &row->br : gz ? &row->gz : &row->plain;
    CN_TRY(cn_file_read(file, BYTES_MAX - statics->bytes, &choice->bytes, &choice->n));
    statics->bytes += choice->n;
    uint8_t sum[CN_SHA256_LEN];
    cn_sha256(choice->bytes, choice->n, sum);
    cn_hex(sum, 10, choice->etag);
    return CN_OK;
}

static cn_err load_dir(cn_statics *statics, const char *dir, const char *path, unsigned depth)
{
    if (depth > DEPTH_MAX) return CN_ERR_TOOBIG;
    DIR *d = opendir(dir);
    if (!d) return CN_ERR_NOTFOUND;
    cn_err err = CN_OK;
    for (struct dirent *found; err == CN_OK && (found = readdir(d));) {
        char file[2048], sub[1024];
        struct stat st;
        if (*found->d_name == '.') continue;
        if (!cn_fmt(file, sizeof file, "%s/%s", dir, found->d_name) ||
            !cn_fmt(sub, sizeof sub, "%s/%s", path, found->d_name)) {
            err = CN_ERR_TOOBIG;
        } else if (stat(file, &st) == 0) {
            if (S_ISDIR(st.st_mode))
                err = load_dir(statics, file, sub, depth + 1);
            else if (S_ISREG(st.st_mode))
                err = load_file(statics, file, sub);
        }
    }
    closedir(d);
    return err;
}

cn_err cn_statics_load(cn_statics **out, const char *root)
{
    cn_statics *statics = CN_NEW(cn_statics);
    cn_err err = statics ? CN_OK : CN_ERR_NOMEM;
    if (statics && !(statics->entries = cn_calloc(FILES_MAX, sizeof *statics->entries))) err = CN_ERR_NOMEM;
    if (err == CN_OK) err = load_dir(statics, root, "", 0);
    if (err != CN_OK) {
        cn_statics_free(statics);
        return err;
    }
    qsort(statics->entries, statics->n, sizeof *statics->entries, by_path);
    cn_info("signaling.statics", "%zu files of the web app, %zu KiB", statics->files, statics->bytes / 1024);
    *out = statics;
    return CN_OK;
}

void cn_statics_free(cn_statics *statics)
{
    if (!statics) return;
    for (size_t i = 0; i < statics->n; i++) {
        free(statics->entries[i].path);
        free(statics->entries[i].plain.bytes);
        free(statics->entries[i].br.bytes);
        free(statics->entries[i].gz.bytes);
    }
    free(statics->entries);
    free(statics);
}

bool cn_encoding_accepted(const char *header, const char *coding)
{
    bool star = false;
    size_t want = strlen(coding);
    while (header && *header) {
        header += strspn(header, " \t,");
        size_t name = strcspn(header, " \t,;"), item = strcspn(header, ",");
        const char *q = memchr(header, '=', item);
        bool zero = false;
        if (q) {
            /* "0", "0.", "0.000" */
            const char *end = header + item;
            zero = *++q == '0';
            for (q++; zero && q < end && *q != ' ' && *q != '\t'; q++)
                if (*q != '.' && *q != '0') zero = false;
        }
        if (name == want && strncasecmp(header, coding, want) == 0) return !zero;
        if (name == 1 && *header == '*') star = !zero;
        header += item;
    }
    return star;
}

static const web_file *find_entry(const cn_statics *statics, const char *path)
{
    const web_file key = {.path = (char *)(uintptr_t)path};
    const web_file *row = bsearch(&key, statics->entries, statics->n, sizeof *statics->entries, by_path);
    return row && row->plain.bytes ? row : NULL;
}

static bool is_app_path(const char *path)
{
    const char *last = strrchr(path, '/');
    if (!last || strchr(last, '.')) return false;
    size_t first = strcspn(path + 1, "/");
    for (size_t i = 0; i < sizeof not_app / sizeof *not_app; i++)
        if (strlen(not_app[i]) == first && strncmp(path + 1, not_app[i], first) == 0) return false;
    return true;
}

bool cn_statics_find(const cn_statics *statics, const char *path, const char *accept, const char *accept_encoding,
                     cn_static *out)
{
    const web_file *row = find_entry(statics, strcmp(path, "/") == 0 ? "/index.html" : path);
    if (!row && accept && strstr(accept, "text/html") && is_app_path(path)) row = find_entry(statics, "/index.html");
    if (!row) return false;
    const variant *choice = &row->plain;
    *out = (cn_static){.type = type_of(row->path), .varies = row->br.bytes || row->gz.bytes};
    if (row->br.bytes && cn_encoding_accepted(accept_encoding, "br")) {
        choice = &row->br;
        out->encoding = "br";
    } else if (row->gz.bytes && cn_encoding_accepted(accept_encoding, "gzip")) {
        choice = &row->gz;
        out->encoding = "gzip";
    }
    out->etag = choice->etag;
    out->immutable = strncmp(row->path, "/assets/", 8) == 0;
    out->bytes = choice->bytes;
    out->n = choice->n;
    return true;
}
