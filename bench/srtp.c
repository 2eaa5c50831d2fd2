/*
 * bench-srtp: what protecting and unprotecting one packet costs, by the server's own SRTP (media/secure/srtp.h) and by
 * libsrtp, with both profiles. One thread; CPU time of the process; the two take turns, so that a busy machine bears on
 * both alike, and the median of the rounds counts.
 */
#include <getopt.h>
#include <srtp2/srtp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cpu.h"
#include "media/secure/srtp.h"

#define BATCH 1000 /* packets of one measurement: fewer than the replay window holds */
#define ROUNDS_MAX 1000
#define PACKET_MAX 1500
#define HEADER 12

static uint8_t packets[BATCH][PACKET_MAX + 32];
static size_t lengths[BATCH];

typedef struct side {
    cn_srtp *ours_out, *ours_in;
    srtp_t lib_out, lib_in;
    uint16_t seq;
} side;

static double samples[4][ROUNDS_MAX]; /* ours out, ours in, libsrtp out, libsrtp in; ns per packet */

static bool lib_open(srtp_t *out, cn_srtp_profile profile, uint8_t *master, srtp_ssrc_type_t direction)
{
    srtp_profile_t lib =
        profile == CN_SRTP_AEAD_AES_128_GCM ? srtp_profile_aead_aes_128_gcm : srtp_profile_aes128_cm_sha1_80;
    srtp_policy_t policy;
    memset(&policy, 0, sizeof policy);
    policy.ssrc.type = direction;
    policy.key = master;
    policy.window_size = 1024;
    return !srtp_crypto_policy_set_from_profile_for_rtp(&policy.rtp, lib) &&
           !srtp_crypto_policy_set_from_profile_for_rtcp(&policy.rtcp, lib) && !srtp_create(out, &policy);
}

static bool side_open(side *end, cn_srtp_profile profile)
{
    cn_srtp_keys keys = {.profile = profile};
    for (size_t i = 0; i < sizeof keys.out.key; i++) keys.out.key[i] = (uint8_t)(i * 7 + 1);
    for (size_t i = 0; i < sizeof keys.out.salt; i++) keys.out.salt[i] = (uint8_t)(i * 5 + 3);
    keys.in = keys.out;
    uint8_t master[CN_SRTP_KEY + CN_SRTP_SALT_MAX];
    memcpy(master, keys.out.key, CN_SRTP_KEY);
    memcpy(master + CN_SRTP_KEY, keys.out.salt, cn_srtp_profile_salt(profile));
    *end = (side){.seq = 1000};
    return cn_srtp_new(&end->ours_out, &keys) == CN_OK && cn_srtp_new(&end->ours_in, &keys) == CN_OK &&
           lib_open(&end->lib_out, profile, master, ssrc_any_outbound) &&
           lib_open(&end->lib_in, profile, master, ssrc_any_inbound);
}

static void side_close(side *end)
{
    cn_srtp_free(end->ours_out);
    cn_srtp_free(end->ours_in);
    if (end->lib_out) srtp_dealloc(end->lib_out);
    if (end->lib_in) srtp_dealloc(end->lib_in);
}

static void fill(uint16_t seq, size_t size)
{
    for (size_t i = 0; i < BATCH; i++, seq++) {
        uint8_t *p = packets[i];
        memset(p, (int)i, size);
        memcpy(p, (uint8_t[]){0x80, 111, (uint8_t)(seq >> 8), (uint8_t)seq, 0, 0, 0, 0, 0, 0, 0, 9}, HEADER);
        lengths[i] = size;
    }
}

static bool ours(side *end, bool protect)
{
    bool ok = true;
    for (size_t i = 0; i < BATCH; i++)
        ok = ok && (protect ? cn_srtp_protect_rtp(end->ours_out, packets[i], &lengths[i])
                            : cn_srtp_unprotect_rtp(end->ours_in, packets[i], &lengths[i])) == CN_OK;
    return ok;
}

