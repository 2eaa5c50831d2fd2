/* Who waits for whom, and what of one answer may stand in another: the pool under decoders whose behaviour the slide's name
 * says. The program is its own decoder when CN_TEST_FAKE is set. */
#include "cn_test.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/jobs.h"
#include "base/mem.h"
#include "base/str.h"
#include "viewer/slide/decoders.h"
#include "viewer/slide/owners.h"
#include "viewer/slide/trouble.h"

#define FAKE "CN_TEST_FAKE"
#define ZYGOTE 3
#define LARGE 4096 /* bytes of a fake's first answer */
#define SMALL 2048 /* and of those after it */
#define TILE_MS 12 /* what a good fake takes for a tile */

/* ---- the fake ---- */

static void hand_out(int sock, int memory, int said)
{
    cn_zygote_answer answer = {.pid = getpid()};
    int fds[CN_ZYGOTE_FDS] = {sock, memory, said};
    struct iovec iov = {&answer, sizeof(answer)};
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof(fds))];
    } control = {0};
    struct msghdr hdr = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes)};
    struct cmsghdr *c = CMSG_FIRSTHDR(&hdr);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(fds));
    memcpy(CMSG_DATA(c), fds, sizeof(fds));
    (void)!sendmsg(ZYGOTE, &hdr, MSG_NOSIGNAL);
}

/* A JPEG by its ends. The second of "gap" leaves its middle as it finds it. */
static size_t draw(const char *path, int nth, char *shared)
{
    size_t n = nth ? SMALL : LARGE;
    if (nth && strstr(path, "gap")) {
        memcpy(shared + n - 2, "\xff\xd9", 2);
        memcpy(shared, "\xff\xd8\xff\xe0", 4);
        return n;
    }
    memset(shared, 'a' + nth, n);
    memcpy(shared, "\xff\xd8\xff\xe0", 4);
    memcpy(shared + n - 2, "\xff\xd9", 2);
    return n;
}

static void be_a_worker(const char *path)
{
    alarm(30);
    int pair[2], said[2], memory = memfd_create("fake", MFD_ALLOW_SEALING);
    if (memory < 0 || ftruncate(memory, CN_DECODE_SHARED) || fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK) || pipe(said) ||
        socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair))
        _exit(1);
    char *shared = mmap(NULL, CN_DECODE_SHARED, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    hand_out(pair[0], memory, said[0]);
    close(pair[0]);
    if (strstr(path, "dies")) _exit(1);
    if (strstr(path, "slow")) poll(NULL, 0, 2500);
    cn_decode_answer answer = {.err = strstr(path, "slow") ? CN_ERR_CORRUPT : CN_OK};
    (void)!send(pair[1], &answer, sizeof(answer), MSG_NOSIGNAL);
    if (answer.err) _exit(1);
    cn_decode_ask ask;
    for (int i = 0; recv(pair[1], &ask, sizeof(ask), 0) == sizeof(ask); i++) {
        poll(NULL, 0, TILE_MS);
        answer.n = (uint32_t)draw(path, i, shared);
        (void)!send(pair[1], &answer, sizeof(answer), MSG_NOSIGNAL);
    }
    _exit(0);
}

static int be_a_fake(void)
{
    cn_zygote_ask ask;
    signal(SIGCHLD, SIG_IGN);
    while (recv(ZYGOTE, &ask, sizeof(ask), 0) == sizeof(ask))
        if (ask.op == CN_ZYGOTE_OPEN && fork() == 0) be_a_worker(ask.path);
    return 0;
}

static cn_decoders *fakes(unsigned limit)
{
    cn_decoders *decoders = NULL;
    char self[4096] = "";
    assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
    setenv(FAKE, "1", 1);
    assert_ok(cn_decoders_new(&decoders, self, limit));
    unsetenv(FAKE);
    return decoders;
}

