/* Slides through real decoder processes: the demo generator's slide, files nobody here made where present, crashes and
 * limits. */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/child.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "support_tiff.h"
#include "viewer/slide/slides.h"

static int64_t wall_step_s; /* what somebody did to the wall clock */

/* In place of the C library's, for the whole program: nothing may wait by a clock that can be set. */
int clock_gettime(clockid_t id, struct timespec *out)
{
    int failed = (int)syscall(SYS_clock_gettime, id, out);
    if (id == CLOCK_REALTIME) out->tv_sec += wall_step_s;
    return failed;
}

static char folder[] = "/tmp/consilium-test-slides-XXXXXX";
static char slide[128];

static int setup(void **state)
{
    char dir[128];
    if (!mkdtemp(folder) || !cn_fmt(dir, sizeof(dir), "%s/a", folder) || mkdir(dir, 0700) != 0) return -1;
    cn_fmt(slide, sizeof(slide), "%s/demo.tif", dir);
    const char *const argv[] = {CN_BUILD_DIR "/consilium-demo-slide", slide, "3000", "2000", "7", NULL};
    const cn_child_limits limits = {.wall_seconds = 60};
    int status = -1;
    if (cn_child_run(argv, &limits, &status) != CN_OK || status != 0) return -1;
    return cn_slides_new((cn_slides **)state, CN_BUILD_DIR "/consilium-decoder", 2, 8 << 20) == CN_OK ? 0 : -1;
}

static int teardown(void **state)
{
    const char *const argv[] = {"rm", "-rf", folder, NULL};
    const cn_child_limits limits = {.wall_seconds = 30};
    int status = -1;
    cn_slides_free(*state);
    return cn_child_run(argv, &limits, &status) == CN_OK ? status : -1;
}

static void info_and_tiles(void **state)
{
    cn_decode_info info;
    assert_int_equal(cn_slide_info(*state, "s", slide, &info), CN_OK);
    assert_int_equal(info.width, 3000);
    assert_int_equal(info.height, 2000);
    assert_true(info.mpp_x > 0.2499 && info.mpp_x < 0.2501);
    assert_true(info.levels >= 3);
    cn_tile *tile = NULL;
    assert_int_equal(cn_slide_tile(*state, "s", slide, 12, 3, 2, &tile), CN_OK);
    assert_memory_equal(tile->bytes, "\xff\xd8\xff", 3);
    cn_unref(tile);
    for (unsigned level = 0; level < 13; level++) {
        assert_int_equal(cn_slide_tile(*state, "s", slide, level, 0, 0, &tile), CN_OK);
        cn_unref(tile);
    }
    assert_int_equal(cn_slide_tile(*state, "s", slide, 12, 12, 0, &tile), CN_ERR_NOTFOUND);
    assert_int_equal(cn_slide_tile(*state, "s", slide, 13, 0, 0, &tile), CN_ERR_NOTFOUND);
    assert_int_equal(cn_slide_thumbnail(*state, "s", slide, 256, &tile), CN_OK);
    cn_unref(tile);
}

/* Its tiles are gone from memory, and whoever asks again reads the file anew: here another one, under the same name. */
static void a_forgotten_slide_leaves_nothing(void **state)
{
    cn_tile *tile = NULL;
    cn_decode_info info;
    cn_tilecache_stats before, with, after;
    char path[128], other[160];
    cn_fmt(path, sizeof(path), "%s/kept.tif", folder);
    cn_fmt(other, sizeof(other), "%s.new", path);
    const char *const argv[] = {CN_BUILD_DIR "/consilium-demo-slide", other, "1000", "600", "8", NULL};
    const cn_child_limits limits = {.wall_seconds = 60};
    int status = -1;
    assert_int_equal(link(slide, path), 0);
    cn_slides_stats(*state, &before);
    assert_int_equal(cn_slide_tile(*state, "kept", path, 12, 3, 2, &tile), CN_OK);
    cn_unref(tile);
    cn_slides_stats(*state, &with);
    assert_true(with.bytes > before.bytes);
    cn_slide_forget(*state, "kept", path);
    cn_slides_stats(*state, &after);
    assert_int_equal(after.bytes, before.bytes);
    assert_true(cn_child_run(argv, &limits, &status) == CN_OK && status == 0);
    assert_int_equal(rename(other, path), 0);
    assert_int_equal(cn_slide_info(*state, "kept", path, &info), CN_OK);
    assert_int_equal(info.width, 1000);
}

