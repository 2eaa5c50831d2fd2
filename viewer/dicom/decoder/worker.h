/* A process that reads one sender's files and nothing else. */
#ifndef CN_VIEWER_DICOM_DECODER_WORKER_H
#define CN_VIEWER_DICOM_DECODER_WORKER_H

/** Locks itself in and answers until the socket closes. The exit status. `path` is not used: files come as descriptors. */
int cn_dicom_worker(int sock, void *shared, const char *path);

#endif
