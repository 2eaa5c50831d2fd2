#include "outlet.h"

#include "base/clock.h"

#define NS_PER_S 1000000000ull
#define KEY_TIMES 5     /* a key frame against others */
#define SPOKEN_BYTES 80 /* 32 kbit/s */
#define LAST_SHORTER 200

static uint32_t chance(outlet *feed, uint32_t below)
{
    feed->random ^= feed->random << 13;
    feed->random ^= feed->random >> 17;
    feed->random ^= feed->random << 5;
    return feed->random % below;
}

static outlet_packet *keep(outlet *feed, const payload_piece *piece, uint8_t level)
{
    outlet_packet *packet = &feed->past[feed->video ? feed->seq % OUTLET_PAST : 0];
    *packet = (outlet_packet){.piece = *piece, .ts = feed->ts, .seq = feed->seq, .level = level, .there = true};
    feed->seq++;
    feed->index++;
    feed->packets++;
    feed->octets += piece->bytes;
    return packet;
}

/* −dBov, the highest bit: it is voice. */
static uint8_t level_now(outlet *feed, const crowd_shape *shape)
{
    if (feed->voice == CROWD_SPEAKS) return (uint8_t)(0x80 | (20 + feed->seq % 7));
    if (feed->voice == CROWD_SILENT) return 127;
    double share = shape->microphones ? (double)shape->talkers / shape->microphones : 0;
    return talk_level(&feed->speech, share, feed->next_ns);
}

static unsigned voice_bytes(outlet *feed, uint8_t level)
{
    if (feed->voice == CROWD_SPEAKS) return SPOKEN_BYTES;
    if (feed->voice == CROWD_SILENT) return PAYLOAD_MIN_OPUS;
    return level & 0x80 ? 60 + chance(feed, 60) : 36 + chance(feed, 24);
}

static const outlet_packet *audio_next(outlet *feed, const crowd_shape *shape)
{
    uint64_t every = feed->voice == CROWD_SILENT ? OUTLET_SILENT_NS : OUTLET_VOICE_NS;
    uint8_t level = level_now(feed, shape);
    payload_piece piece = {.codec = CN_CODEC_OPUS,
                           .sender = feed->sender,
                           .first = true,
                           .last = true,
                           .index = feed->index,
                           .bytes = (uint16_t)voice_bytes(feed, level)};
    const outlet_packet *packet = keep(feed, &piece, level);
    feed->ts += (uint32_t)(every / 1000 * 48 / 1000);
    feed->next_ns += every;
    return packet;
}

static void frame_named(outlet *feed)
{
    feed->left = feed->in_frame;
    feed->frames++;
    feed->picture = (uint16_t)((feed->picture + 1) & 0x7fff);
    feed->tl0++;
}

/* Like Chromium, who leaves a wish unheard that comes within 300 ms of the last key frame. */
static bool key_due(outlet *feed, const crowd_shape *shape)
{
    bool due = !feed->frames || (feed->key_wanted && feed->frames - feed->key_frame >= shape->fps * 3 / 10);
    if (due) feed->key_frame = feed->frames;
    return due;
}

static void frame_begin(outlet *feed, const crowd_shape *shape)
{
    const crowd_layer_shape *layer_shape = &shape->layer[feed->layer];
    feed->key = key_due(feed, shape);
    feed->key_wanted = false;
    unsigned bytes = layer_shape->kbps * 125u / shape->fps;
    if (feed->key)
        bytes *= KEY_TIMES;
    else if (!shape->packet_bytes)
        bytes = bytes * (70 + chance(feed, 61)) / 100;
    unsigned least = PAYLOAD_MIN * 2, most = shape->packet_bytes ? shape->packet_bytes : PAYLOAD_MAX;
    feed->bytes_left = bytes < least ? least : bytes;
    feed->in_frame = (feed->bytes_left + most - 1) / most;
    if (shape->codec == CN_CODEC_H264 && feed->key && feed->in_frame < 2) feed->in_frame = 2;
    frame_named(feed);
}

/* As it was recorded. A frame of one packet is no key frame: those are large. */
static void frame_begin_recorded(outlet *feed, const recording *tape)
{
    feed->in_frame = recording_frame(tape, feed->recorded);
    feed->key = (feed->key_wanted || !feed->frames) && feed->in_frame > 1;
    feed->key_wanted = feed->key_wanted && !feed->key;
    frame_named(feed);
}

static unsigned recorded_bytes(const outlet *feed, const recording *tape)
{
    unsigned bytes = tape->packets[feed->recorded].bytes;
    return bytes < PAYLOAD_MIN ? PAYLOAD_MIN : bytes;
}