static void what_is_no_slide_is_refused(void **state)
{
    char path[160];
    cn_decode_info info;
    cn_fmt(path, sizeof(path), "%s/b", folder);
    mkdir(path, 0700);
    cn_fmt(path, sizeof(path), "%s/b/text.svs", folder);
    assert_int_equal(cn_file_write_durable(path, "not a slide", 11, 0600), CN_OK);
    assert_int_equal(cn_slide_info(*state, "b", path, &info), CN_ERR_UNSUPPORTED);
    assert_int_equal(cn_slide_info(*state, "c", "/nonexistent/x.svs", &info), CN_ERR_NOTFOUND);
    assert_int_equal(cn_slide_info(*state, "d", "relative.svs", &info), CN_ERR_INVALID);
}

/* A slide cut off in the middle gives an error for the tiles that are gone, and the next slide is served all the same.
 */
static void a_damaged_slide_harms_nobody(void **state)
{
    char path[160], *bytes = NULL;
    size_t n = 0;
    cn_decode_info info;
    cn_fmt(path, sizeof(path), "%s/d", folder);
    mkdir(path, 0700);
    cn_fmt(path, sizeof(path), "%s/d/cut.tif", folder);
    assert_int_equal(cn_file_read(slide, 64 << 20, &bytes, &n), CN_OK);
    memset(bytes + n / 4, 0x5a, n / 2);
    assert_int_equal(cn_file_write_durable(path, bytes, n, 0600), CN_OK);
    free(bytes);
    for (int i = 0; i < 6; i++) {
        cn_tile *tile = NULL;
        cn_err err = cn_slide_tile(*state, "d", path, 12, i, i, &tile);
        cn_unref(tile);
        assert_true(err == CN_OK || err == CN_ERR_CORRUPT || err == CN_ERR_UNSUPPORTED || err == CN_ERR_CRASHED);
    }
    assert_int_equal(cn_slide_info(*state, "again", slide, &info), CN_OK);
}

/* The demo's slide, changed, alone in a folder of its own. */
static void changed_slide(const char *name, tiff_change change, char path[160])
{
    cn_fmt(path, 160, "%s/%s", folder, name);
    tiff_changed_copy(slide, path, "slide.tif", change);
    cn_fmt(path, 160, "%s/%s/slide.tif", folder, name);
}

static size_t tile_size(cn_slides *slides, const char *path, int64_t column, int64_t row)
{
    cn_tile *tile = NULL;
    assert_int_equal(cn_slide_tile(slides, path, path, 12, column, row, &tile), CN_OK);
    size_t n = tile->n;
    cn_unref(tile);
    return n;
}

/* What a scanner left out is background, and what lies beside it is as it was. */
static void an_empty_tile_is_background(void **state)
{
    char path[160];
    cn_decoders *decoders = NULL;
    void *whole = NULL, *bytes = NULL;
    size_t whole_n = 0, n = 0;
    cn_tile *tile = NULL;
    changed_slide("empty", tiff_empty_tiles, path);
    /* the file's tiles 0, 3, 6… of 12 in a row have nothing; a Deep Zoom tile touches up to four of them */
    for (int64_t row = 0; row < 8; row++)
        for (int64_t column = 0; column < 12; column++) assert_true(tile_size(*state, path, column, row) > 300);
    assert_true(tile_size(*state, path, 6, 3) < tile_size(*state, slide, 6, 3) / 2);
    assert_int_equal(cn_slide_thumbnail(*state, path, path, 1000, &tile), CN_OK);
    cn_unref(tile);
    const cn_decode_ask asks[] = {
        {.op = CN_DECODE_REGION, .column = 256, .width = 512, .height = 512},               /* next to empty ones */
        {.op = CN_DECODE_REGION, .column = 2816, .row = 1792, .width = 184, .height = 208}, /* cut off by the edges */
    };
    assert_int_equal(cn_decoders_new(&decoders, CN_BUILD_DIR "/consilium-decoder", 2), CN_OK);
    for (size_t i = 0; i < sizeof(asks) / sizeof(asks[0]); i++) {
        assert_int_equal(cn_decoders_ask(decoders, slide, "", &asks[i], &whole, &whole_n), CN_OK);
        assert_int_equal(cn_decoders_ask(decoders, path, "", &asks[i], &bytes, &n), CN_OK);
        assert_int_equal(n, whole_n);
        assert_memory_equal(bytes, whole, n);
        free(bytes);
        free(whole);
    }
    cn_decoders_free(decoders);
}

