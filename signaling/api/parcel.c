#include "signaling/api/parcel.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/str.h"
#include "signaling/app.h"

cn_err cn_parcel_open(cn_http *http, cn_parcel *out)
{
    if (!cn_fmt(out->path, sizeof(out->path), "%s/dicom-XXXXXX", cn_app_scratch(cn_http_app(http))))
        return CN_ERR_TOOBIG;
    int fd = mkostemp(out->path, O_CLOEXEC);
    if (fd < 0) return CN_ERR_IO;
    out->file = fdopen(fd, "w+");
    if (out->file) return CN_OK;
    close(fd);
    unlink(out->path);
    return CN_ERR_NOMEM;
}

void cn_parcel_close(cn_parcel *own)
{
    fclose(own->file);
    unlink(own->path);
}

cn_err cn_parcel_copy(cn_parcel *own, int fd, off_t offset, uint64_t length)
{
    char bytes[65536];
    for (; length > 0;) {
        ssize_t n = pread(fd, bytes, length < sizeof(bytes) ? (size_t)length : sizeof(bytes), offset);
        if (n <= 0) return CN_ERR_IO;
        if (fwrite(bytes, 1, (size_t)n, own->file) != (size_t)n) return CN_ERR_NOSPACE;
        offset += n;
        length -= (uint64_t)n;
    }
    return CN_OK;
}

void cn_parcel_part(cn_parcel *own, const char *type, const char *syntax)
{
    fprintf(own->file, "\r\n--" CN_DICOM_BOUNDARY "\r\nContent-Type: %s; transfer-syntax=%s\r\n\r\n", type, syntax);
}

cn_err cn_parcel_send(cn_http *http, cn_parcel *own, const char *type)
{
    char header[200];
    fprintf(own->file, "\r\n--" CN_DICOM_BOUNDARY "--\r\n");
    if (fflush(own->file) != 0) return CN_ERR_NOSPACE;
    cn_fmt(header, sizeof(header), "multipart/related; type=\"%s\"; boundary=" CN_DICOM_BOUNDARY, type);
    return cn_http_file(http, own->path, header, NULL);
}
