/* What the XML readers share: libxml2's tree, without network and entities, by local names. */
#ifndef CN_VIEWER_ECG_XML_H
#define CN_VIEWER_ECG_XML_H

#include <libxml/tree.h>
#include <stdbool.h>

#include "viewer/ecg/reader/record.h"

/** The document; xmlFreeDoc. CN_ERR_CORRUPT: no XML, one that defines entities, or beyond 512 MiB. */
cn_err cn_xml_open(const uint8_t *bytes, size_t len, xmlDoc **out);
/** The next element from `node` on, among its siblings, of that local name; NULL: any name. */
xmlNode *cn_xml_next(xmlNode *node, const char *name);
/** The first below `node` along "a/b/c". NULL where there is none. */
xmlNode *cn_xml_at(xmlNode *node, const char *path);
/** The element after `node` in the order of the document, within `top`; begin with `top` itself. */
xmlNode *cn_xml_walk(const xmlNode *top, xmlNode *node);
/** False, and "": there is none. */
bool cn_xml_attribute(xmlNode *node, const char *name, char *out, size_t size);
/** The text of an element and of all below it; free(). NULL node or memory: NULL. */
char *cn_xml_text(xmlNode *node);
/** The same where it is short, as cn_ecg_text has it. */
void cn_xml_words(xmlNode *node, char *out, size_t size);
/** A finite number, or `otherwise`. */
double cn_xml_number(const char *text, double otherwise);

#endif