/* A resolution of screens is no scale; pixels that are not square are pictured square. */
static void a_scale_is_a_microscopes(void **state)
{
    char path[160];
    cn_decode_info info;
    cn_tile *tile = NULL;
    changed_slide("screen", tiff_screen_resolution, path);
    assert_int_equal(cn_slide_info(*state, "screen", path, &info), CN_OK);
    assert_true(info.mpp_x == 0 && info.mpp_y == 0);
    changed_slide("tall", tiff_tall_pixels, path);
    assert_int_equal(cn_slide_info(*state, "tall", path, &info), CN_OK);
    assert_true(info.mpp_x > 0.2499 && info.mpp_x < 0.2501 && info.mpp_y > 0.2499 && info.mpp_y < 0.2501);
    assert_int_equal(info.width, 3000);
    assert_int_equal(info.height, 4000);
    assert_int_equal(info.level_height[1], 2000);
    assert_int_equal(cn_slide_tile(*state, "tall", path, 12, 11, 15, &tile), CN_OK);
    cn_unref(tile);
    assert_int_equal(cn_slide_tile(*state, "tall", path, 12, 11, 16, &tile), CN_ERR_NOTFOUND);
    for (unsigned level = 0; level < 12; level++) {
        assert_int_equal(cn_slide_tile(*state, "tall", path, level, 0, 0, &tile), CN_OK);
        cn_unref(tile);
    }
}

static size_t files_in(const char *path)
{
    size_t n = 0;
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (struct dirent *found; (found = readdir(dir));) n += found->d_name[0] != '.';
    closedir(dir);
    return n;
}

/* A slide without a pyramid had no whole view; its levels are made beside it, and are served from then on. */
static void missing_levels_are_made(void **state)
{
    char large[160], path[160], scratch[160], made[160];
    cn_decode_info info;
    cn_tile *tile = NULL;
    cn_fmt(large, sizeof(large), "%s/large.tif", folder);
    cn_fmt(scratch, sizeof(scratch), "%s/scratch", folder);
    cn_fmt(made, sizeof(made), "%s/single/levels.tif", folder);
    const char *const argv[] = {CN_BUILD_DIR "/consilium-demo-slide", large, "5000", "4000", "7", NULL};
    int status = -1;
    assert_true(cn_child_run(argv, &(cn_child_limits){.wall_seconds = 60}, &status) == CN_OK && status == 0);
    cn_fmt(path, sizeof(path), "%s/single", folder);
    tiff_changed_copy(large, path, "slide.tif", tiff_one_level);
    cn_fmt(path, sizeof(path), "%s/single/slide.tif", folder);
    mkdir(scratch, 0700);
    assert_int_equal(cn_slide_info(*state, "single", path, &info), CN_OK);
    assert_int_equal(info.levels, 1);
    assert_int_equal(info.lacks_levels, 1);
    int stop = eventfd(1, EFD_CLOEXEC);
    assert_int_equal(cn_slide_make_levels(*state, "single", path, scratch, stop), CN_ERR_CLOSED);
    close(stop);
    assert_int_equal(access(made, F_OK), -1);
    assert_int_equal(files_in(scratch), 0);
    assert_int_equal(cn_slide_make_levels(*state, "single", path, scratch, 0), CN_OK);
    assert_int_equal(files_in(scratch), 0);
    assert_int_equal(cn_slide_info(*state, "single", path, &info), CN_OK);
    assert_int_equal(info.lacks_levels, 0);
    assert_int_equal(cn_slide_thumbnail(*state, "single", path, 256, &tile), CN_OK);
    cn_unref(tile);
    for (unsigned level = 0; level < 14; level++) {
        assert_int_equal(cn_slide_tile(*state, "single", path, level, 0, 0, &tile), CN_OK);
        cn_unref(tile);
    }
    assert_int_equal(cn_slide_tile(*state, "single", path, 11, 4, 3, &tile), CN_OK); /* the last one of its level */
    cn_unref(tile);
}

