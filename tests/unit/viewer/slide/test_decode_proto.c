/* A decoder that a slide has taken over: whatever it says, the server loses one request and nothing else. The program is
 * its own lying decoder when CN_TEST_LIE says which lie. */
#include "cn_test.h"

#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "viewer/slide/slides.h"

#define LIE "CN_TEST_LIE"
#define ZYGOTE 3

static cn_decode_info honest_info(void)
{
    cn_decode_info info = {.width = 3000, .height = 2000, .mpp_x = 0.25, .mpp_y = 0.25, .levels = 1};
    info.level_width[0] = 3000;
    info.level_height[0] = 2000;
    info.level_downsample[0] = 1;
    info.tile_width[0] = info.tile_height[0] = CN_DECODE_CELL_SIDE;
    cn_strcpy(info.vendor, sizeof(info.vendor), "aperio");
    return info;
}

/* ---- lies in the information ---- */

static void many_levels(cn_decode_info *info)
{
    info->levels = 1000000;
}
static void no_levels(cn_decode_info *info)
{
    info->levels = 0;
}
static void many_channels(cn_decode_info *info)
{
    info->channels = CN_DECODE_CHANNELS + 1;
}
static void no_such_plane(cn_decode_info *info)
{
    info->z_planes = info->z_first = 3;
}
static void channel_without_end(cn_decode_info *info)
{
    info->channels = 1;
    memset(info->channel[0].name, 'a', sizeof(info->channel[0].name));
}
static void endless_vendor(cn_decode_info *info)
{
    memset(info->vendor, 'x', sizeof(info->vendor));
}
static void no_text(cn_decode_info *info)
{
    info->vendor[0] = (char)0xff;
}
static void huge(cn_decode_info *info)
{
    info->width = INT64_MAX;
}
static void negative_level(cn_decode_info *info)
{
    info->level_height[0] = -1;
}
static void no_number(cn_decode_info *info)
{
    info->mpp_x = NAN;
}
static void table_of_nothing(cn_decode_info *info)
{
    info->icc_usable = 1;
}

static void huge_profile(cn_decode_info *info)
{
    info->icc_bytes = UINT32_MAX;
    info->icc_usable = 1;
}

static void endless(cn_decode_info *info)
{
    info->level_downsample[0] = INFINITY;
}

static const struct {
    const char *name;
    void (*lie)(cn_decode_info *);
} infos[] = {{"many levels", many_levels},
             {"no levels", no_levels},
             {"many channels", many_channels},
             {"no such plane", no_such_plane},
             {"channel without end", channel_without_end},
             {"a colour table of no profile", table_of_nothing},
             {"a huge profile", huge_profile},
             {"endless vendor", endless_vendor},
             {"no text", no_text},
             {"huge", huge},
             {"negative level", negative_level},
             {"no number", no_number},
             {"endless", endless}};

/* ---- the lying decoder ---- */

static const char *lie;

static bool lies(const char *name)
{
    return strcmp(lie, name) == 0;
}

static void hand_out(int sock, int memory, int said)
{
    cn_zygote_answer answer = {.err = CN_OK, .pid = lies("no pid") ? -1 : getpid()};
    struct iovec iov = {&answer, sizeof(answer)};
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(4 * sizeof(int))];
    } control = {0};
    const int fds[4] = {lies("no socket") ? said : sock, memory, said, said};
    size_t n = lies("two descriptors") ? 2 : lies("four descriptors") ? 4 : 3;
    struct msghdr hdr = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes};
    hdr.msg_controllen = CMSG_SPACE(n * sizeof(int));
    struct cmsghdr *c = CMSG_FIRSTHDR(&hdr);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(n * sizeof(int));
    memcpy(CMSG_DATA(c), fds, n * sizeof(int));
    (void)!sendmsg(ZYGOTE, &hdr, MSG_NOSIGNAL);
}

