/* OME-TIFF: planes and channels are directories, their lower levels SubIFDs. */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "slides/inside.h"

#define TILE 256

uint16_t slides_ome_value(double x, double y, int z, int channel)
{
    uint8_t rgb[3];
    slides_pixel(x + 90.0 * z, y + 50.0 * channel, rgb);
    return (uint16_t)(1000 + 150 * rgb[channel]);
}

static void describe(cn_buf *xml, const slides_kind *kind, bool rgb)
{
    static const int64_t colours[] = {0xff0000ff, 0x00ff00ff, 0x0000ffff};
    int planes = rgb ? 1 : SLIDES_OME_PLANES, channels = rgb ? 1 : SLIDES_OME_CHANNELS;
    cn_buf_fmt(
        xml,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><OME xmlns=\"http://www.openmicroscopy.org/Schemas/OME/2016-06\">"
        "<Instrument ID=\"Instrument:0\"><Objective ID=\"Objective:0\" NominalMagnification=\"20.0\"/></Instrument>"
        "<Image ID=\"Image:0\"><Pixels ID=\"Pixels:0\" DimensionOrder=\"XYCZT\" Type=\"%s\" SizeX=\"%d\" SizeY=\"%d\" "
        "SizeC=\"%d\" SizeZ=\"%d\" SizeT=\"1\" PhysicalSizeX=\"0.5\" PhysicalSizeY=\"500\" "
        "PhysicalSizeYUnit=\"nm\" PhysicalSizeZ=\"1.5\">",
        rgb ? "uint8" : "uint16", (int)kind->width, (int)kind->height, 3, planes);
    for (int c = 0; c < channels; c++)
        cn_buf_fmt(xml, "<Channel ID=\"Channel:0:%d\" Name=\"%s\" Color=\"%d\" SamplesPerPixel=\"%d\"/>", c,
                   c ? c > 1 ? "CD8 &amp; CD4" : "Ki-67" : "DAPI", (int)(int32_t)(uint32_t)colours[c], rgb ? 3 : 1);
    cn_buf_fmt(xml, "<TiffData IFD=\"0\" PlaneCount=\"%d\"/></Pixels></Image></OME>", planes * channels);
}

static void set_level(TIFF *tif, uint32_t width, uint32_t height, bool rgb)
{
    TIFFSetField(tif, TIFFTAG_IMAGEWIDTH, width);
    TIFFSetField(tif, TIFFTAG_IMAGELENGTH, height);
    TIFFSetField(tif, TIFFTAG_BITSPERSAMPLE, rgb ? 8 : 16);
    TIFFSetField(tif, TIFFTAG_SAMPLESPERPIXEL, rgb ? 3 : 1);
    TIFFSetField(tif, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
    TIFFSetField(tif, TIFFTAG_COMPRESSION, rgb ? COMPRESSION_JPEG : COMPRESSION_LZW);
    TIFFSetField(tif, TIFFTAG_PHOTOMETRIC, rgb ? PHOTOMETRIC_YCBCR : PHOTOMETRIC_MINISBLACK);
    TIFFSetField(tif, TIFFTAG_TILEWIDTH, TILE);
    TIFFSetField(tif, TIFFTAG_TILELENGTH, TILE);
    if (rgb) {
        TIFFSetField(tif, TIFFTAG_JPEGQUALITY, 95);
        TIFFSetField(tif, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    }
}

static void draw_grey(uint16_t *grey, int64_t left, int64_t top, double down, int z, int channel)
{
    for (int64_t y = 0; y < TILE; y++)
        for (int64_t x = 0; x < TILE; x++)
            grey[y * TILE + x] = slides_ome_value((double)(left + x) * down, (double)(top + y) * down, z, channel);
}

static cn_err write_level(TIFF *tif, const slides_kind *kind, int level, int z, int channel, bool rgb)
{
    static uint16_t grey[TILE * TILE];
    static uint8_t colour[3 * TILE * TILE];
    int64_t width = (int64_t)((double)kind->width / kind->down[level]);
    int64_t height = (int64_t)((double)kind->height / kind->down[level]);
    uint32_t nth = 0;
    set_level(tif, (uint32_t)width, (uint32_t)height, rgb);
    for (int64_t y = 0; y < height; y += TILE)
        for (int64_t x = 0; x < width; x += TILE, nth++) {
            if (rgb)
                slides_draw(colour, x, y, TILE, TILE, slides_even, &kind->down[level]);
            else
                draw_grey(grey, x, y, kind->down[level], z, channel);
            if (TIFFWriteEncodedTile(tif, nth, rgb ? (void *)colour : grey,
                                     rgb ? (tmsize_t)sizeof(colour) : (tmsize_t)sizeof(grey)) < 0)
                return CN_ERR_IO;
        }
    return TIFFWriteDirectory(tif) ? CN_OK : CN_ERR_IO;
}

static cn_err write_plane(TIFF *tif, const slides_kind *kind, const char *xml, int z, int channel, bool rgb)
{
    uint64_t below[SLIDES_LEVELS] = {0};
    if (xml) TIFFSetField(tif, TIFFTAG_IMAGEDESCRIPTION, xml);
    TIFFSetField(tif, TIFFTAG_SUBIFD, kind->levels - 1, below);
    cn_err err = CN_OK;
    for (int level = 0; err == CN_OK && level < kind->levels; level++)
        err = write_level(tif, kind, level, z, channel, rgb);
    return err;
}

cn_err slides_make_ome(const slides_kind *kind, const char *dir)
{
    cn_buf xml = {0};
    bool rgb = strstr(kind->name, "rgb") != NULL;
    TIFF *tif = slides_tiff(dir, kind->file);
    if (!tif) return CN_ERR_IO;
    describe(&xml, kind, rgb);
    cn_err err = CN_OK;
    for (int z = 0; err == CN_OK && z < (rgb ? 1 : SLIDES_OME_PLANES); z++)
        for (int c = 0; err == CN_OK && c < (rgb ? 1 : SLIDES_OME_CHANNELS); c++)
            err = write_plane(tif, kind, z || c ? NULL : xml.p, z, c, rgb);
    cn_buf_free(&xml);
    TIFFClose(tif);
    return err;
}
