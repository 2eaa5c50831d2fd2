/* A data set as DICOM JSON (PS3.18 Annex F), in UTF-8, and what of it describes its picture. */
#ifndef CN_VIEWER_DICOM_DECODER_MODEL_H
#define CN_VIEWER_DICOM_DECODER_MODEL_H

#include "base/str.h"
#include "viewer/dicom/decoder/charset.h"
#include "viewer/dicom/decoder/dataset.h"
#include "viewer/dicom/decoder/frames.h"

typedef struct cn_model {
    cn_buf json;
    cn_picture picture;
    char study[65], series[65], instance[65], sop_class[65];
    bool odd_charset; /* a text had bytes that mean nothing, or nobody says what they mean */
    bool odd_uid;
    bool odd_order; /* tags do not ascend */
} cn_model;

/** Reads the whole data set. CN_ERR_CORRUPT, CN_ERR_TOOBIG with `dataset->why`. Clear it in any case. */
cn_err cn_model_read(cn_model *out, cn_dataset *dataset);
void cn_model_clear(cn_model *model);

#endif
