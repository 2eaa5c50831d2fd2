/* Locks the process of one association in: its connection, its socket to the server, and files below the spool are all that it reaches. */
#ifndef CN_VIEWER_DICOM_LISTENER_LOCK_H
#define CN_VIEWER_DICOM_LISTENER_LOCK_H

#include "base/err.h"

/** CN_ERR_UNSUPPORTED: the kernel has no Landlock, the rest is in force. CN_ERR_IO: nothing may be read then. */
cn_err cn_listener_lock(const char *spool);

#endif