static void answer_one(int sock, char *shared)
{
    static const char jpeg[] = "\xff\xd8\xff\xe0\xff\xd9";
    cn_decode_ask ask;
    if (recv(sock, &ask, sizeof(ask), 0) != sizeof(ask)) _exit(0);
    cn_decode_info info = honest_info();
    for (size_t i = 0; i < COUNT_OF(infos); i++)
        if (lies(infos[i].name)) infos[i].lie(&info);
    cn_decode_answer answer = {.n = ask.op == CN_DECODE_INFO ? sizeof(info) : sizeof(jpeg) - 1};
    if (ask.op == CN_DECODE_INFO)
        memcpy(shared, &info, sizeof(info));
    else
        memcpy(shared, lies("no picture") ? "<html>" : jpeg, sizeof(jpeg) - 1);
    if (lies("too much")) answer.n = CN_DECODE_SHARED + 1;
    if (lies("short")) answer.n = 3;
    if (lies("not logged in")) answer = (cn_decode_answer){.err = CN_ERR_UNAUTH};
    if (lies("all shall wait")) answer = (cn_decode_answer){.err = CN_ERR_AGAIN};
    if (lies("unknown error")) answer = (cn_decode_answer){.err = -7};
    (void)!send(sock, &answer, sizeof(answer) - (lies("half an answer") ? 4 : 0), MSG_NOSIGNAL);
}

static void open_and_lie(void)
{
    alarm(20); /* a liar that nobody kills is gone then */
    int pair[2], said[2], memory = memfd_create("lie", MFD_ALLOW_SEALING);
    if (memory < 0 || ftruncate(memory, CN_DECODE_SHARED) || pipe(said) || socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair))
        _exit(1);
    char *shared = mmap(NULL, CN_DECODE_SHARED, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    if (lies("short memory") && ftruncate(memory, 0)) _exit(1);
    if (!lies("memory that shrinks") && fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK)) _exit(1);
    hand_out(pair[0], memory, said[0]);
    close(pair[0]);
    cn_decode_answer first = {.err = CN_OK};
    (void)!send(pair[1], &first, sizeof(first), MSG_NOSIGNAL);
    if (lies("memory that shrinks")) (void)!ftruncate(memory, 0);
    if (lies("short memory") || lies("memory that shrinks")) {
        cn_decode_answer answer = {.n = CN_DECODE_SHARED};
        (void)!send(pair[1], &answer, sizeof(answer), MSG_NOSIGNAL);
    } else {
        for (int i = 0; i < 2; i++) answer_one(pair[1], shared);
    }
    poll(NULL, 0, 300);
}

static int be_a_liar(void)
{
    cn_zygote_ask ask;
    lie = getenv(LIE);
    while (recv(ZYGOTE, &ask, sizeof(ask), 0) == sizeof(ask))
        if (ask.op == CN_ZYGOTE_OPEN && fork() == 0) {
            open_and_lie();
            _exit(0);
        }
    return 0;
}

/* ---- the tests ---- */

static cn_slides *slides_of(const char *which)
{
    cn_slides *slides = NULL;
    char self[4096] = "";
    assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
    setenv(LIE, which, 1);
    assert_ok(cn_slides_new(&slides, self, 1, 1 << 20));
    return slides;
}

static void who_does_not_lie_is_believed(void **state)
{
    (void)state;
    cn_slides *slides = slides_of("nothing");
    cn_decode_info info;
    cn_tile *tile = NULL;
    assert_ok(cn_slide_info(slides, "s", "/s/slide.tif", &info));
    assert_int_equal(info.width, 3000);
    assert_ok(cn_slide_tile(slides, "s", "/s/slide.tif", 0, 0, 0, &tile));
    cn_unref(tile);
    cn_slides_free(slides);
}

static void no_lie_is_believed(void **state)
{
    (void)state;
    static const char *const others[] = {"too much",         "short",          "not logged in", "all shall wait",
                                         "unknown error",    "half an answer", "no pid",        "two descriptors",
                                         "four descriptors", "no socket",      "short memory",  "memory that shrinks"};
    for (size_t i = 0; i < COUNT_OF(infos) + COUNT_OF(others); i++) {
        const char *which = i < COUNT_OF(infos) ? infos[i].name : others[i - COUNT_OF(infos)];
        cn_decode_info info;
        print_message("%s\n", which);
        cn_slides *slides = slides_of(which);
        assert_int_equal(cn_slide_info(slides, "s", "/s/slide.tif", &info), CN_ERR_CRASHED);
        cn_slides_free(slides);
    }
}

static void a_page_is_no_tile(void **state)
{
    (void)state;
    cn_tile *tile = NULL;
    cn_slides *slides = slides_of("no picture");
    assert_int_equal(cn_slide_tile(slides, "s", "/s/slide.tif", 0, 0, 0, &tile), CN_ERR_CRASHED);
    cn_slides_free(slides);
}