static cn_err ask_tile(cn_decoders *decoders, const char *path, const char *share, int64_t column)
{
    void *bytes = NULL;
    size_t n = 0;
    cn_err err =
        cn_decoders_ask(decoders, path, share, &(cn_decode_ask){.op = CN_DECODE_TILE, .column = column}, &bytes, &n);
    free(bytes);
    return err;
}

/* ---- the canary ---- */

/* An answer with a hole showed what the answer before it had left there. */
static void nothing_of_an_answer_is_in_the_next(void **state)
{
    (void)state;
    cn_decoders *decoders = fakes(1);
    assert_ok(ask_tile(decoders, "/s/whole.tif", "", 0));
    assert_ok(ask_tile(decoders, "/s/whole.tif", "", 1));
    assert_ok(ask_tile(decoders, "/s/gap.tif", "", 0));
    assert_err(ask_tile(decoders, "/s/gap.tif", "", 1), CN_ERR_CRASHED);
    assert_ok(ask_tile(decoders, "/s/whole.tif", "", 2));
    cn_decoders_free(decoders);
}

/* ---- what is remembered ---- */

static void a_broken_slide_is_remembered(void **state)
{
    (void)state;
    cn_decoders *decoders = fakes(4);
    uint64_t start = cn_mono_ms();
    assert_err(ask_tile(decoders, "/s/slow.tif", "", 0), CN_ERR_CORRUPT);
    for (int i = 0; i < 100; i++) assert_err(ask_tile(decoders, "/s/slow.tif", "", i), CN_ERR_CORRUPT);
    assert_true(cn_mono_ms() - start < 5000);
    cn_decoders_free(decoders);
}

static void a_memory_has_its_time_and_its_place(void **state)
{
    (void)state;
    static const cn_decode_ask one = {.op = CN_DECODE_TILE, .column = 1}, other = {.op = CN_DECODE_TILE, .column = 2};
    cn_trouble *trouble = CN_NEW(cn_trouble);
    char path[32];
    cn_trouble_note(trouble, "/s/a", false, &one, CN_ERR_CORRUPT, 1000);
    assert_err(cn_trouble_recall(trouble, "/s/a", &one, 1001), CN_ERR_CORRUPT);
    assert_ok(cn_trouble_recall(trouble, "/s/a", &other, 1001)); /* one tile is broken, the slide is not */
    assert_ok(cn_trouble_recall(trouble, "/s/b", &one, 1001));
    assert_ok(cn_trouble_recall(trouble, "/s/a", &one, 1000 + CN_TROUBLE_MS));
    cn_trouble_note(trouble, "/s/a", true, &one, CN_ERR_UNSUPPORTED, 2000);
    assert_err(cn_trouble_recall(trouble, "/s/a", &other, 2000), CN_ERR_UNSUPPORTED);
    cn_trouble_forget(trouble, "/s/a");
    assert_ok(cn_trouble_recall(trouble, "/s/a", &one, 2000));
    cn_trouble_note(trouble, "/s/a", true, &one, CN_ERR_CRASHED, 3000);
    assert_ok(cn_trouble_recall(trouble, "/s/a", &one, 3000)); /* perhaps not its fault */
    cn_trouble_note(trouble, "/s/a", true, &one, CN_ERR_CRASHED, 3001);
    assert_err(cn_trouble_recall(trouble, "/s/a", &one, 3001), CN_ERR_CRASHED);
    cn_trouble_note(trouble, "/s/c", true, &one, CN_ERR_NOTFOUND, 3000);
    assert_ok(cn_trouble_recall(trouble, "/s/c", &one, 3000));
    for (int i = 0; i < CN_TROUBLE_SLIDES; i++) {
        cn_fmt(path, sizeof(path), "/s/%d", i);
        cn_trouble_note(trouble, path, true, &one, CN_ERR_CORRUPT, 4000);
    }
    assert_ok(cn_trouble_recall(trouble, "/s/a", &one, 4000)); /* the oldest made room */
    assert_err(cn_trouble_recall(trouble, "/s/0", &one, 4000), CN_ERR_CORRUPT);
    free(trouble);
}

static int asked_whose;

