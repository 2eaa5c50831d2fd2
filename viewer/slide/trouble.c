#include "viewer/slide/trouble.h"

#include <string.h>

#include "base/str.h"

static bool is_about(const cn_trouble_row *row, const char *path, bool opening, const cn_decode_ask *ask)
{
    return strcmp(row->path, path) == 0 && row->opening == opening &&
           (opening || memcmp(&row->ask, ask, sizeof(*ask)) == 0);
}

static bool is_fresh(const cn_trouble_row *row, uint64_t now_ms)
{
    return row->path[0] && now_ms - row->since_ms < CN_TROUBLE_MS;
}

static bool is_the_slides(cn_err err)
{
    return err == CN_ERR_CORRUPT || err == CN_ERR_UNSUPPORTED || err == CN_ERR_TIMEOUT || err == CN_ERR_CRASHED;
}

cn_err cn_trouble_recall(const cn_trouble *trouble, const char *path, const cn_decode_ask *ask, uint64_t now_ms)
{
    for (size_t i = 0; i < CN_TROUBLE_SLIDES; i++) {
        const cn_trouble_row *row = &trouble->rows[i];
        if (!is_fresh(row, now_ms) || (row->err == CN_ERR_CRASHED && row->times < 2)) continue;
        if (is_about(row, path, true, ask) || is_about(row, path, false, ask)) return row->err;
    }
    return CN_OK;
}

/* The row of this, or the one to give up for it. */
static cn_trouble_row *row_for(cn_trouble *trouble, const char *path, bool opening, const cn_decode_ask *ask)
{
    cn_trouble_row *oldest = &trouble->rows[0];
    for (size_t i = 0; i < CN_TROUBLE_SLIDES; i++) {
        cn_trouble_row *row = &trouble->rows[i];
        if (row->path[0] && is_about(row, path, opening, ask)) return row;
        if (oldest->path[0] && (!row->path[0] || row->since_ms < oldest->since_ms)) oldest = row;
    }
    *oldest = (cn_trouble_row){.opening = opening, .ask = *ask};
    return oldest;
}

void cn_trouble_note(cn_trouble *trouble, const char *path, bool opening, const cn_decode_ask *ask, cn_err err,
                     uint64_t now_ms)
{
    if (!is_the_slides(err)) return;
    cn_trouble_row *row = row_for(trouble, path, opening, ask);
    row->times = is_fresh(row, now_ms) && row->err == err ? row->times + 1 : 1;
    cn_strcpy(row->path, sizeof(row->path), path);
    row->err = err;
    row->since_ms = now_ms;
}

void cn_trouble_forget(cn_trouble *trouble, const char *path)
{
    for (size_t i = 0; i < CN_TROUBLE_SLIDES; i++)
        if (strcmp(trouble->rows[i].path, path) == 0) trouble->rows[i] = (cn_trouble_row){.times = 0};
}
