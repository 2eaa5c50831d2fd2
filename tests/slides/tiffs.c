/* Those that are one TIFF. */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "slides/inside.h"

/* The levels of a slide without overlaps, each `kind->down` of the first; `first` says what is special. */
static cn_err even_levels(TIFF *tif, const slides_kind *kind, const slides_dir *like, int from)
{
    for (int i = from; i < kind->levels; i++) {
        slides_dir dir = *like;
        dir.width = (int64_t)((double)kind->width / kind->down[i]);
        dir.height = (int64_t)((double)kind->height / kind->down[i]);
        dir.place = slides_even;
        dir.ctx = &kind->down[i];
        if (i > 0) {
            dir.per_cm /= kind->down[i];
            dir.subfile = like->subfile;
        }
        CN_TRY(slides_write_dir(tif, &dir));
    }
    return CN_OK;
}

static cn_err closed(TIFF *tif, cn_err err)
{
    TIFFClose(tif);
    return err;
}

/* A small picture of the whole, in one strip: thumbnails, labels. */
static cn_err small_picture(TIFF *tif, const char *description, uint32_t subfile)
{
    static const double down = 8;
    return slides_write_dir(tif, &(slides_dir){.width = 160,
                                               .height = 120,
                                               .compression = COMPRESSION_LZW,
                                               .photometric = PHOTOMETRIC_RGB,
                                               .subfile = subfile,
                                               .description = description,
                                               .place = slides_even,
                                               .ctx = &down});
}

cn_err slides_make_generic(const slides_kind *kind, const char *dir)
{
    TIFF *tif = slides_tiff(dir, kind->file);
    if (!tif) return CN_ERR_IO;
    slides_dir like = {.tile_width = 256,
                       .tile_height = 256,
                       .compression = COMPRESSION_ADOBE_DEFLATE,
                       .photometric = PHOTOMETRIC_RGB,
                       .per_cm = 20000};
    slides_kind first = *kind;
    first.levels = 1;
    cn_err err = even_levels(tif, &first, &like, 0);
    like.subfile = FILETYPE_REDUCEDIMAGE;
    if (err == CN_OK) err = even_levels(tif, kind, &like, 1);
    return closed(tif, err);
}

/* Aperio: level 0, a thumbnail in strips, the other levels, label and macro in strips. "-rgb": the JPEGs store RGB. */
cn_err slides_make_svs(const slides_kind *kind, const char *dir)
{
    char text[300];
    bool rgb = strstr(kind->name, "rgb") != NULL;
    TIFF *tif = slides_tiff(dir, kind->file);
    if (!tif) return CN_ERR_IO;
    cn_fmt(text, sizeof(text),
           "Aperio Image Library v11.2.1 \r\n%dx%d [0,0 %dx%d] (240x240) JPEG/%s Q=95|AppMag = 20|MPP = 0.4990",
           (int)kind->width, (int)kind->height, (int)kind->width, (int)kind->height, rgb ? "RGB" : "YCC");
    const slides_dir like = {.tile_width = 240,
                             .tile_height = 240,
                             .compression = COMPRESSION_JPEG,
                             .photometric = rgb ? PHOTOMETRIC_RGB : PHOTOMETRIC_YCBCR,
                             .description = text};
    slides_kind first = *kind;
    first.levels = 1;
    cn_err err = even_levels(tif, &first, &like, 0);
    if (err == CN_OK)
        err = small_picture(tif, "Aperio Image Library v11.2.1 \r\n1280x960 -> 160x120 - |AppMag = 20", 0);
    if (err == CN_OK) err = even_levels(tif, kind, &like, 1);
    if (err == CN_OK) err = small_picture(tif, "Aperio Image Library v11.2.1 \r\nlabel 160x120", FILETYPE_REDUCEDIMAGE);
    if (err == CN_OK) err = small_picture(tif, "Aperio Image Library v11.2.1 \r\nmacro 160x120", 9);
    return closed(tif, err);
}

