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

typedef struct entry {
    char *path; /* "/assets/x.js" */
    variant plain, br, gz;
} entry;

struct cn_statics {
    entry *entries; /* sorted by path */
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

static bool ends_with(const char *s, const char *ending)
{
    size_t n = strlen(s), m = strlen(ending);
    return n >= m && strcmp(s + n - m, ending) == 0;
}

static const char *type_of(const char *path)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (ends_with(path, types[i].ending)) return types[i].type;
    return "application/octet-stream";
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const entry *)a)->path, ((const entry *)b)->path);
}

static entry *entry_of(cn_statics *s, const char *path)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->entries[i].path, path) == 0) return &s->entries[i];
    if (s->n == FILES_MAX) return NULL;
    entry *e = &s->entries[s->n];
    e->path = cn_strdup(path);
    if (!e->path) return NULL;
    s->n++;
    return e;
}

static cn_err load_file(cn_statics *s, const char *file, const char *path)
{
    char plain[1024];
    if (!cn_strcpy(plain, sizeof plain, path)) return CN_ERR_TOOBIG;
    size_t len = strlen(plain);
    bool br = ends_with(plain, ".br"), gz = ends_with(plain, ".gz");
    if (br || gz) plain[len - 3] = '\0';
    if (++s->files > FILES_MAX) return CN_ERR_TOOBIG;
    entry *e = entry_of(s, plain);
    if (!e) return CN_ERR_TOOBIG;
    variant *v = br ? &e->br : gz ? &e->gz : &e->plain;
    CN_TRY(cn_file_read(file, BYTES_MAX - s->bytes, &v->bytes, &v->n));
    s->bytes += v->n;
    uint8_t sum[CN_SHA256_LEN];
    cn_sha256(v->bytes, v->n, sum);
    cn_hex(sum, 10, v->etag);
    return CN_OK;
}

static cn_err load_dir(cn_statics *s, const char *dir, const char *path, unsigned depth)
{
    if (depth > DEPTH_MAX) return CN_ERR_TOOBIG;
    DIR *d = opendir(dir);
    if (!d) return CN_ERR_NOTFOUND;
    cn_err err = CN_OK;
    for (struct dirent *e; err == CN_OK && (e = readdir(d));) {
        char file[2048], sub[1024];
        struct stat st;
        if (*e->d_name == '.') continue;
        if (!cn_fmt(file, sizeof file, "%s/%s", dir, e->d_name) || !cn_fmt(sub, sizeof sub, "%s/%s", path, e->d_name)) {
            err = CN_ERR_TOOBIG;
        } else if (stat(file, &st) == 0) {
            if (S_ISDIR(st.st_mode))
                err = load_dir(s, file, sub, depth + 1);
            else if (S_ISREG(st.st_mode))
                err = load_file(s, file, sub);
        }
    }
    closedir(d);
    return err;
}

cn_err cn_statics_load(cn_statics **out, const char *root)
{
    cn_statics *s = CN_NEW(cn_statics);
    cn_err err = s ? CN_OK : CN_ERR_NOMEM;
    if (s && !(s->entries = cn_calloc(FILES_MAX, sizeof *s->entries))) err = CN_ERR_NOMEM;
    if (err == CN_OK) err = load_dir(s, root, "", 0);
    if (err != CN_OK) {
        cn_statics_free(s);
        return err;
    }
    qsort(s->entries, s->n, sizeof *s->entries, by_path);
    cn_info("signaling.statics", "%zu files of the web app, %zu KiB", s->files, s->bytes / 1024);
    *out = s;
    return CN_OK;
}

void cn_statics_free(cn_statics *s)
{
    if (!s) return;
    for (size_t i = 0; i < s->n; i++) {
        free(s->entries[i].path);
        free(s->entries[i].plain.bytes);
        free(s->entries[i].br.bytes);
        free(s->entries[i].gz.bytes);
    }
    free(s->entries);
    free(s);
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

static const entry *find_entry(const cn_statics *s, const char *path)
{
    const entry key = {.path = (char *)(uintptr_t)path};
    const entry *e = bsearch(&key, s->entries, s->n, sizeof *s->entries, by_path);
    return e && e->plain.bytes ? e : NULL;
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

bool cn_statics_find(const cn_statics *s, const char *path, const char *accept, const char *accept_encoding,
                     cn_static *out)
{
    const entry *e = find_entry(s, strcmp(path, "/") == 0 ? "/index.html" : path);
    if (!e && accept && strstr(accept, "text/html") && is_app_path(path)) e = find_entry(s, "/index.html");
    if (!e) return false;
    const variant *v = &e->plain;
    *out = (cn_static){.type = type_of(e->path), .varies = e->br.bytes || e->gz.bytes};
    if (e->br.bytes && cn_encoding_accepted(accept_encoding, "br")) {
        v = &e->br;
        out->encoding = "br";
    } else if (e->gz.bytes && cn_encoding_accepted(accept_encoding, "gzip")) {
        v = &e->gz;
        out->encoding = "gzip";
    }
    out->etag = v->etag;
    out->immutable = strncmp(e->path, "/assets/", 8) == 0;
    out->bytes = v->bytes;
    out->n = v->n;
    return true;
}
