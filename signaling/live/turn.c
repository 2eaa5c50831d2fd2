#include "signaling/live/turn.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

#define SECRET_MAX 512
#define SHA1_LEN 20

struct cn_turn {
    json_t *urls;
    char secret[SECRET_MAX];
    int64_t ttl_s;
};

static cn_err split_urls(json_t **out, const char *text)
{
    *out = json_array();
    if (!*out) return CN_ERR_NOMEM;
    while (*text) {
        text += strspn(text, ", ");
        size_t n = strcspn(text, ", ");
        if (n && strncmp(text, "turn:", 5) != 0 && strncmp(text, "turns:", 6) != 0) return CN_ERR_INVALID;
        if (n && json_array_append_new(*out, json_stringn(text, n)) != 0) return CN_ERR_NOMEM;
        text += n;
    }
    return CN_OK;
}

static cn_err read_secret(char out[SECRET_MAX], const char *path)
{
    CN_AUTO_FREE char *text = NULL;
    size_t n = 0;
    CN_TRY(cn_file_read(path, SECRET_MAX - 1, &text, &n));
    n = strcspn(text, "\r\n");
    memcpy(out, text, n);
    out[n] = '\0';
    OPENSSL_cleanse(text, strlen(text));
    return n ? CN_OK : CN_ERR_INVALID;
}

cn_err cn_turn_open(cn_turn **out, const cn_config *config)
{
    *out = NULL;
    const char *urls = cn_config_str(config, "turn", "urls"), *secret = cn_config_str(config, "turn", "secret");
    if (!*urls) return CN_OK;
    cn_turn *turn = CN_NEW(cn_turn);
    if (!turn) return CN_ERR_NOMEM;
    turn->ttl_s = cn_config_int(config, "turn", "ttl_minutes") * 60;
    cn_err err = split_urls(&turn->urls, urls);
    if (err) cn_error("signaling.turn", "[turn] urls: turn:… or turns:… addresses separated by commas are expected");
    if (!err && (err = read_secret(turn->secret, secret)) != CN_OK)
        cn_error("signaling.turn", "[turn] secret: cannot read the relay's secret from %s: %s", secret,
                 cn_err_text(err));
    if (err) {
        cn_turn_close(turn);
        return err;
    }
    *out = turn;
    return CN_OK;
}

void cn_turn_close(cn_turn *turn)
{
    if (!turn) return;
    json_decref(turn->urls);
    cn_free_secret(turn, sizeof *turn);
}

json_t *cn_turn_servers(const cn_turn *turn, const char *id, int64_t now_s)
{
    json_t *servers = json_array();
    if (!turn || !servers) return servers;
    char name[96];
    uint8_t mac[SHA1_LEN];
    unsigned mac_n = 0;
    unsigned char password[4 * ((SHA1_LEN + 2) / 3) + 1];
    cn_fmt(name, sizeof name, "%lld:%s", (long long)(now_s + turn->ttl_s), id);
    if (!HMAC(EVP_sha1(), turn->secret, (int)strlen(turn->secret), (const unsigned char *)name, strlen(name), mac,
              &mac_n))
        return servers;
    EVP_EncodeBlock(password, mac, (int)mac_n);
    json_array_append_new(servers, json_pack("{s:O, s:s, s:s}", "urls", turn->urls, "username", name, "credential",
                                             (const char *)password));
    return servers;
}
