#include "viewer/slide/beside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "viewer/scratch.h"

#define PATH 4096

cn_err cn_beside(const char *path, const char *name, char *out, size_t size)
{
    const char *slash = strrchr(path, '/');
    if (!slash) return CN_ERR_INVALID;
    return cn_fmt(out, size, "%.*s/%s", (int)(slash - path), path, name) ? CN_OK : CN_ERR_TOOBIG;
}

/* On disk before it has its name. */
cn_err cn_beside_publish(const char *made, size_t max, const char *path, const char *name)
{
    char place[PATH];
    CN_TRY(cn_beside(path, name, place, sizeof(place)));
    CN_TRY(cn_scratch_check(made, max));
    CN_AUTO_CLOSE int fd = open(made, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fsync(fd) < 0 || rename(made, place) < 0) return cn_err_from_errno(errno);
    return cn_fsync_parent(place);
}
