#include "viewer/ecg/reader/xml.h"

#include <libxml/parser.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define MOST ((size_t)512 << 20)

cn_err cn_xml_open(const uint8_t *bytes, size_t len, xmlDoc **out)
{
    if (len > MOST) return CN_ERR_TOOBIG;
    *out = xmlReadMemory((const char *)bytes, (int)len, "", NULL,
                         XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOBLANKS);
    if (!*out) return CN_ERR_CORRUPT;
    /* a type definition that stands elsewhere is named only, and not asked for; one that stands here may hold entities */
    const xmlDtd *definition = xmlGetIntSubset(*out);
    if (!(definition && definition->children) && xmlDocGetRootElement(*out)) return CN_OK;
    xmlFreeDoc(*out);
    *out = NULL;
    return CN_ERR_CORRUPT;
}

xmlNode *cn_xml_next(xmlNode *node, const char *name)
{
    while (node && (node->type != XML_ELEMENT_NODE || (name && strcmp((const char *)node->name, name) != 0)))
        node = node->next;
    return node;
}

xmlNode *cn_xml_at(xmlNode *node, const char *path)
{
    while (node && *path) {
        char name[64];
        size_t n = strcspn(path, "/");
        if (n >= sizeof(name)) return NULL;
        memcpy(name, path, n);
        name[n] = 0;
        node = cn_xml_next(node->children, name);
        path += n + (path[n] == '/');
    }
    return node;
}

xmlNode *cn_xml_walk(const xmlNode *top, xmlNode *node)
{
    xmlNode *next = cn_xml_next(node->children, NULL);
    while (!next && node != top) {
        next = cn_xml_next(node->next, NULL);
        node = node->parent;
    }
    return next;
}

bool cn_xml_attribute(xmlNode *node, const char *name, char *out, size_t size)
{
    *out = 0;
    xmlChar *value = node ? xmlGetProp(node, (const xmlChar *)name) : NULL;
    if (!value) return false;
    cn_ecg_text(out, size, value, strlen((const char *)value));
    xmlFree(value);
    return true;
}

char *cn_xml_text(xmlNode *node)
{
    xmlChar *text = node ? xmlNodeGetContent(node) : NULL;
    char *copy = cn_strdup((const char *)text);
    xmlFree(text);
    return copy;
}

void cn_xml_words(xmlNode *node, char *out, size_t size)
{
    CN_AUTO_FREE char *text = cn_xml_text(node);
    *out = 0;
    if (text) cn_ecg_text(out, size, text, strlen(text));
}

double cn_xml_number(const char *text, double otherwise)
{
    char *end = NULL;
    double value = strtod(text, &end);
    return end != text && isfinite(value) ? value : otherwise;
}