static void whose(void *ctx, const char *id, char share[CN_DECODERS_SHARE])
{
    (void)ctx;
    asked_whose++;
    if (strcmp(id, "nobody's") != 0) cn_strcpy(share, CN_DECODERS_SHARE, "hospital");
}

static void whose_a_slide_is_is_asked_once(void **state)
{
    (void)state;
    cn_owners *owners = NULL;
    char share[CN_DECODERS_SHARE];
    assert_ok(cn_owners_new(&owners, whose, NULL));
    for (int i = 0; i < 5; i++) {
        cn_owners_of(owners, "a", share);
        assert_string_equal(share, "hospital");
    }
    assert_int_equal(asked_whose, 1);
    cn_owners_of(owners, "nobody's", share);
    assert_string_equal(share, "");
    cn_owners_free(owners);
}

/* ---- one slide, many who look at it ---- */

#define LOOKERS 4
#define EACH 25

typedef struct looker {
    cn_decoders *decoders;
    pthread_t thread;
    int64_t first;
    int failed;
} looker;

static void *look(void *arg)
{
    looker *it = arg;
    for (int64_t i = 0; i < EACH; i++) it->failed += ask_tile(it->decoders, "/s/hot.tif", "h", it->first + i) != CN_OK;
    return NULL;
}

static uint64_t look_ms(cn_decoders *decoders)
{
    looker lookers[LOOKERS];
    uint64_t start = cn_mono_ms();
    for (int i = 0; i < LOOKERS; i++) {
        lookers[i] = (looker){.decoders = decoders, .first = i * EACH};
        assert_int_equal(pthread_create(&lookers[i].thread, NULL, look, &lookers[i]), 0);
    }
    for (int i = 0; i < LOOKERS; i++) {
        pthread_join(lookers[i].thread, NULL);
        assert_int_equal(lookers[i].failed, 0);
    }
    return cn_mono_ms() - start;
}

/* Every worker's shared memory is mapped here once. */
static int workers(void)
{
    char line[512];
    int n = 0;
    FILE *maps = fopen("/proc/self/maps", "re");
    assert_non_null(maps);
    while (fgets(line, sizeof(line), maps)) n += strstr(line, "memfd:fake") != NULL;
    (void)fclose(maps);
    return n;
}

/* Four at one slide had one worker between them, whatever the machine had. */
static void a_slide_that_many_look_at_has_a_worker_for_each_core(void **state)
{
    (void)state;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (cores < 2) skip();
    cn_decoders *one = fakes(1), *pool = fakes(8);
    assert_ok(ask_tile(one, "/s/hot.tif", "h", -1));
    assert_ok(ask_tile(pool, "/s/hot.tif", "h", -1));
    uint64_t alone = look_ms(one), many = look_ms(pool);
    print_message("%d tiles: %d ms by one worker, %d ms by %d\n", LOOKERS * EACH, (int)alone, (int)many, workers() - 1);
    assert_true(many * 3 <= alone * 2);
    cn_decoders_free(one);
    assert_in_range(workers(), 2, cores < LOOKERS ? cores : LOOKERS);
    poll(NULL, 0, 5100);
    assert_ok(ask_tile(pool, "/s/hot.tif", "h", -2));
    assert_int_equal(workers(), 1);
    cn_decoders_free(pool);
}

/* A slide of which somebody is making the levels, or that was deleted, is open nowhere. */
static void a_forgotten_slide_has_no_worker(void **state)
{
    (void)state;
    if (sysconf(_SC_NPROCESSORS_ONLN) < 2) skip();
    cn_decoders *pool = fakes(8);
    assert_ok(ask_tile(pool, "/s/hot.tif", "h", -1));
    look_ms(pool);
    assert_true(workers() >= 2);
    cn_decoders_forget(pool, "/s/hot.tif");
    assert_int_equal(workers(), 0);
    cn_decoders_free(pool);
}

/* ---- hospitals ---- */

