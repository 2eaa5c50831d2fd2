#include "outlet.h"

#include "base/clock.h"

#define AUDIO_NS 20000000ull
#define NS_PER_S 1000000000ull
#define KEY_TIMES 5 /* a key frame against others */

static uint32_t chance(outlet *o, uint32_t below)
{
    o->random ^= o->random << 13;
    o->random ^= o->random >> 17;
    o->random ^= o->random << 5;
    return o->random % below;
}

static outlet_packet *keep(outlet *o, const payload_piece *piece, uint8_t level)
{
    outlet_packet *p = &o->past[o->video ? o->seq % OUTLET_PAST : 0];
    *p = (outlet_packet){.piece = *piece, .ts = o->ts, .seq = o->seq, .level = level, .there = true};
    o->seq++;
    o->index++;
    o->packets++;
    o->octets += piece->bytes;
    return p;
}

static const outlet_packet *audio_next(outlet *o, const crowd_shape *shape)
{
    double share = shape->microphones ? (double)shape->talkers / shape->microphones : 0;
    uint8_t level = talk_level(&o->voice, share, o->next_ns);
    payload_piece piece = {.codec = PAYLOAD_OPUS,
                           .sender = o->sender,
                           .first = true,
                           .last = true,
                           .index = o->index,
                           .bytes = (uint16_t)(level & 0x80 ? 60 + chance(o, 60) : 36 + chance(o, 24))};
    const outlet_packet *p = keep(o, &piece, level);
    o->ts += 960;
    o->next_ns += AUDIO_NS;
    return p;
}

static void frame_named(outlet *o)
{
    o->left = o->in_frame;
    o->frames++;
    o->picture = (uint16_t)((o->picture + 1) & 0x7fff);
    o->tl0++;
}

/* Like Chromium, who leaves a wish unheard that comes within 300 ms of the last key frame. */
static bool key_due(outlet *o, const crowd_shape *shape)
{
    bool due = !o->frames || (o->key_wanted && o->frames - o->key_frame >= shape->fps * 3 / 10);
    if (due) o->key_frame = o->frames;
    return due;
}

static void frame_begin(outlet *o, const crowd_shape *shape)
{
    const crowd_layer_shape *l = &shape->layer[o->layer];
    o->key = key_due(o, shape);
    o->key_wanted = false;
    unsigned bytes = l->kbps * 125u / shape->fps;
    bytes = o->key ? bytes * KEY_TIMES : bytes * (70 + chance(o, 61)) / 100;
    unsigned least = PAYLOAD_MIN * 2;
    o->bytes_left = bytes < least ? least : bytes;
    o->in_frame = (o->bytes_left + PAYLOAD_MAX - 1) / PAYLOAD_MAX;
    if (shape->codec == PAYLOAD_H264 && o->key && o->in_frame < 2) o->in_frame = 2;
    frame_named(o);
}

/* As it was recorded. A frame of one packet is no key frame: those are large. */
static void frame_begin_recorded(outlet *o, const recording *r)
{
    o->in_frame = recording_frame(r, o->recorded);
    o->key = (o->key_wanted || !o->frames) && o->in_frame > 1;
    o->key_wanted = o->key_wanted && !o->key;
    frame_named(o);
}

static unsigned recorded_bytes(const outlet *o, const recording *r)
{
    unsigned bytes = r->packets[o->recorded].bytes;
    return bytes < PAYLOAD_MIN ? PAYLOAD_MIN : bytes;
}

/* Goes on to the next packet, from the last one to the first. */
static void recorded_pass(outlet *o, const recording *r)
{
    const recording_packet *now = &r->packets[o->recorded];
    bool again = o->recorded + 1 == r->n;
    o->recorded = again ? 0 : o->recorded + 1;
    const recording_packet *next = &r->packets[o->recorded];
    o->next_ns += ((again ? r->length_us : 0) + next->at_us - now->at_us) * 1000ull;
    o->ts += (again ? r->length_ts : 0) + next->ts - now->ts;
}