static bool theirs(side *end, bool protect)
{
    bool ok = true;
    for (size_t i = 0; i < BATCH; i++) {
        int n = (int)lengths[i];
        ok =
            ok && !(protect ? srtp_protect(end->lib_out, packets[i], &n) : srtp_unprotect(end->lib_in, packets[i], &n));
        lengths[i] = (size_t)n;
    }
    return ok;
}

static bool timed(bool (*run)(side *, bool), side *end, bool protect, double *out)
{
    uint64_t before = cpu_process_ns();
    bool ok = run(end, protect);
    *out = (double)(cpu_process_ns() - before) / BATCH;
    return ok;
}

static int compare(const void *left, const void *right)
{
    double x = *(const double *)left, y = *(const double *)right;
    return (x > y) - (x < y);
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare);
    return values[count / 2];
}

static bool measure(side *end, size_t size, size_t rounds)
{
    for (size_t i = 0; i < rounds; i++, end->seq = (uint16_t)(end->seq + BATCH)) {
        fill(end->seq, size);
        if (!timed(ours, end, true, &samples[0][i]) || !timed(ours, end, false, &samples[1][i])) return false;
        fill(end->seq, size);
        if (!timed(theirs, end, true, &samples[2][i]) || !timed(theirs, end, false, &samples[3][i])) return false;
    }
    return true;
}

static const char *name_of(cn_srtp_profile profile)
{
    return profile == CN_SRTP_AEAD_AES_128_GCM ? "SRTP_AEAD_AES_128_GCM" : "SRTP_AES128_CM_SHA1_80";
}

static bool row(cn_srtp_profile profile, size_t size, size_t rounds, bool json, bool first)
{
    side end;
    bool ok = side_open(&end, profile) && measure(&end, size, rounds);
    double m[4];
    for (size_t i = 0; ok && i < 4; i++) m[i] = median(samples[i], rounds);
    if (!ok)
        (void)fprintf(stderr, "bench-srtp: %s failed\n", name_of(profile));
    else if (json)
        printf("%s{\"profile\":\"%s\",\"bytes\":%zu,\"ours_protect_ns\":%.0f,\"libsrtp_protect_ns\":%.0f,"
               "\"ours_unprotect_ns\":%.0f,\"libsrtp_unprotect_ns\":%.0f}",
               first ? "[" : ",\n ", name_of(profile), size, m[0], m[2], m[1], m[3]);
    else
        printf("%-24s %5zu bytes  protect %5.0f ns, libsrtp %5.0f ns (%.1f x)  unprotect %5.0f ns, libsrtp %5.0f ns "
               "(%.1f x)\n",
               name_of(profile), size, m[0], m[2], m[2] / m[0], m[1], m[3], m[3] / m[1]);
    side_close(&end);
    return ok;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"rounds", required_argument, NULL, 'r'},
                                            {"core", required_argument, NULL, 'c'},
                                            {"json", no_argument, NULL, 'j'},
                                            {0}};
    static const size_t sizes[] = {100, 1132};
    static const cn_srtp_profile profiles[] = {CN_SRTP_AEAD_AES_128_GCM, CN_SRTP_AES128_CM_SHA1_80};
    long rounds = 101, core = 1;
    bool json = false, ok = true;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'j')
            json = true;
        else if (c == 'r')
            rounds = strtol(optarg, NULL, 10);
        else if (c == 'c')
            core = strtol(optarg, NULL, 10);
        else
            return 2;
    }
    if (rounds < 1 || rounds > ROUNDS_MAX) {
        (void)fprintf(stderr, "bench-srtp: --rounds 1 to %d\n", ROUNDS_MAX);
        return 2;
    }
    if (!cpu_pin((int)core)) (void)fprintf(stderr, "bench-srtp: core %ld cannot be had\n", core);
    if (srtp_init()) return 1;
    bool first = true;
    for (size_t i = 0; i < 2; i++)
        for (size_t k = 0; k < 2; k++, first = false)
            ok = row(profiles[i], sizes[k], (size_t)rounds, json, first) && ok;
    if (json) printf("]\n");
    return ok ? 0 : 1;
}