/* ---- Leica: an area that lies within the glass ---- */

#define CLICKS 500 /* nanometres per pixel */

static void scn_image(cn_buf *xml, const slides_kind *kind, bool macro)
{
    int64_t across = kind->width + 2 * kind->left, down = kind->height + 2 * kind->top;
    cn_buf_fmt(xml,
               "<image name=\"image\"><creationDate>2024-01-02T03:04:05Z</creationDate><device model=\"SCN400\" "
               "version=\"1.0\"/><pixels sizeX=\"%d\" sizeY=\"%d\">",
               (int)kind->width, (int)kind->height);
    if (macro) cn_buf_fmt(xml, "<dimension sizeX=\"160\" sizeY=\"120\" r=\"0\" ifd=\"%d\"/>", kind->levels);
    for (int i = 0; !macro && i < kind->levels; i++)
        cn_buf_fmt(xml, "<dimension sizeX=\"%d\" sizeY=\"%d\" r=\"%d\" ifd=\"%d\"/>",
                   (int)((double)kind->width / kind->down[i]), (int)((double)kind->height / kind->down[i]), i, i);
    cn_buf_fmt(xml, "</pixels><view sizeX=\"%d\" sizeY=\"%d\" offsetX=\"%d\" offsetY=\"%d\"/>",
               (int)((macro ? across : kind->width) * CLICKS), (int)((macro ? down : kind->height) * CLICKS),
               (int)(macro ? 0 : kind->left * CLICKS), (int)(macro ? 0 : kind->top * CLICKS));
    cn_buf_fmt(xml,
               "<scanSettings><objectiveSettings><objective>20</objective></objectiveSettings><illuminationSettings>"
               "<numericalAperture>0.4</numericalAperture><illuminationSource>brightfield</illuminationSource>"
               "</illuminationSettings></scanSettings></image>");
}

cn_err slides_make_scn(const slides_kind *kind, const char *dir)
{
    cn_buf xml = {0};
    TIFF *tif = slides_tiff(dir, kind->file);
    if (!tif) return CN_ERR_IO;
    cn_buf_fmt(&xml,
               "<?xml version=\"1.0\"?><scn xmlns=\"http://www.leica-microsystems.com/scn/2010/10/01\"><collection "
               "name=\"made\" sizeX=\"%d\" sizeY=\"%d\">",
               (int)((kind->width + 2 * kind->left) * CLICKS), (int)((kind->height + 2 * kind->top) * CLICKS));
    scn_image(&xml, kind, true);
    scn_image(&xml, kind, false);
    cn_buf_fmt(&xml, "</collection></scn>");
    slides_dir like = {.tile_width = 256,
                       .tile_height = 256,
                       .compression = COMPRESSION_JPEG,
                       .photometric = PHOTOMETRIC_YCBCR,
                       .per_cm = 20000};
    slides_kind first = *kind;
    first.levels = 1;
    like.description = xml.p;
    cn_err err = even_levels(tif, &first, &like, 0);
    like.description = NULL;
    if (err == CN_OK) err = even_levels(tif, kind, &like, 1);
    static const double eighth = 8;
    const slides_dir macro = {.width = 160,
                              .height = 120,
                              .tile_width = 256,
                              .tile_height = 256,
                              .compression = COMPRESSION_JPEG,
                              .photometric = PHOTOMETRIC_YCBCR,
                              .place = slides_even,
                              .ctx = &eighth};
    if (err == CN_OK) err = slides_write_dir(tif, &macro);
    cn_buf_free(&xml);
    return closed(tif, err);
}

/* ---- Philips: what a level is stands in XML ---- */

