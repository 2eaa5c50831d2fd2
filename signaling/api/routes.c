#include "signaling/api/api.h"
#include "signaling/metrics/metrics.h"

const cn_route *const cn_route_tables[] = {
    cn_account_routes, cn_figure_routes,  cn_request_routes, cn_file_routes,   cn_mark_routes,
    cn_upload_routes,  cn_slide_routes,   cn_iiif_routes,    cn_dicom_routes,  cn_stow_routes,
    cn_room_routes,    cn_quality_routes, cn_meta_routes,    cn_health_routes, NULL};

const cn_route *const cn_management_tables[] = {cn_metrics_routes, cn_health_routes, NULL};