/* On to the next packet's time, which is the next frame's when this was the last of `in_frame`. */
static void step(outlet *o, const crowd_shape *shape, uint64_t frame_ns, uint32_t ticks)
{
    o->left--;
    if (shape->pace == CROWD_EVEN)
        o->next_ns += o->left ? frame_ns / o->in_frame : frame_ns - (o->in_frame - 1) * (frame_ns / o->in_frame);
    else if (!o->left)
        o->next_ns += frame_ns;
    if (!o->left) o->ts += ticks;
}

static void film_begin(outlet *o)
{
    const footage *f = o->footage;
    if (o->frames) {
        do o->frame = (o->frame + 1) % f->frames;
        while (o->key_wanted && !f->frame[o->frame].key);
    }
    o->key_wanted = false;
    o->key = f->frame[o->frame].key;
    o->in_frame = (unsigned)f->frame[o->frame].cuts;
    frame_named(o);
}

/* The file's frames in a loop; who asks for a key frame gets the file's next one at once. */
static const outlet_packet *film_next(outlet *o, const crowd_shape *shape)
{
    if (!o->left) film_begin(o);
    const footage_frame *e = &o->footage->frame[o->frame];
    const packing_cut *cut = &o->footage->cuts[e->cut + (o->in_frame - o->left)];
    payload_piece piece = {.codec = o->footage->codec,
                           .sender = o->sender,
                           .layer = o->layer,
                           .first = o->left == o->in_frame,
                           .last = o->left == 1,
                           .key = o->key,
                           .index = o->index,
                           .bytes = cut->bytes,
                           .picture = o->picture,
                           .tl0 = o->tl0};
    outlet_packet *p = keep(o, &piece, 0);
    p->frame = e;
    p->cut = cut;
    step(o, shape, e->ticks * NS_PER_S / FOOTAGE_CLOCK, e->ticks);
    return p;
}

static const outlet_packet *video_next(outlet *o, const crowd_shape *shape)
{
    const recording *r = shape->pace == CROWD_RECORDED && o->layer == CROWD_LAYERS - 1 ? shape->recording : NULL;
    if (!o->left && r)
        frame_begin_recorded(o, r);
    else if (!o->left)
        frame_begin(o, shape);
    const crowd_layer_shape *l = &shape->layer[o->layer];
    unsigned nth = o->in_frame - o->left, bytes = r ? recorded_bytes(o, r) : o->bytes_left / o->left;
    payload_piece piece = {.codec = shape->codec,
                           .sender = o->sender,
                           .layer = o->layer,
                           .first = nth == 0,
                           .last = o->left == 1,
                           .key = o->key,
                           .starts = nth == (o->key && shape->codec == PAYLOAD_H264 ? 1u : 0u),
                           .index = o->index,
                           .bytes = (uint16_t)(bytes < PAYLOAD_MAX ? bytes : PAYLOAD_MAX),
                           .picture = o->picture,
                           .tl0 = o->tl0,
                           .width = l->width,
                           .height = l->height};
    const outlet_packet *p = keep(o, &piece, 0);
    if (r) {
        o->left--;
        recorded_pass(o, r);
        return p;
    }
    o->bytes_left -= piece.bytes;
    step(o, shape, NS_PER_S / shape->fps, 90000u / shape->fps);
    return p;
}

const outlet_packet *outlet_next(outlet *o, const crowd_shape *shape, uint64_t now_ns)
{
    if (now_ns < o->next_ns) return NULL;
    if (now_ns - o->next_ns > NS_PER_S) o->next_ns = now_ns; /* was not played for a while */
    if (o->footage) return film_next(o, shape);
    return o->video ? video_next(o, shape) : audio_next(o, shape);
}

const outlet_packet *outlet_past(const outlet *o, uint16_t seq)
{
    const outlet_packet *p = &o->past[seq % OUTLET_PAST];
    return o->video && p->there && p->seq == seq ? p : NULL;
}
