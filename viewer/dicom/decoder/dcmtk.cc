// What comes from DCMTK, for the C around it: the dictionary.
#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcdict.h>
#include <dcmtk/dcmdata/dcdicent.h>

#include <cstring>

extern "C" {
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
