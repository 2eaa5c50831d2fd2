#include "media/stream/flow.h"

#define LEAST_NS 200000000ull
#define PICTURES 4

uint64_t cn_flow_time(cn_flow *flow, uint64_t from_ns, uint64_t now_ns, unsigned pictures, bool known)
{
    uint64_t begin = flow->since_ns > from_ns ? flow->since_ns : from_ns;
    uint64_t end = now_ns - flow->last_ns > CN_FLOW_PAUSE_NS ? flow->last_ns : now_ns;
    bool whole = begin == from_ns && end == now_ns, enough = pictures >= PICTURES && end >= begin + LEAST_NS;
    bool skip = !whole && !enough && known && !flow->skipped;
    flow->skipped = skip;
    return skip ? 0 : enough ? end - begin : now_ns - from_ns;
}
