// HTJ2K by OpenJPH, which throws where a codestream is damaged.
#include <openjph/ojph_arch.h>
#include <openjph/ojph_codestream.h>
#include <openjph/ojph_file.h>
#include <openjph/ojph_mem.h>
#include <openjph/ojph_params.h>

#include <cstring>

extern "C" {
#include "viewer/dicom/decoder/codecs.h"
}

namespace {

cn_err check(ojph::param_siz size, cn_target *to)
{
    if (size.get_num_components() != to->samples) return cn_target_refuse(to, CN_ERR_CORRUPT, CN_WHY_SIZE);
    for (uint32_t part = 0; part < to->samples; part++) {
        if (size.get_recon_width(part) != to->columns || size.get_recon_height(part) != to->rows)
            return cn_target_refuse(to, CN_ERR_CORRUPT, CN_WHY_SIZE);
        if (size.get_bit_depth(part) > 8 * to->bytes) return cn_target_refuse(to, CN_ERR_CORRUPT, CN_WHY_DEPTH);
    }
    return CN_OK;
}

int64_t within(int64_t value, unsigned bits, bool is_signed)
{
    const int64_t least = is_signed ? -(int64_t(1) << (bits - 1)) : 0;
    const int64_t most = least + (int64_t(1) << bits) - 1;
    return value < least ? least : value > most ? most : value;
}

void pull_lines(ojph::codestream &stream, const cn_target *to)
{
    ojph::param_siz size = stream.access_siz();
    stream.set_planar(false);
    stream.create();
    for (uint32_t row = 0; row < to->rows; row++)
        for (uint32_t i = 0; i < to->samples; i++) {
            ojph::ui32 part = 0;
            const ojph::line_buf *line = stream.pull(part);
            for (uint32_t column = 0; column < to->columns; column++)
                cn_target_put(to, (size_t(row) * to->columns + column) * to->samples + part,
                              within(line->i32[column], size.get_bit_depth(part), size.is_signed(part)));
        }
}

// The codestream of a JPH file is in its "jp2c" box; bare ones begin with SOC.
const uint8_t *codestream_of(const uint8_t *bytes, size_t *len)
{
    if (*len < 12 || bytes[0] == 0xff) return bytes;
    for (size_t at = 0; at + 8 <= *len;) {
        size_t size =
            size_t(bytes[at]) << 24 | size_t(bytes[at + 1]) << 16 | size_t(bytes[at + 2]) << 8 | bytes[at + 3];
        if (std::memcmp(bytes + at + 4, "jp2c", 4) == 0) {
            *len -= at + 8;
            return bytes + at + 8;
        }
        if (size < 8 || size > *len - at) break;
        at += size;
    }
    return bytes;
}

} // namespace

extern "C" cn_err cn_codec_htj2k(const uint8_t *bytes, size_t len, cn_target *to)
{
    bytes = codestream_of(bytes, &len);
    if (len < 4 || bytes[0] != 0xff || bytes[1] != 0x4f)
        return cn_target_refuse(to, CN_ERR_CORRUPT, "this is no HTJ2K");
    try {
        ojph::mem_infile file;
        ojph::codestream stream;
        file.open(bytes, len);
        stream.read_headers(&file);
        cn_err err = check(stream.access_siz(), to);
        if (err == CN_OK) pull_lines(stream, to);
        stream.close();
        return err;
    } catch (...) {
        return cn_target_refuse(to, CN_ERR_CORRUPT, CN_WHY_DAMAGED);
    }
}
