/* Codecs by name: what packets, sections and slots are labelled with. */
#ifndef CN_MEDIA_CODEC_H
#define CN_MEDIA_CODEC_H

#include <stddef.h>

/* name, encoding name of its RTP payload format (IANA), RTP clock rate */
#define CN_CODEC_TABLE(X)            \
    X(OPUS, "opus", 48000)           \
    X(AUDIO_RED, "red", 48000)       \
    X(VP8, "VP8", 90000)             \
    X(VP9, "VP9", 90000)             \
    X(H264, "H264", 90000)           \
    X(H265, "H265", 90000)           \
    X(AV1, "AV1", 90000)             \
    X(RTX, "rtx", 90000)             \
    X(VIDEO_RED, "red", 90000)       \
    X(ULPFEC, "ulpfec", 90000)       \
    X(FLEXFEC, "flexfec-03", 90000)  \
    X(DTMF, "telephone-event", 8000) \
    X(PCMU, "PCMU", 8000)            \
    X(PCMA, "PCMA", 8000)            \
    X(G722, "G722", 8000)

typedef enum cn_codec {
    CN_CODEC_OTHER, /* nothing that this server knows */
#define X(name, text, clock) CN_CODEC_##name,
    CN_CODEC_TABLE(X)
#undef X
        CN_CODEC_COUNT
} cn_codec;

/** Encoding name ("VP8"); "" for CN_CODEC_OTHER. */
const char *cn_codec_name(cn_codec codec);

/** Looks an encoding name of `len` bytes up, without regard to case; `video` tells the two kinds of RED apart. */
cn_codec cn_codec_parse(const char *name, size_t len, int video);

#endif
