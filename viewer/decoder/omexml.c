#include "viewer/decoder/omexml.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define TEXT_MAX ((size_t)16 << 20)

static bool is(const xmlNode *node, const char *name)
{
    return node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0;
}

/* The next element of that name, from `node` on. */
static xmlNode *find(xmlNode *node, const char *name)
{
    while (node && !is(node, name)) node = node->next;
    return node;
}

static bool text_of(xmlNode *node, const char *name, char *out, size_t size)
{
    xmlChar *value = node ? xmlGetNoNsProp(node, (const xmlChar *)name) : NULL;
    bool fits = value && cn_strcpy(out, size, (const char *)value);
    xmlFree(value);
    return fits;
}

/* Within min…max, else `otherwise`. */
static int64_t integer_of(xmlNode *node, const char *name, int64_t min, int64_t max, int64_t otherwise)
{
    char text[32];
    int64_t value = 0;
    return text_of(node, name, text, sizeof(text)) && cn_parse_i64(text, min, max, &value) ? value : otherwise;
}

static double number_of(xmlNode *node, const char *name)
{
    char text[64];
    double value = text_of(node, name, text, sizeof(text)) ? strtod(text, NULL) : 0;
    return isfinite(value) && value > 0 ? value : 0;
}

/* ---- lengths ---- */

static double length_of(xmlNode *pixels, const char *name)
{
    static const struct {
        const char *unit;
        double um;
    } units[] = {{"µm", 1}, {"\xce\xbcm", 1}, {"nm", 1e-3}, {"mm", 1e3}, {"cm", 1e4}, {"m", 1e6}, {"pm", 1e-6}};
    char unit_name[64], unit[32];
    double value = number_of(pixels, name);
    cn_fmt(unit_name, sizeof(unit_name), "%sUnit", name);
    if (!text_of(pixels, unit_name, unit, sizeof(unit))) return value; /* µm, says the schema */
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (strcmp(units[i].unit, unit) == 0) return value * units[i].um;
    return 0; /* pixels, or whatever else is no length */
}

/* ---- channels ---- */

/* Where a file gives none: as microscopes mostly show them. */
static uint32_t usual_colour(uint32_t nth, uint32_t channels)
{
    static const uint32_t usual[] = {0x0000ff, 0x00ff00, 0xff0000, 0x00ffff, 0xff00ff, 0xffff00, 0xffffff};
    return channels == 1 ? 0xffffff : usual[nth % (sizeof(usual) / sizeof(usual[0]))];
}

static void read_channel(xmlNode *node, uint32_t nth, cn_ome_plan *out)
{
    cn_decode_channel *channel = &out->channel[nth];
    int64_t rgba = integer_of(node, "Color", INT32_MIN, UINT32_MAX, -1);
    uint32_t colour = (uint32_t)rgba >> 8;
    bool said = rgba != -1 && colour != 0;
    channel->colour = said ? colour : usual_colour(nth, out->channels);
    if (!text_of(node, "Name", channel->name, sizeof(channel->name)) || !cn_decode_is_name(channel->name))
        cn_fmt(channel->name, sizeof(channel->name), "%u", nth + 1);
}

static cn_err read_channels(xmlNode *pixels, cn_ome_plan *out)
{
    int64_t size_c = integer_of(pixels, "SizeC", 1, 1 << 16, 0);
    xmlNode *first = find(pixels->children, "Channel");
    out->samples = (uint32_t)integer_of(first, "SamplesPerPixel", 1, 64, 1);
    if (size_c < 1 || size_c % out->samples != 0) return CN_ERR_CORRUPT;
    if (out->samples != 1 && out->samples != 3) return CN_ERR_UNSUPPORTED;
    int64_t channels = size_c / out->samples;
    if (channels > CN_DECODE_CHANNELS || (out->samples == 3 && channels > 1)) return CN_ERR_UNSUPPORTED;
    out->channels = (uint32_t)channels;
    for (uint32_t i = 0; i < out->channels; i++) {
        read_channel(first, i, out);
        if (first) first = find(first->next, "Channel");
    }
    return CN_OK;
}

/* ---- planes ---- */

typedef struct plane_at {
    int64_t z, c, t;
} plane_at;

static int64_t *part_of(plane_at *at, char dimension)
{
    return dimension == 'Z' ? &at->z : dimension == 'C' ? &at->c : &at->t;
}

/* The plane after this one; false: there is none. */
static bool step(plane_at *at, const char *order, plane_at size)
{
    for (size_t i = 2; i < 5; i++) {
        int64_t *part = part_of(at, order[i]);
        if (++*part < *part_of(&size, order[i])) return true;
        *part = 0;
    }
    return false;
}

