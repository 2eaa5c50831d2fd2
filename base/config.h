/* The configuration file: INI, every key from one table with its default and its sentence; unknown keys are errors. */
#ifndef CN_BASE_CONFIG_H
#define CN_BASE_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

/* section, key, kind (STR, INT, BOOL), default, min, max, what it is */
#define CN_CONFIG_TABLE(X)                                                                                            \
    X(server, listen, STR, "127.0.0.1", 0, 0, "address the door listens on")                                          \
    X(server, port, INT, "8080", 0, 65535, "port of HTTP, or of HTTPS when a certificate is set; 0 takes a free one") \
    X(server, tls_cert, STR, "", 0, 0, "PEM certificate chain; empty serves plain HTTP")                              \
    X(server, tls_key, STR, "", 0, 0, "PEM private key")                                                              \
    X(server, tls_ciphers, STR, "ECDHE+AESGCM:ECDHE+CHACHA20", 0, 0,                                                  \
      "OpenSSL's names of what TLS 1.2 may use; as set, all of them have forward secrecy")                            \
    X(server, trusted_proxies, STR, "", 0, 0,                                                                         \
      "addresses or networks of the proxies in front, separated by commas; what they say of their clients counts")    \
    X(server, proxy_header, STR, "x-forwarded-for", 0, 0,                                                             \
      "where they say it: x-forwarded-for (and x-forwarded-proto) or forwarded; each must overwrite or extend it")    \
    X(server, cors_origins, STR, "*", 0, 0,                                                                           \
      "origins whose pages may use WHIP and WHEP, separated by commas; * is every one, empty our own only")           \
    X(server, web_root, STR, "", 0, 0, "folder of the built web app; empty: beside the program")                      \
    X(server, management_listen, STR, "127.0.0.1", 0, 0, "address of the management listener")                        \
    X(server, management_port, INT, "8081", -1, 65535, "port of /metrics; 0 takes a free one, -1 none")               \
    X(server, port_file, STR, "", 0, 0, "file that gets the real ports as JSON once the server is ready")             \
    X(server, idle_minutes, INT, "15", 1, 1440, "a login ends so many minutes after its person last did something")   \
    X(server, login_hours, INT, "12", 1, 720, "a login ends after so many hours in any case, but in no room")         \
    X(server, job_threads, INT, "4", 1, 64, "threads for database and files")                                         \
    X(server, tile_threads, INT, "2", 1, 64, "threads for tiles")                                                     \
    X(server, user, STR, "", 0, 0, "account that serves when root starts it; empty: root stays root")                 \
    X(server, log_level, STR, "info", 0, 0, "debug, info, warn or error")                                             \
    X(server, node, STR, "node1", 0, 0, "name of this node, in ledger and audit rows")                                \
    X(server, time_zone_minutes, INT, "480", -720, 840,                                                               \
      "where months and days begin, minutes east of UTC (Shanghai 480)")                                              \
    X(database, url, STR, "sqlite:var/data/consilium.db", 0, 0,                                                       \
      "sqlite:FILE or a libpq connection string; sealed:… after `consilium key seal`")                                \
    X(database, connections, INT, "8", 1, 100, "connections kept open")                                               \
    X(files, root, STR, "var/data/files", 0, 0, "folder of uploaded files")                                           \
    X(files, max_upload_mb, INT, "20480", 1, 1048576, "largest upload")                                               \
    X(keys, master, STR, "var/keys/master.key", 0, 0,                                                                 \
      "0400 file with the 32-byte master key in hex, outside the data")                                               \
    X(audit, heads, STR, "var/keys/chain-heads.log", 0, 0,                                                            \
      "file that gets every chain's head, fsynced, outside the database")                                             \
    X(audit, heads_copy, STR, "", 0, 0,                                                                               \
      "the same once more, best on another disk; empty: chain-heads.log in the folder of files")                      \
    X(media, listen, STR, "127.0.0.1", 0, 0, "address of the media sockets; several separated by commas")             \
    X(media, announce, STR, "", 0, 0, "addresses told to clients instead, same order (NAT)")                          \
    X(media, port, INT, "10000", 0, 65535, "worker i uses port + i; 0 takes free ones")                               \
    X(media, workers, INT, "2", 1, 64, "media worker threads")                                                        \
    X(media, room_video_max, INT, "30", 1, 200, "participants with video in a room")                                  \
    X(media, room_voice_max, INT, "200", 1, 1000, "further participants with voice only in a room")                   \
    X(media, codec, STR, "vp8", 0, 0, "what cameras of a room send: vp8, h264, vp9 or av1; who lacks it sends vp8")   \
    X(media, timeout_s, INT, "20", 2, 600, "a peer without sign of life for so long has left")                        \
    X(media, blind_kbps, INT, "8000", 64, 100000,                                                                     \
      "kbit/s up to which a picture is sent to a viewer who reports nothing, in its smallest layer")                  \
    X(room, farewell_seconds, INT, "60", 1, 600, "a room whose request was closed or cancelled ends after so long")   \
    X(turn, urls, STR, "", 0, 0, "relays for networks that block UDP: turn:… or turns:…, separated by commas")        \
    X(turn, secret, STR, "var/keys/turn.secret", 0, 0, "0400 file with coturn's static-auth-secret")                  \
    X(turn, ttl_minutes, INT, "480", 5, 1440, "a relay's credentials are good for so long")                           \
    X(viewer, decoders, INT, "4", 1, 64, "decoder processes at most")                                                 \
    X(viewer, cache_mb, INT, "256", 1, 65536, "memory for encoded tiles")                                             \
    X(viewer, decoder, STR, "", 0, 0, "path of consilium-decoder; empty: beside the program")                         \
    X(viewer, convert_seconds, INT, "30", 5, 600, "processor time for the conversion of one document")                \
    X(viewer, convert_mb, INT, "1024", 256, 65536, "memory for the conversion of one document")                       \
    X(viewer, unconfined, BOOL, "false", 0, 0,                                                                        \
      "read uploaded files also where the kernel cannot confine the programs that do it")                             \
    X(dicom, listen, STR, "", 0, 0, "address that takes DICOM images (C-STORE); empty: none")                         \
    X(dicom, port, INT, "11112", 0, 65535, "port there; 0 takes a free one")                                          \
    X(dicom, title, STR, "CONSILIUM", 0, 0, "our application entity title")                                           \
    X(dicom, peers, STR, "", 0, 0, "who may send: TITLE@ADDRESS=ACCOUNT, separated by commas")                        \
    X(dicom, idle_seconds, INT, "60", 1, 3600, "a peer that is silent for so long is cut off")                        \
    X(dicom, associations, INT, "32", 1, 256, "associations at once")                                                 \
    X(dicom, per_address, INT, "8", 1, 256, "of them from one address")                                               \
    X(report, title, STR, "远程会诊报告", 0, 0, "what stands below the hospital's name on a printed report")          \
    X(minutes, quota, INT, "360000", 0, 1000000000, "weighted minutes a month")                                       \
    X(minutes, rule, STR, "aggregate", 0, 0, "aggregate or max_tier: which rule the quota uses")

typedef struct cn_config cn_config;

/** Reads a file; relative paths in values stay as written (relative to the working folder). On error `problem` names
 * section.key and line. */
cn_err cn_config_load(cn_config **out, const char *path, cn_problem *problem);
/** The same from memory (also the fuzz target). */
cn_err cn_config_parse(cn_config **out, const char *text, size_t len, cn_problem *problem);
/** Value of a key of the table; unknown names abort in debug builds. */
const char *cn_config_str(const cn_config *config, const char *section, const char *key);
int64_t cn_config_int(const cn_config *config, const char *section, const char *key);
/** Prints the whole table with defaults as a commented INI file. */
void cn_config_print_reference(FILE *to);
void cn_config_free(cn_config *config);

#endif