/* Half a file under that name, an empty one, one of another slide: none is taken for levels. */
static void what_are_no_levels_is_not_read(void **state)
{
    char path[160], made[160], *bytes = NULL;
    size_t n = 0;
    cn_decode_info info;
    cn_fmt(path, sizeof(path), "%s/single/slide.tif", folder);
    cn_fmt(made, sizeof(made), "%s/single/levels.tif", folder);
    assert_int_equal(cn_file_read(made, 64 << 20, &bytes, &n), CN_OK);
    const struct {
        const char *what;
        size_t n;
        const void *bytes;
        uint32_t lacks;
    } rows[] = {{"half", n / 2, bytes, 1}, {"text", 4, "text", 1}, {"given up", 0, "", 0}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        print_message("%s\n", rows[i].what);
        assert_int_equal(cn_file_write_durable(made, rows[i].bytes, rows[i].n, 0600), CN_OK);
        cn_slide_forget(*state, "single", path);
        assert_int_equal(cn_slide_info(*state, "single", path, &info), CN_OK);
        assert_int_equal(info.lacks_levels, rows[i].lacks);
    }
    assert_int_equal(unlink(made), 0);
    assert_int_equal(link(slide, made), 0);
    cn_slide_forget(*state, "single", path);
    assert_int_equal(cn_slide_info(*state, "single", path, &info), CN_OK);
    assert_int_equal(info.lacks_levels, 1);
    free(bytes);
}

/* Levels of a slide that cannot be read are given up, once for all. */
static void levels_of_a_damaged_slide_are_given_up(void **state)
{
    char path[160], made[160], *bytes = NULL;
    size_t n = 0;
    cn_decode_info info;
    cn_fmt(path, sizeof(path), "%s/single/slide.tif", folder);
    cn_fmt(made, sizeof(made), "%s/single/levels.tif", folder);
    assert_int_equal(unlink(made), 0);
    assert_int_equal(cn_file_read(path, 64 << 20, &bytes, &n), CN_OK);
    memset(bytes + n / 4, 0x5a, n / 8);
    assert_int_equal(cn_file_write_durable(path, bytes, n, 0600), CN_OK);
    free(bytes);
    cn_fmt(made, sizeof(made), "%s/scratch", folder);
    assert_int_equal(cn_slide_make_levels(*state, "single", path, made, 0), CN_ERR_CORRUPT);
    assert_int_equal(cn_slide_info(*state, "single", path, &info), CN_OK);
    assert_int_equal(info.lacks_levels, 0);
    assert_int_equal(files_in(made), 0);
}

/* libtiff's first warning ended the decoder when standard error was a plain file, as a log often is. It comes into the
 * log with the slide's id, and the slide opens. */
static void a_warning_is_a_line_of_the_log(void **state)
{
    (void)state;
    char path[160], log[160], *text = NULL;
    cn_slides *slides = NULL;
    cn_decode_info info;
    changed_slide("01ARZ3NDEKTSV4RRFFQ69G5FAV", tiff_private_tag, path);
    cn_fmt(log, sizeof(log), "%s/log", folder);
    int saved = dup(STDERR_FILENO), file = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    assert_true(saved >= 0 && file >= 0 && dup2(file, STDERR_FILENO) == STDERR_FILENO);
    cn_err err = cn_slides_new(&slides, CN_BUILD_DIR "/consilium-decoder", 2, 8 << 20);
    if (err == CN_OK) err = cn_slide_info(slides, "w", path, &info);
    cn_slides_free(slides);
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(file);
    assert_int_equal(err, CN_OK);
    assert_int_equal(info.width, 3000);
    assert_int_equal(cn_file_read(log, 1 << 20, &text, NULL), CN_OK);
    const char *line = strstr(text, "65000");
    assert_non_null(line); /* as libtiff says it */
    while (line > text && line[-1] != '\n') line--;
    assert_non_null(strstr(line, "slide 01ARZ3NDEKTSV4RRFFQ69G5FAV: "));
    free(text);
}

static int number_of(const char *text)
{
    int64_t number = 0;
    return cn_parse_i64(text, 1, INT32_MAX, &number) ? (int)number : -1;
}

