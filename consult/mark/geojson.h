/*
 * A file's marks as GeoJSON (RFC 7946) as QuPath opens it: places are pixels of the picture at full size instead of degrees, y goes down.
 * Pure.
 */
#ifndef CN_CONSULT_MARK_GEOJSON_H
#define CN_CONSULT_MARK_GEOJSON_H

#include "consult/mark/shape.h"

/**
 * A FeatureCollection of `marks` (the list of cn_marks_get), new reference. `mpp`: µm per pixel, 0 where the picture has no scale; lengths and
 * areas are then in pixels. Properties: objectType "annotation", name, classification {name, color}, color, measurements, metadata (author,
 * kind). An ellipse is a polygon of CN_MARK_ROUND corners; its measurements are the ellipse's own.
 */
cn_err cn_marks_geojson(const json_t *marks, double mpp, json_t **out);

#endif
