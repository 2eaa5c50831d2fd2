#include "media/forward/line.h"

#include "base/crypto.h"
#include "base/str.h"

#define TWCC_RECORDS 2048

cn_err cn_line_open(cn_line *line, cn_worker *worker, const char *id, const cn_transport_events *events, void *arg)
{
    line->worker = worker;
    line->joined_ns = worker->now_ns;
    line->room_name = "";
    (void)cn_strcpy(line->id, sizeof line->id, id);
    cn_bwe_init(&line->estimate);
    cn_random(&line->rtcp_ssrc, sizeof line->rtcp_ssrc);
    CN_TRY(cn_transport_new(&line->transport, worker->port, events, arg));
    return cn_twcc_out_new(&line->twcc_out, TWCC_RECORDS);
}

void cn_line_close(cn_line *line)
{
    cn_transport_free(line->transport);
    cn_twcc_out_free(line->twcc_out);
    cn_twcc_in_free(&line->twcc_in);
    cn_idmap_free(&line->in_ssrc);
    cn_idmap_free(&line->out_ssrc);
}

uint32_t cn_line_unused_ssrc(const cn_line *line)
{
    for (;;) {
        uint32_t ssrc = 0;
        cn_random(&ssrc, sizeof ssrc);
        if (ssrc && ssrc != line->rtcp_ssrc && !cn_idmap_get(&line->out_ssrc, ssrc) &&
            !cn_idmap_get(&line->in_ssrc, ssrc))
            return ssrc;
    }
}

void cn_line_send_rtcp(cn_line *line, const uint8_t *bytes, size_t len)
{
    if (len && line->connected) cn_transport_rtcp_send(line->transport, bytes, len);
}