typedef struct house {
    cn_decoders *decoders;
    cn_jobs *jobs;
    atomic_int flying, broken_asked;
    atomic_bool stop;
} house;

typedef struct errand {
    house *at;
    char path[64];
    const char *share;
    int64_t column;
    cn_err err;
    atomic_bool done;
} errand;

static void run_broken(void *arg)
{
    errand *it = arg;
    (void)ask_tile(it->at->decoders, it->path, it->share, it->column);
    it->at->broken_asked++;
    it->at->flying--;
    free(it);
}

static void run_good(void *arg)
{
    errand *it = arg;
    it->err = ask_tile(it->at->decoders, it->path, it->share, it->column);
    it->done = true;
}

/* Ten people of one hospital, each at a broken slide of his own, as fast as the server takes their questions; `round`
 * makes the slides new ones, so that not only what is remembered keeps them short. */
static void *hammer(void *arg)
{
    house *at = arg;
    for (int i = 0; !at->stop; i++) {
        if (at->flying >= 10) {
            poll(NULL, 0, 1);
            continue;
        }
        errand *it = CN_NEW(errand);
        it->at = at;
        it->share = "broken";
        cn_fmt(it->path, sizeof(it->path), "/s/%s-%d.tif", i % 2 ? "slow" : "dies", i % 10 + i / 2000 * 10);
        at->flying++;
        if (cn_jobs_add_for(at->jobs, 1000 + (uint64_t)(i % 10), run_broken, it) != CN_OK) {
            at->flying--;
            free(it);
            poll(NULL, 0, 1);
        }
    }
    return NULL;
}

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

#define TILES 100

/* ms, the 95th of 100 of the other hospital's tiles, from the question to its end, through the same two threads. */
static uint64_t p95_ms(house *at, const char *path)
{
    uint64_t took[TILES];
    for (int i = 0; i < TILES; i++) {
        errand it = {.at = at, .share = "good", .column = i};
        cn_strcpy(it.path, sizeof(it.path), path);
        uint64_t start = cn_mono_ms();
        assert_ok(cn_jobs_add_for(at->jobs, 1, run_good, &it));
        while (!it.done) poll(NULL, 0, 1);
        took[i] = cn_mono_ms() - start;
        assert_ok(it.err);
    }
    qsort(took, TILES, sizeof(took[0]), by_size);
    return took[TILES * 95 / 100];
}

static void ten_broken_slides_do_not_slow_another_hospital(void **state)
{
    (void)state;
    house at = {.decoders = fakes(4)};
    pthread_t thread;
    uint64_t alone = 0, beside = 0;
    assert_ok(cn_jobs_new(&at.jobs, "tiles", 2, 256)); /* as an installation has by default */
    alone = p95_ms(&at, "/s/good-alone.tif");
    assert_int_equal(pthread_create(&thread, NULL, hammer, &at), 0);
    /* the machine may have been busy with other things in one of the rounds */
    for (int round = 0; round < 3; round++) {
        beside = p95_ms(&at, "/s/good.tif");
        print_message("95th tile: %d ms alone, %d ms beside ten broken slides (%d questions to them)\n", (int)alone,
                      (int)beside, at.broken_asked);
        if (beside <= 2 * alone) break;
    }
    at.stop = true;
    pthread_join(thread, NULL);
    cn_jobs_free(at.jobs);
    cn_decoders_free(at.decoders);
    assert_true(at.broken_asked > 20);
    assert_true(beside <= 2 * alone);
}

int main(void)
{
    if (getenv(FAKE)) return be_a_fake();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_of_an_answer_is_in_the_next),
        cmocka_unit_test(a_broken_slide_is_remembered),
        cmocka_unit_test(a_memory_has_its_time_and_its_place),
        cmocka_unit_test(whose_a_slide_is_is_asked_once),
        cmocka_unit_test(a_slide_that_many_look_at_has_a_worker_for_each_core),
        cmocka_unit_test(a_forgotten_slide_has_no_worker),
        cmocka_unit_test(ten_broken_slides_do_not_slow_another_hospital),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
