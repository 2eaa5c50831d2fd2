/* libjpeg's errors come back to where setjmp was called. */
#ifndef CN_VIEWER_DICOM_DECODER_JPEGFAIL_H
#define CN_VIEWER_DICOM_DECODER_JPEGFAIL_H

#include <setjmp.h>
#include <stdio.h>

#include <jpeglib.h>

typedef struct cn_jpegfail {
    struct jpeg_error_mgr mgr;
    jmp_buf back;
} cn_jpegfail;

static inline void cn_jpegfail_jump(j_common_ptr jpeg)
{
    cn_jpegfail *of = (cn_jpegfail *)(void *)jpeg->err;
    longjmp(of->back, 1);
}

/** What `jpeg.err` is set to; call setjmp(of->back) then. */
static inline struct jpeg_error_mgr *cn_jpegfail_manager(cn_jpegfail *of)
{
    jpeg_std_error(&of->mgr);
    of->mgr.error_exit = cn_jpegfail_jump;
    return &of->mgr;
}

#endif
