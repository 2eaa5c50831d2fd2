/*
 * Content-addressed files: ROOT/objects/ab/cdef… (SHA-256), durable before the row is committed; uploads in
 * ROOT/uploads/ID.part. Blocking: job threads only.
 */
#ifndef CN_STORAGE_FILES_H
#define CN_STORAGE_FILES_H

#include "base/crypto.h"
#include "base/str.h"
#include "storage/db/db.h"

typedef struct cn_files cn_files;

/** Makes the folders under `root`, which may be relative: paths that come out never are. CN_ERR_INVALID: no or too long
 * a name. */
cn_err cn_files_open(cn_files **out, const char *root);
void cn_files_close(cn_files *files);
/** Free bytes for data on the file system; CN_ERR_NOSPACE when less than 64 MiB. */
cn_err cn_files_ping(const cn_files *files);

/** Path of an object by its hex SHA-256; CN_ERR_NOTFOUND when it is not there, CN_ERR_INVALID for anything but 64 hex
 * digits. */
cn_err cn_files_path(const cn_files *files, const char *sha256_hex, char *out, size_t size);

/** Where what is known of an object is kept, ROOT/indexes/ab/cdef…, whether it is there or not; its folder is. Whatever lies there can be
 * made anew from the object. */
cn_err cn_files_index_path(const cn_files *files, const char *sha256_hex, char *out, size_t size);

/** Partial uploads: bytes are appended, fsynced, and survive a crash; the length of the file is the offset. */
cn_err cn_part_create(cn_files *files, const char *id);
/** One that nobody goes on with after a crash: its name is not synced. */
cn_err cn_part_begin(cn_files *files, const char *id);
cn_err cn_part_length(cn_files *files, const char *id, int64_t *out);
/** Appends at `offset`, which must equal the present length (CN_ERR_CONFLICT); writes all or truncates back
 * (CN_ERR_NOSPACE, CN_ERR_IO). Not yet synced. */
cn_err cn_part_append(cn_files *files, const char *id, int64_t offset, const void *bytes, size_t len);
cn_err cn_part_sync(cn_files *files, const char *id);
/**
 * A part becomes an object in steps: its SHA-256 as hex, then its place (fsync of file and folders; an object that is
 * there already is kept). In between the caller checks the content, and his database row comes last: the part stays
 * under its own name, too, until cn_part_remove, so that a crash at any point can be gone through again. Nothing may be
 * appended after cn_part_publish.
 */
cn_err cn_part_hash(cn_files *files, const char *id, char sha256_hex[65], int64_t *size);
cn_err cn_part_publish(cn_files *files, const char *id, const char *sha256_hex, int64_t size);
typedef struct cn_part {
    char id[CN_ID_TEXT], sha256[65];
    int64_t size;
} cn_part;
/** The same for up to CN_PARTS_AT_ONCE of them: they wait for the disk together. With an error some may be there already. */
cn_err cn_parts_publish(cn_files *files, const cn_part *list, size_t count);
#define CN_PARTS_AT_ONCE 64
/** Path of the part, for looking into it. */
cn_err cn_part_path(const cn_files *files, const char *id, char *out, size_t size);
cn_err cn_part_remove(cn_files *files, const char *id);

/** Stores a copy of an existing file as an object. */
cn_err cn_files_put_path(cn_files *files, const char *path, char sha256_hex[65]);

/** A folder with a hard link of the object under its sanitised original name (slides need their names):
 * ROOT/slides/ID/NAME. Gives the link's path. */
cn_err cn_files_link_named(cn_files *files, const char *id, const char *name, const char *sha256_hex, char *out,
                           size_t size);

/** Removes what was put beside that link under another plain name; CN_OK when there is none. */
cn_err cn_files_unlink_beside(cn_files *files, const char *id, const char *name);

/**
 * Parts of a slide that is several files, unpacked from its object: ROOT/slides/ID. `dir`: a folder on the same
 * file system with plain files and folders of its own only (CN_ERR_CORRUPT), which is made durable and moved there: all of
 * it is there then, or nothing.
 */
cn_err cn_files_parts_put(cn_files *files, const char *id, const char *dir);
/** Path of the part "STEM.ending"; CN_ERR_NOTFOUND. */
cn_err cn_files_parts_find(const cn_files *files, const char *id, const char *stem, char *out, size_t size);
/** Removes them all, or a slide's link with what was put beside it; CN_OK when there are none. */
cn_err cn_files_parts_remove(cn_files *files, const char *id);

/** What cn_files_sniff says of an ECG begins so: -dicom, -scp, -aecg, -muse. */
#define CN_TYPE_ECG "application/x-ecg-"

/**
 * What the content really is: a MIME type of the tables in sniff.c or NULL. `head`: its first bytes; `tail`: its last
 * ones, which may be the same (a ZIP's directory stands at the end). Text is UTF-8, GB18030, or UTF-16 with a byte
 * order mark. Pure.
 */
const char *cn_files_sniff(const void *head, size_t len, const void *tail, size_t tail_len);
/** The same of a file: of its first 64 KiB and its last MiB. */
cn_err cn_files_sniff_path(const char *path, const char **type);

#endif