static bool is_order(const char *order)
{
    return strlen(order) == 5 && order[0] == 'X' && order[1] == 'Y' && strchr(order, 'Z') && strchr(order, 'C') &&
           strchr(order, 'T');
}

static void put(cn_ome_plan *out, const plane_at *at, int64_t dir)
{
    if (at->t == 0 && at->z < out->z_planes && at->c < out->channels)
        out->dirs[at->z * out->channels + at->c] = (uint32_t)dir;
}

static void read_block(xmlNode *block, const char *order, plane_at size, cn_ome_plan *out)
{
    int64_t dir = integer_of(block, "IFD", 0, 1 << 20, -1);
    int64_t count = integer_of(block, "PlaneCount", 1, 1 << 20, dir < 0 ? size.z * size.c * size.t : 1);
    plane_at at = {integer_of(block, "FirstZ", 0, 1 << 20, 0), integer_of(block, "FirstC", 0, 1 << 20, 0),
                   integer_of(block, "FirstT", 0, 1 << 20, 0)};
    at.c /= out->samples;
    for (dir = dir < 0 ? 0 : dir; count > 0; count--, dir++) {
        put(out, &at, dir);
        if (!step(&at, order, size)) return;
    }
}

static cn_err read_planes(xmlNode *pixels, cn_ome_plan *out)
{
    char order[8];
    plane_at size = {.z = out->z_planes, .c = out->channels, .t = integer_of(pixels, "SizeT", 1, 1 << 20, 1)};
    if (!text_of(pixels, "DimensionOrder", order, sizeof(order)) || !is_order(order)) return CN_ERR_CORRUPT;
    for (size_t i = 0; i < CN_OME_PLANES; i++) out->dirs[i] = CN_OME_MISSING;
    xmlNode *block = find(pixels->children, "TiffData");
    if (!block) return CN_ERR_UNSUPPORTED;
    for (; block; block = find(block->next, "TiffData")) read_block(block, order, size, out);
    return CN_OK;
}

/* ---- the whole ---- */

/* Labels and overviews are images of their own: the slide is the largest. */
static xmlNode *largest(xmlNode *root, int64_t *width, int64_t *height)
{
    xmlNode *found = NULL;
    for (xmlNode *image = find(root->children, "Image"); image; image = find(image->next, "Image")) {
        xmlNode *pixels = find(image->children, "Pixels");
        int64_t w = integer_of(pixels, "SizeX", 1, INT32_MAX, 0), h = integer_of(pixels, "SizeY", 1, INT32_MAX, 0);
        if (w == 0 || h == 0 || (found && w * h <= *width * *height)) continue;
        found = pixels;
        *width = w;
        *height = h;
    }
    return found;
}

static double objective_of(xmlNode *root)
{
    xmlNode *instrument = find(root->children, "Instrument");
    double power = instrument ? number_of(find(instrument->children, "Objective"), "NominalMagnification") : 0;
    return power >= 0.1 && power <= 1000 ? power : 0;
}

static cn_err read_root(xmlNode *root, cn_ome_plan *out)
{
    if (!root || !is(root, "OME")) return CN_ERR_UNSUPPORTED;
    xmlNode *pixels = largest(root, &out->width, &out->height);
    if (!pixels) return CN_ERR_UNSUPPORTED; /* e.g. BinaryOnly: it is described in a file beside it */
    int64_t z = integer_of(pixels, "SizeZ", 1, CN_OME_PLANES, 0);
    if (z < 1) return CN_ERR_UNSUPPORTED;
    out->z_planes = (uint32_t)z;
    CN_TRY(read_channels(pixels, out));
    if (z * out->channels > CN_OME_PLANES) return CN_ERR_UNSUPPORTED;
    out->mpp_x = length_of(pixels, "PhysicalSizeX");
    out->mpp_y = length_of(pixels, "PhysicalSizeY");
    out->z_spacing = z > 1 ? length_of(pixels, "PhysicalSizeZ") : 0;
    if (out->z_spacing > 1000) out->z_spacing = 0;
    out->objective = objective_of(root);
    return read_planes(pixels, out);
}

/* No OME-XML has entities; what is made of them may be larger than any memory. */
static bool declares(const char *text, size_t len)
{
    return memmem(text, len, "<!DOCTYPE", 9) || memmem(text, len, "<!ENTITY", 8);
}

cn_err cn_ome_read_xml(const char *text, size_t len, cn_ome_plan *out)
{
    *out = (cn_ome_plan){.width = 0};
    if (len > TEXT_MAX || declares(text, len)) return CN_ERR_UNSUPPORTED;
    xmlDoc *doc = xmlReadMemory(text, (int)len, NULL, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    cn_err err = doc ? read_root(xmlDocGetRootElement(doc), out) : CN_ERR_UNSUPPORTED;
    xmlFreeDoc(doc);
    return err;
}