/* Goes on to the next packet, from the last one to the first. */
static void recorded_pass(outlet *feed, const recording *tape)
{
    const recording_packet *now = &tape->packets[feed->recorded];
    bool again = feed->recorded + 1 == tape->n;
    feed->recorded = again ? 0 : feed->recorded + 1;
    const recording_packet *next = &tape->packets[feed->recorded];
    feed->next_ns += ((again ? tape->length_us : 0) + next->at_us - now->at_us) * 1000ull;
    feed->ts += (again ? tape->length_ts : 0) + next->ts - now->ts;
}

/* On to the next packet's time, which is the next frame's when this was the last of `in_frame`. */
static void step(outlet *feed, const crowd_shape *shape, uint64_t frame_ns, uint32_t ticks)
{
    feed->left--;
    if (shape->pace == CROWD_EVEN)
        feed->next_ns +=
            feed->left ? frame_ns / feed->in_frame : frame_ns - (feed->in_frame - 1) * (frame_ns / feed->in_frame);
    else if (!feed->left)
        feed->next_ns += frame_ns;
    if (!feed->left) feed->ts += ticks;
}

static void film_begin(outlet *feed)
{
    const footage *clip = feed->footage;
    if (feed->frames) {
        do feed->frame = (feed->frame + 1) % clip->frames;
        while (feed->key_wanted && !clip->frame[feed->frame].key);
    }
    feed->key_wanted = false;
    feed->key = clip->frame[feed->frame].key;
    feed->in_frame = (unsigned)clip->frame[feed->frame].cuts;
    frame_named(feed);
}

/* The file's frames in a loop; who asks for a key frame gets the file's next one at once. */
static const outlet_packet *film_next(outlet *feed, const crowd_shape *shape)
{
    if (!feed->left) film_begin(feed);
    const footage_frame *picture = &feed->footage->frame[feed->frame];
    const packing_cut *cut = &feed->footage->cuts[picture->cut + (feed->in_frame - feed->left)];
    payload_piece piece = {.codec = feed->footage->codec,
                           .sender = feed->sender,
                           .layer = feed->layer,
                           .first = feed->left == feed->in_frame,
                           .last = feed->left == 1,
                           .key = feed->key,
                           .index = feed->index,
                           .bytes = cut->bytes,
                           .picture = feed->picture,
                           .tl0 = feed->tl0};
    outlet_packet *packet = keep(feed, &piece, 0);
    packet->frame = picture;
    packet->cut = cut;
    step(feed, shape, picture->ticks * NS_PER_S / FOOTAGE_CLOCK, picture->ticks);
    return packet;
}

static unsigned packet_bytes(const outlet *feed, const crowd_shape *shape, const recording *tape)
{
    if (tape) return recorded_bytes(feed, tape);
    if (!shape->packet_bytes) return feed->bytes_left / feed->left;
    return shape->packet_bytes - (feed->left == 1 ? LAST_SHORTER : 0);
}

static const outlet_packet *video_next(outlet *feed, const crowd_shape *shape)
{
    const recording *tape = shape->pace == CROWD_RECORDED && feed->layer == RTC_LAYERS - 1 ? shape->recording : NULL;
    if (!feed->left && tape)
        frame_begin_recorded(feed, tape);
    else if (!feed->left)
        frame_begin(feed, shape);
    const crowd_layer_shape *layer_shape = &shape->layer[feed->layer];
    unsigned nth = feed->in_frame - feed->left, bytes = packet_bytes(feed, shape, tape);
    payload_piece piece = {.codec = shape->codec,
                           .sender = feed->sender,
                           .layer = feed->layer,
                           .first = nth == 0,
                           .last = feed->left == 1,
                           .key = feed->key,
                           .starts = nth == (feed->key && shape->codec == CN_CODEC_H264 ? 1u : 0u),
                           .index = feed->index,
                           .bytes = (uint16_t)(bytes < PAYLOAD_MAX ? bytes : PAYLOAD_MAX),
                           .picture = feed->picture,
                           .tl0 = feed->tl0,
                           .width = layer_shape->width,
                           .height = layer_shape->height};
    const outlet_packet *packet = keep(feed, &piece, 0);
    if (tape) {
        feed->left--;
        recorded_pass(feed, tape);
        return packet;
    }
    if (!shape->packet_bytes) feed->bytes_left -= piece.bytes;
    step(feed, shape, NS_PER_S / shape->fps, 90000u / shape->fps);
    return packet;
}

const outlet_packet *outlet_next(outlet *feed, const crowd_shape *shape, uint64_t now_ns)
{
    if (now_ns < feed->next_ns) return NULL;
    if (now_ns - feed->next_ns > NS_PER_S) feed->next_ns = now_ns; /* was not played for a while */
    if (feed->footage) return film_next(feed, shape);
    return feed->video ? video_next(feed, shape) : audio_next(feed, shape);
}

const outlet_packet *outlet_past(const outlet *feed, uint16_t seq)
{
    const outlet_packet *packet = &feed->past[seq % OUTLET_PAST];
    return feed->video && packet->there && packet->seq == seq ? packet : NULL;
}
