#include "consult/mark/geojson.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"

static const char *text_of(const json_t *mark, const char *key)
{
    const char *text = json_string_value(json_object_get(mark, key));
    return text ? text : "";
}

/* What QuPath's list of classes shows. */
static const char *class_of(const json_t *mark, cn_mark_kind kind)
{
    static const char *const names[CN_MARK_KIND_COUNT] = {
        [CN_MARK_DISTANCE] = "Distance",   [CN_MARK_POLYLINE] = "Polyline", [CN_MARK_AREA] = "Area",
        [CN_MARK_RECTANGLE] = "Rectangle", [CN_MARK_ELLIPSE] = "Ellipse",   [CN_MARK_ANGLE] = "Angle",
        [CN_MARK_ARROW] = "Arrow",         [CN_MARK_TEXT] = "Text",         [CN_MARK_COUNT] = "Count",
        [CN_MARK_SQUARE] = "Frame",        [CN_MARK_CIRCLE] = "Frame"};
    const char *text = text_of(mark, "text");
    return kind == CN_MARK_COUNT && *text ? text : names[kind];
}

static json_t *colour_json(const char *colour)
{
    unsigned long rgb = *colour ? strtoul(colour + 1, NULL, 16) : 0;
    return json_pack("[i, i, i]", (int)(rgb >> 16 & 255), (int)(rgb >> 8 & 255), (int)(rgb & 255));
}

static cn_err ring_json(const cn_mark_shape *shape, json_t **out)
{
    size_t room = shape->len > CN_MARK_ROUND ? shape->len : CN_MARK_ROUND;
    CN_AUTO_FREE double(*ring)[2] = calloc(room, sizeof *ring);
    CN_AUTO_JSON json_t *list = json_array();
    if (!ring || !list) return CN_ERR_NOMEM;
    size_t n = cn_mark_outline(shape, ring, room);
    for (size_t i = 0; i <= n; i++)
        if (json_array_append_new(list, json_pack("[f, f]", ring[i % n][0], ring[i % n][1])) < 0) return CN_ERR_NOMEM;
    *out = json_pack("{s:s, s:[O]}", "type", "Polygon", "coordinates", list);
    return *out ? CN_OK : CN_ERR_NOMEM;
}

static cn_err geometry_json(const cn_mark_shape *shape, json_t *points, json_t **out)
{
    cn_mark_measure measure;
    cn_mark_measure_of(shape, &measure);
    if (measure.area >= 0) return ring_json(shape, out);
    if (shape->kind == CN_MARK_TEXT)
        *out = json_pack("{s:s, s:O}", "type", "Point", "coordinates", json_array_get(points, 0));
    else
        *out = json_pack("{s:s, s:O}", "type", shape->kind == CN_MARK_COUNT ? "MultiPoint" : "LineString",
                         "coordinates", points);
    return *out ? CN_OK : CN_ERR_NOMEM;
}

static cn_err put(json_t *object, const char *key, double value)
{
    return json_object_set_new(object, key, json_real(value)) < 0 ? CN_ERR_NOMEM : CN_OK;
}

/* How many counted things of everybody lie in it. */
static cn_err counted(const cn_mark_shape *frame, const json_t *marks, size_t *out)
{
    size_t i;
    json_t *mark;
    *out = 0;
    json_array_foreach(marks, i, mark)
    {
        cn_mark_shape points = {.len = 0};
        if (strcmp(text_of(mark, "kind"), "count") != 0) continue;
        CN_TRY(cn_mark_points_read(json_object_get(mark, "points"), CN_MARK_COUNT, &points, NULL));
        *out += cn_mark_inside(frame, &points);
        cn_mark_shape_free(&points);
    }
    return CN_OK;
}

static cn_err measurements_json(const cn_mark_shape *shape, const json_t *marks, double mpp, json_t **out)
{
    CN_AUTO_JSON json_t *object = json_object();
    cn_mark_measure measure;
    bool scaled = mpp > 0, frame = shape->kind == CN_MARK_SQUARE || shape->kind == CN_MARK_CIRCLE;
    double unit = scaled ? mpp : 1;
    size_t inside = 0;
    if (!object) return CN_ERR_NOMEM;
    cn_mark_measure_of(shape, &measure);
    if (measure.area >= 0) {
        CN_TRY(put(object, scaled ? "Area µm^2" : "Area px^2", measure.area * unit * unit));
        CN_TRY(put(object, scaled ? "Perimeter µm" : "Perimeter px", measure.length * unit));
    } else if (measure.length >= 0) {
        CN_TRY(put(object, scaled ? "Length µm" : "Length px", measure.length * unit));
    }
    if (measure.degrees >= 0) CN_TRY(put(object, "Angle °", measure.degrees));
    if (shape->kind == CN_MARK_COUNT) CN_TRY(put(object, "Count", (double)shape->len));
    if (frame) {
        CN_TRY(counted(shape, marks, &inside));
        CN_TRY(put(object, "Count", (double)inside));
    }
    *out = json_incref(object);
    return CN_OK;
}

static cn_err feature_json(const json_t *mark, const json_t *marks, const cn_mark_shape *shape, double mpp,
                           json_t **out)
{
    CN_AUTO_JSON json_t *geometry = NULL, *measurements = NULL, *colour = colour_json(text_of(mark, "colour"));
    const char *text = text_of(mark, "text"), *kind = class_of(mark, shape->kind);
    CN_TRY(geometry_json(shape, json_object_get(mark, "points"), &geometry));
    CN_TRY(measurements_json(shape, marks, mpp, &measurements));
    *out = json_pack("{s:s, s:O, s:{s:s, s:s, s:{s:s, s:O}, s:O, s:b, s:O, s:{s:s, s:s}}}", "type", "Feature",
                     "geometry", geometry, "properties", "objectType", "annotation", "name", *text ? text : kind,
                     "classification", "name", kind, "color", colour, "color", colour, "isLocked", 0, "measurements",
                     measurements, "metadata", "author", text_of(json_object_get(mark, "author"), "name"), "kind",
                     cn_mark_kind_name(shape->kind));
    return *out ? CN_OK : CN_ERR_NOMEM;
}

static cn_err add_feature(json_t *list, const json_t *mark, const json_t *marks, double mpp)
{
    cn_mark_shape shape = {.len = 0};
    json_t *feature = NULL;
    if (!cn_mark_kind_parse(text_of(mark, "kind"), &shape.kind)) return CN_ERR_CORRUPT;
    CN_TRY(cn_mark_points_read(json_object_get(mark, "points"), shape.kind, &shape, NULL));
    cn_err err = feature_json(mark, marks, &shape, mpp, &feature);
    cn_mark_shape_free(&shape);
    if (err == CN_OK && json_array_append_new(list, feature) < 0) err = CN_ERR_NOMEM;
    return err;
}

cn_err cn_marks_geojson(const json_t *marks, double mpp, json_t **out)
{
    CN_AUTO_JSON json_t *list = json_array();
    size_t i;
    json_t *mark;
    json_array_foreach(marks, i, mark) CN_TRY(add_feature(list, mark, marks, mpp));
    *out = json_pack("{s:s, s:O}", "type", "FeatureCollection", "features", list);
    return *out ? CN_OK : CN_ERR_NOMEM;
}