/* The zygote that was started last. */
static pid_t newest_child(void)
{
    pid_t newest = -1;
    DIR *dir = opendir("/proc");
    assert_non_null(dir);
    for (struct dirent *found; (found = readdir(dir));) {
        char path[300], *text = NULL;
        int parent = 0, pid = number_of(found->d_name);
        if (pid <= newest || !cn_fmt(path, sizeof(path), "/proc/%d/stat", pid)) continue;
        if (cn_file_read(path, 4096, &text, NULL) == CN_OK && sscanf(strrchr(text, ')'), ") %*c %d", &parent) == 1 &&
            parent == getpid())
            newest = pid;
        free(text);
    }
    closedir(dir);
    return newest;
}

static void a_killed_zygote_costs_nothing(void **state)
{
    (void)state;
    cn_decoders *decoders = NULL;
    void *bytes = NULL;
    size_t n = 0;
    assert_int_equal(cn_decoders_new(&decoders, CN_BUILD_DIR "/consilium-decoder", 2), CN_OK);
    const cn_decode_ask thumb = {.op = CN_DECODE_THUMB, .size = 64};
    assert_int_equal(cn_decoders_ask(decoders, slide, "", &thumb, &bytes, &n), CN_OK);
    free(bytes);
    kill(newest_child(), SIGKILL);
    cn_err err = cn_decoders_ask(decoders, slide, "", &thumb, &bytes, &n);
    if (err == CN_ERR_CRASHED) err = cn_decoders_ask(decoders, slide, "", &thumb, &bytes, &n);
    assert_int_equal(err, CN_OK);
    free(bytes);
    cn_decoders_free(decoders);
}

typedef struct asking {
    cn_decoders *decoders;
    const char *path;
    cn_err err;
} asking;

static void *ask_thumb(void *arg)
{
    asking *it = arg;
    void *bytes = NULL;
    size_t n = 0;
    it->err =
        cn_decoders_ask(it->decoders, it->path, "", &(cn_decode_ask){.op = CN_DECODE_THUMB, .size = 64}, &bytes, &n);
    free(bytes);
    return NULL;
}

/* One place, taken by who waits for a zygote that stands still; the second waits for the place, however the wall clock is
 * set meanwhile: an hour back, it gave up at once (or, an hour on, waited for an hour). */
static void a_step_of_the_clock_disturbs_nobody_who_waits(void **state)
{
    (void)state;
    char path[160], *bytes = NULL;
    size_t n = 0;
    cn_decoders *decoders = NULL;
    cn_fmt(path, sizeof(path), "%s/w", folder);
    mkdir(path, 0700);
    cn_fmt(path, sizeof(path), "%s/w/other.tif", folder);
    assert_int_equal(cn_file_read(slide, 64 << 20, &bytes, &n), CN_OK);
    assert_int_equal(cn_file_write_durable(path, bytes, n, 0600), CN_OK);
    free(bytes);
    assert_int_equal(cn_decoders_new(&decoders, CN_BUILD_DIR "/consilium-decoder", 1), CN_OK);
    static const int64_t steps[] = {-3600, 3600};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        asking first = {.decoders = decoders, .path = i ? slide : path},
               second = {.decoders = decoders, .path = i ? path : slide};
        pthread_t threads[2];
        pid_t zygote = newest_child();
        assert_int_equal(kill(zygote, SIGSTOP), 0);
        assert_int_equal(pthread_create(&threads[0], NULL, ask_thumb, &first), 0);
        usleep(200000);
        wall_step_s = steps[i];
        assert_int_equal(pthread_create(&threads[1], NULL, ask_thumb, &second), 0);
        usleep(200000);
        wall_step_s = 0;
        assert_int_equal(kill(zygote, SIGCONT), 0);
        for (int k = 0; k < 2; k++) assert_int_equal(pthread_join(threads[k], NULL), 0);
        assert_int_equal(first.err, CN_OK);
        assert_int_equal(second.err, CN_OK);
    }
    cn_decoders_free(decoders);
}

/* Every real slide of the shared collection, if it is here, opens and gives its first tile, or is refused with a clear
 * error. */
