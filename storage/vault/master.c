#include "storage/vault/master.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

#define WHERE "storage.vault"
#define SEALED "sealed:"
#define URL_PLACE "config.database.url"
#define URL_MAX 4096

cn_err cn_master_key_create(const char *path)
{
    uint8_t key[32];
    char text[66];
    CN_AUTO_FREE char *dir = cn_strdup(path);
    if (!dir) return CN_ERR_NOMEM;
    char *slash = strrchr(dir, '/');
    if (slash && slash != dir) {
        *slash = 0;
        CN_TRY(cn_mkdirs(dir));
    }
    CN_AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
    if (fd < 0) return errno == EEXIST ? CN_ERR_CONFLICT : cn_err_from_errno(errno);
    cn_random(key, sizeof key);
    cn_hex(key, sizeof key, text);
    text[64] = '\n';
    cn_err err = cn_write_all(fd, text, 65);
    if (err == CN_OK && fsync(fd) < 0) err = cn_err_from_errno(errno);
    if (err == CN_OK) err = cn_fsync_parent(path);
    OPENSSL_cleanse(key, sizeof key);
    OPENSSL_cleanse(text, sizeof text);
    if (err != CN_OK) unlink(path);
    return err;
}

/* The file's mode is asked of the open file, so that nobody can put another one there in between. */
cn_err cn_master_key_read(const char *path, uint8_t out[32])
{
    struct stat st;
    char text[67] = {0};
    CN_AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0) {
        int err = errno;
        cn_error(WHERE, "the master key %s cannot be read: %s", path, strerror(err));
        return cn_err_from_errno(err);
    }
    if (!S_ISREG(st.st_mode) || (st.st_mode & 077)) {
        cn_error(WHERE, "the master key %s may be read by others: chmod 0400", path);
        return CN_ERR_FORBIDDEN;
    }
    ssize_t n = read(fd, text, sizeof text - 1);
    if (n > 0 && text[n - 1] == '\n') text[n - 1] = 0;
    bool good = n > 0 && cn_unhex(text, out, 32);
    OPENSSL_cleanse(text, sizeof text);
    if (good) return CN_OK;
    cn_error(WHERE, "the master key %s is not 64 hexadecimal digits", path);
    return CN_ERR_PARSE;
}

cn_err cn_master_key_seal_url(const char *path, const char *url, char **out)
{
    uint8_t key[32], sealed[URL_MAX + CN_SEAL_OVERHEAD];
    size_t n = strlen(url), size = n + CN_SEAL_OVERHEAD;
    if (n == 0 || n > URL_MAX) return CN_ERR_INVALID;
    char *text = cn_calloc(1, sizeof SEALED + 4 * ((size + 2) / 3) + 1);
    if (!text) return CN_ERR_NOMEM;
    cn_err err = cn_master_key_read(path, key);
    if (err == CN_OK) err = cn_seal(key, URL_PLACE, strlen(URL_PLACE), url, n, sealed);
    OPENSSL_cleanse(key, sizeof key);
    if (err != CN_OK) {
        free(text);
        return err;
    }
    memcpy(text, SEALED, strlen(SEALED));
    cn_b64url(sealed, size, text + strlen(SEALED));
    *out = text;
    return CN_OK;
}

cn_err cn_master_key_open_url(const char *path, const char *url, char **out)
{
    uint8_t key[32], sealed[URL_MAX + CN_SEAL_OVERHEAD], plain[URL_MAX + 1];
    size_t n = 0;
    if (strncmp(url, SEALED, strlen(SEALED)) != 0) return (*out = cn_strdup(url)) ? CN_OK : CN_ERR_NOMEM;
    url += strlen(SEALED);
    if (!cn_unb64(url, strlen(url), sealed, sizeof sealed, &n) || n <= CN_SEAL_OVERHEAD) return CN_ERR_PARSE;
    CN_TRY(cn_master_key_read(path, key));
    cn_err err = cn_unseal(key, URL_PLACE, strlen(URL_PLACE), sealed, n, plain);
    OPENSSL_cleanse(key, sizeof key);
    if (err == CN_OK && !(*out = cn_strndup((const char *)plain, n - CN_SEAL_OVERHEAD))) err = CN_ERR_NOMEM;
    OPENSSL_cleanse(plain, sizeof plain);
    return err;
}
