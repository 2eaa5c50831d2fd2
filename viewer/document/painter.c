#include "viewer/document/painter.h"

#include "base/child.h"
#include "base/str.h"

cn_err cn_painter_path(char *out, size_t size)
{
    char dir[1024];
    CN_TRY(cn_program_dir(dir, sizeof(dir)));
    return cn_fmt(out, size, "%s/consilium-painter", dir) ? CN_OK : CN_ERR_TOOBIG;
}