static void real_slides(void **state)
{
    const char *shared = CN_SOURCE_DIR "/../shared/data/wsi";
    DIR *dir = opendir(shared);
    if (!dir) {
        print_message("skipped: no ../shared/data\n");
        skip();
    }
    int opened = 0;
    for (struct dirent *found; (found = readdir(dir));) {
        char from[512], to[512], path[600];
        if (found->d_type != DT_REG || !cn_fmt(from, sizeof(from), "%s/%s", shared, found->d_name)) continue;
        cn_fmt(to, sizeof(to), "%s/r-%s", folder, found->d_name);
        cn_fmt(path, sizeof(path), "%s/%s", to, found->d_name);
        mkdir(to, 0700);
        if (symlink(from, path) != 0) continue;
        char real[4096];
        if (!realpath(path, real)) continue;
        cn_decode_info info;
        cn_err err = cn_slide_info(*state, found->d_name, real, &info);
        assert_true(err == CN_OK || err == CN_ERR_UNSUPPORTED || err == CN_ERR_CORRUPT);
        if (err != CN_OK) continue;
        cn_tile *tile = NULL;
        err = cn_slide_thumbnail(*state, found->d_name, real, 200, &tile);
        cn_unref(tile);
        assert_true(err == CN_OK || err == CN_ERR_CORRUPT || err == CN_ERR_TOOBIG);
        opened += err == CN_OK;
    }
    closedir(dir);
    print_message("%d real slides opened\n", opened);
    assert_true(opened > 0);
}

/* Width and height that a baseline JPEG says of itself. */
static void jpeg_size(const cn_tile *tile, unsigned *width, unsigned *height)
{
    const uint8_t *b = tile->bytes;
    for (size_t at = 2; at + 9 < tile->n; at += 2u + ((size_t)b[at + 2] << 8 | b[at + 3])) {
        if (b[at + 1] != 0xc0) continue;
        *height = (unsigned)b[at + 5] << 8 | b[at + 6];
        *width = (unsigned)b[at + 7] << 8 | b[at + 8];
        return;
    }
    fail_msg("no frame in the JPEG");
}

static void label_and_macro(void **state)
{
    cn_decode_info info;
    cn_tile *tile = NULL;
    assert_int_equal(cn_slide_info(*state, "s", slide, &info), CN_OK);
    assert_false(info.label || info.macro);
    assert_int_equal(cn_slide_associated(*state, "s", slide, CN_DECODE_LABEL, &tile), CN_ERR_NOTFOUND);
    assert_int_equal(cn_slide_associated(*state, "s", slide, 2, &tile), CN_ERR_INVALID);
    char real[4096];
    if (!realpath(CN_SOURCE_DIR "/../shared/data/wsi/CMU-1-Small-Region.svs", real)) {
        print_message("skipped: no ../shared/data\n");
        skip();
    }
    unsigned width = 0, height = 0;
    assert_int_equal(cn_slide_info(*state, "cmu", real, &info), CN_OK);
    assert_true(info.label == 1 && info.macro == 1);
    assert_int_equal(cn_slide_associated(*state, "cmu", real, CN_DECODE_LABEL, &tile), CN_OK);
    jpeg_size(tile, &width, &height);
    cn_unref(tile);
    assert_true(width == 387 && height == 463);
    assert_int_equal(cn_slide_associated(*state, "cmu", real, CN_DECODE_MACRO, &tile), CN_OK);
    jpeg_size(tile, &width, &height);
    cn_unref(tile);
    assert_true(width == 1280 && height == 431);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(info_and_tiles),
        cmocka_unit_test(a_forgotten_slide_leaves_nothing),
        cmocka_unit_test(what_is_no_slide_is_refused),
        cmocka_unit_test(a_damaged_slide_harms_nobody),
        cmocka_unit_test(an_empty_tile_is_background),
        cmocka_unit_test(a_scale_is_a_microscopes),
        cmocka_unit_test(missing_levels_are_made),
        cmocka_unit_test(what_are_no_levels_is_not_read),
        cmocka_unit_test(levels_of_a_damaged_slide_are_given_up),
        cmocka_unit_test(a_warning_is_a_line_of_the_log),
        cmocka_unit_test(a_killed_zygote_costs_nothing),
        cmocka_unit_test(a_step_of_the_clock_disturbs_nobody_who_waits),
        cmocka_unit_test(label_and_macro),
        cmocka_unit_test(real_slides),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