static void philips_xml(cn_buf *xml, const slides_kind *kind)
{
    cn_buf_fmt(
        xml,
        "<?xml version=\"1.0\" encoding=\"UTF-8\" ?><DataObject ObjectType=\"DPUfsImport\"><Attribute "
        "Name=\"DICOM_MANUFACTURER\">PHILIPS</Attribute><Attribute Name=\"PIM_DP_SCANNED_IMAGES\"><Array>"
        "<DataObject ObjectType=\"DPScannedImage\"><Attribute Name=\"PIM_DP_IMAGE_TYPE\">WSI</Attribute><Attribute "
        "Name=\"DICOM_PIXEL_SPACING\">\"0.0005\" \"0.0005\"</Attribute><Attribute "
        "Name=\"PIIM_PIXEL_DATA_REPRESENTATION_SEQUENCE\"><Array>");
    for (int i = 0; i < kind->levels; i++)
        cn_buf_fmt(xml,
                   "<DataObject ObjectType=\"PixelDataRepresentation\"><Attribute Name=\"DICOM_PIXEL_SPACING\">"
                   "\"%g\" \"%g\"</Attribute><Attribute Name=\"PIIM_PIXEL_DATA_REPRESENTATION_NUMBER\">%d</Attribute>"
                   "</DataObject>",
                   0.0005 * kind->down[i], 0.0005 * kind->down[i], i);
    cn_buf_fmt(xml, "</Array></Attribute></DataObject></Array></Attribute></DataObject>");
}

cn_err slides_make_philips(const slides_kind *kind, const char *dir)
{
    cn_buf xml = {0};
    TIFF *tif = slides_tiff(dir, kind->file);
    if (!tif) return CN_ERR_IO;
    philips_xml(&xml, kind);
    slides_dir like = {.tile_width = 512,
                       .tile_height = 512,
                       .compression = COMPRESSION_JPEG,
                       .photometric = PHOTOMETRIC_YCBCR,
                       .software = "Philips DP v1.0",
                       .description = xml.p};
    slides_kind first = *kind;
    first.levels = 1;
    cn_err err = even_levels(tif, &first, &like, 0);
    like.description = "level=1";
    like.subfile = FILETYPE_REDUCEDIMAGE;
    if (err == CN_OK) err = even_levels(tif, kind, &like, 1);
    if (err == CN_OK) err = small_picture(tif, "Label", 0);
    if (err == CN_OK) err = small_picture(tif, "Macro", 0);
    cn_buf_free(&xml);
    return closed(tif, err);
}

/* ---- tiles that overlap ---- */

typedef struct overlap {
    int64_t tile, x, y; /* of one level, in its pixels */
    double down;
} overlap;

static void overlapping(const void *ctx, int64_t x, int64_t y, double *px, double *py)
{
    const overlap *by = ctx;
    *px = (double)(x / by->tile * (by->tile - by->x) + x % by->tile) * by->down;
    *py = (double)(y / by->tile * (by->tile - by->y) + y % by->tile) * by->down;
}

/* Trestle: 5 × 4 tiles of 256 that overlap by 16 and 12 pixels; its lower level does not. */
cn_err slides_make_trestle(const slides_kind *kind, const char *dir)
{
    TIFF *tif = slides_tiff(dir, kind->file);
    if (!tif) return CN_ERR_IO;
    const overlap first = {256, 16, 12, 1};
    slides_dir like = {.width = 1280,
                       .height = 1024,
                       .tile_width = 256,
                       .tile_height = 256,
                       .compression = COMPRESSION_JPEG,
                       .photometric = PHOTOMETRIC_YCBCR,
                       .software = "MedScan",
                       .description = "Background Color=E6E6E6;White Balance=1;Objective Power=20;JPEG Quality=95;"
                                      "OverlapsXY= 16 12 0 0",
                       .place = overlapping,
                       .ctx = &first};
    cn_err err = slides_write_dir(tif, &like);
    if (err == CN_OK) err = even_levels(tif, kind, &like, 1);
    return closed(tif, err);
}

/* ---- Ventana: 5 × 4 tiles whose joints are listed, numbered from below in a snake ---- */

