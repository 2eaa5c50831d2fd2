// What comes from DCMTK, for the C around it: the dictionary, and the JPEGs that libjpeg does not read.
#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcdict.h>
#include <dcmtk/dcmdata/dcdicent.h>
#include <dcmtk/dcmjpeg/djcparam.h>
#include <dcmtk/dcmjpeg/djdijg12.h>
#include <dcmtk/dcmjpeg/djdijg16.h>
#include <dcmtk/dcmjpeg/djdijg8.h>

#include <cstring>

extern "C" {
#include "viewer/dicom/decoder/codecs.h"
#include "viewer/dicom/decoder/dictionary.h"
}

namespace {

void add(const DcmDictEntry *entry, cn_dictionary_row *rows, size_t size, size_t &n)
{
    if (entry->getPrivateCreator()) return;
    if (n < size) {
        cn_dictionary_row &row = rows[n];
        row.tag = static_cast<uint32_t>(entry->getGroup()) << 16 | entry->getElement();
        std::strncpy(row.vr, entry->getVR().getVRName(), sizeof(row.vr) - 1);
        std::strncpy(row.name, entry->getTagName() ? entry->getTagName() : "", sizeof(row.name) - 1);
    }
    n++;
}

} // namespace

extern "C" size_t cn_dcmtk_dictionary(cn_dictionary_row *rows, size_t size)
{
    size_t n = 0;
    DcmDataDictionary &dictionary = dcmDataDict.wrlock();
    for (DcmHashDictIterator at = dictionary.normalBegin(); at != dictionary.normalEnd(); ++at) add(*at, rows, size, n);
    for (DcmDictEntryListIterator at = dictionary.repeatingBegin(); at != dictionary.repeatingEnd(); ++at)
        add(*at, rows, size, n);
    dcmDataDict.wrunlock();
    return n;
}

namespace {

template <class Decoder> bool decode(const uint8_t *bytes, size_t len, bool is_signed, uint8_t *out, size_t size)
{
    const DJCodecParameter parameter(ECC_lossyYCbCr, EDC_never, EUC_never, EPC_colorByPixel);
    Decoder decoder(parameter, OFFalse);
    return decoder.init().good() && decoder
                                        .decode(const_cast<uint8_t *>(bytes), static_cast<Uint32>(len), out,
                                                static_cast<Uint32>(size), is_signed ? OFTrue : OFFalse)
                                        .good();
}

} // namespace

extern "C" bool cn_dcmtk_jpeg(const uint8_t *bytes, size_t len, unsigned bits, bool is_signed, uint8_t *out,
                              size_t size)
{
    if (len > UINT32_MAX || size > UINT32_MAX) return false;
    try {
        if (bits == 8) return decode<DJDecompressIJG8Bit>(bytes, len, is_signed, out, size);
        if (bits == 12) return decode<DJDecompressIJG12Bit>(bytes, len, is_signed, out, size);
        return decode<DJDecompressIJG16Bit>(bytes, len, is_signed, out, size);
    } catch (...) {
        return false;
    }
}