static size_t open_descriptors(void)
{
    size_t n = 0;
    for (int fd = 0; fd < 256; fd++) n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

/* What came with an answer that is refused is closed. */
static void a_refused_answer_leaves_no_descriptor(void **state)
{
    (void)state;
    static const char *const which[] = {"no pid", "two descriptors", "four descriptors", "no socket"};
    for (size_t i = 0; i < COUNT_OF(which); i++) {
        cn_decode_info info;
        size_t before = open_descriptors();
        cn_slides *slides = slides_of(which[i]);
        assert_int_equal(cn_slide_info(slides, "s", "/s/slide.tif", &info), CN_ERR_CRASHED);
        cn_slides_free(slides);
        assert_int_equal(open_descriptors(), before);
    }
}

static void a_question_has_bounds(void **state)
{
    (void)state;
    static const struct {
        cn_decode_ask ask;
        bool good;
    } rows[] = {{{.op = CN_DECODE_INFO}, true},
                {{.op = 0}, false},
                {{.op = 99}, false},
                {{.op = CN_DECODE_TILE, .level = 40, .column = 1 << 24}, true},
                {{.op = CN_DECODE_TILE, .level = 64}, false},
                {{.op = CN_DECODE_TILE, .column = -1}, false},
                {{.op = CN_DECODE_TILE, .z = CN_DECODE_PLANES, .channel = CN_DECODE_CHANNELS}, true},
                {{.op = CN_DECODE_TILE, .z = CN_DECODE_PLANES + 1}, false},
                {{.op = CN_DECODE_THUMB, .size = 9, .channel = CN_DECODE_CHANNELS + 1}, false},
                {{.op = CN_DECODE_TILE, .row = INT64_MAX}, false},
                {{.op = CN_DECODE_THUMB}, false},
                {{.op = CN_DECODE_THUMB, .size = 2048}, true},
                {{.op = CN_DECODE_REGION, .column = -10, .width = 10, .height = 10}, true},
                {{.op = CN_DECODE_REGION, .column = INT64_MIN, .width = 10, .height = 10}, false},
                {{.op = CN_DECODE_REGION, .width = 100000, .height = 10}, false},
                {{.op = CN_DECODE_CUT, .cut_width = 9000, .cut_height = 10, .width = 10, .height = 10}, true},
                {{.op = CN_DECODE_CUT, .cut_width = 9000, .cut_height = 10, .width = 4000, .height = 4000}, false},
                {{.op = CN_DECODE_CUT, .cut_height = 10, .width = 10, .height = 10}, false},
                {{.op = CN_DECODE_CUT, .cut_width = 1, .cut_height = 1, .width = 1, .height = 1, .quarters = 4}, false},
                {{.op = CN_DECODE_CUT, .cut_width = 1, .cut_height = 1, .width = 1, .height = 1, .format = 2}, false},
                {{.op = CN_DECODE_ASSOCIATED, .level = CN_DECODE_MACRO}, true},
                {{.op = CN_DECODE_ASSOCIATED, .level = 2}, false}};
    cn_decode_ask out;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_int_equal(cn_decode_ask_read(&rows[i].ask, sizeof(rows[i].ask), &out), rows[i].good);
    assert_false(cn_decode_ask_read(&rows[0].ask, sizeof(rows[0].ask) - 1, &out));
}

static void a_path_stays_where_it_is(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        bool good;
    } rows[] = {
        {"/slides/01/a.tif", true}, {"slides/a.tif", false}, {"", false}, {"/slides/../keys/master.key", false}};
    cn_zygote_ask ask = {.op = CN_ZYGOTE_OPEN}, out;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cn_strcpy(ask.path, sizeof(ask.path), rows[i].path);
        assert_int_equal(cn_zygote_ask_read(&ask, sizeof(ask), &out), rows[i].good);
    }
    memset(ask.path, '/', sizeof(ask.path));
    assert_false(cn_zygote_ask_read(&ask, sizeof(ask), &out));
}

int main(void)
{
    if (getenv(LIE)) return be_a_liar();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_does_not_lie_is_believed),
        cmocka_unit_test(no_lie_is_believed),
        cmocka_unit_test(a_page_is_no_tile),
        cmocka_unit_test(a_refused_answer_leaves_no_descriptor),
        cmocka_unit_test(a_question_has_bounds),
        cmocka_unit_test(a_path_stays_where_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