#define BIF_ACROSS 5
#define BIF_DOWN 4
#define BIF_TILE 256
#define BIF_OVERLAP_X 8
#define BIF_OVERLAP_Y 4

static int bif_number(int column, int row)
{
    int from_below = BIF_DOWN - 1 - row;
    return from_below * BIF_ACROSS + (from_below % 2 ? BIF_ACROSS - 1 - column : column) + 1;
}

static void bif_joint(cn_buf *xml, const char *direction, int from, int to)
{
    bool up = *direction == 'U';
    cn_buf_fmt(xml,
               "<TileJointInfo FlagJoined=\"1\" Confidence=\"100\" Direction=\"%s\" Tile1=\"%d\" Tile2=\"%d\" "
               "OverlapX=\"%d\" OverlapY=\"%d\"/>",
               direction, from, to, up ? 0 : BIF_OVERLAP_X, up ? BIF_OVERLAP_Y : 0);
}

static void bif_xml(cn_buf *xml)
{
    cn_buf_fmt(
        xml,
        "<?xml version=\"1.0\"?><EncodeInfo Ver=\"2\"><SlideStitchInfo><ImageInfo AOIScanned=\"1\" AOIIndex=\"0\" "
        "Width=\"%d\" Height=\"%d\" NumRows=\"%d\" NumCols=\"%d\" Pos-X=\"0\" Pos-Y=\"0\">",
        BIF_TILE, BIF_TILE, BIF_DOWN, BIF_ACROSS);
    for (int row = 0; row < BIF_DOWN; row++)
        for (int column = 0; column < BIF_ACROSS; column++) {
            if (column + 1 < BIF_ACROSS) bif_joint(xml, "RIGHT", bif_number(column, row), bif_number(column + 1, row));
            if (row > 0) bif_joint(xml, "UP", bif_number(column, row), bif_number(column, row - 1));
        }
    cn_buf_fmt(xml,
               "</ImageInfo></SlideStitchInfo><AoiOrigin><AOI0 OriginX=\"0\" OriginY=\"0\"/></AoiOrigin></EncodeInfo>");
}

cn_err slides_make_bif(const slides_kind *kind, const char *dir)
{
    static const char scan[] = "<iScan Magnification=\"20\" ScanRes=\"0.500000\" Z-layers=\"1\" Z-spacing=\"1\" "
                               "ScannerModel=\"made\"></iScan>";
    static const double eighth = 8;
    cn_buf xml = {0};
    TIFF *tif = slides_tiff(dir, kind->file);
    if (!tif) return CN_ERR_IO;
    bif_xml(&xml);
    const slides_dir label = {.width = 160,
                              .height = 120,
                              .compression = COMPRESSION_LZW,
                              .photometric = PHOTOMETRIC_RGB,
                              .description = "Label Image",
                              .xml = scan,
                              .place = slides_even,
                              .ctx = &eighth};
    cn_err err = slides_write_dir(tif, &label);
    for (int i = 0; err == CN_OK && i < kind->levels; i++) {
        char text[60];
        int64_t down = (int64_t)kind->down[i];
        const overlap by = {BIF_TILE / down, BIF_OVERLAP_X / down, BIF_OVERLAP_Y / down, kind->down[i]};
        cn_fmt(text, sizeof(text), "level=%d mag=%g quality=95", i, 20 / kind->down[i]);
        err = slides_write_dir(tif, &(slides_dir){.width = BIF_ACROSS * BIF_TILE / down,
                                                  .height = BIF_DOWN * BIF_TILE / down,
                                                  .tile_width = BIF_TILE,
                                                  .tile_height = BIF_TILE,
                                                  .compression = COMPRESSION_JPEG,
                                                  .photometric = PHOTOMETRIC_YCBCR,
                                                  .description = text,
                                                  .xml = i ? NULL : xml.p,
                                                  .place = overlapping,
                                                  .ctx = &by});
    }
    cn_buf_free(&xml);
    return closed(tif, err);
}
