/*
 * consilium-dicom: the zygote of processes that read DICOM files. It loads the dictionary and the converters of character sets once, then forks
 * one locked worker per sender. Started by the server with its socket as descriptor 3; not meant to be run by hand.
 */
#include <string.h>

#include "base/child.h"
#include "base/log.h"
#include "viewer/decode_proto.h"
#include "viewer/dicom/decoder/charset.h"
#include "viewer/dicom/decoder/deid.h"
#include "viewer/dicom/decoder/dictionary.h"
#include "viewer/dicom/decoder/worker.h"
#include "viewer/dicom/dicomproto.h"
#include "viewer/nursery.h"

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[argc - 1], CN_DECODE_UNCONFINED) == 0) cn_child_unconfined(true);
    if (!cn_dictionary_load())
        cn_warn("viewer.dicom", "DCMTK's dictionary is not installed: implicit data sets lose their meaning");
    if (!cn_charset_load()) cn_warn("viewer.dicom", "this system lacks converters of character sets (libc's gconv)");
    cn_deid_load();
    return cn_nursery_serve(
        &(cn_nursery){.memory = "consilium-dicom", .shared = CN_DICOM_SHARED, .work = cn_dicom_worker});
}
