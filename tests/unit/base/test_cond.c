#include "cn_test.h"

#include <pthread.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cond.h"

#define MS UINT64_C(1000000)

static int64_t wall_step_s; /* what somebody did to the wall clock */

/* In place of the C library's, for the whole program. */
int clock_gettime(clockid_t id, struct timespec *out)
{
    int failed = (int)syscall(SYS_clock_gettime, id, out);
    if (id == CLOCK_REALTIME) out->tv_sec += wall_step_s;
    return failed;
}

static struct {
    pthread_mutex_t lock;
    pthread_cond_t cond;
    bool ready;
} meeting = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void *signal_soon(void *arg)
{
    (void)arg;
    usleep(50000);
    pthread_mutex_lock(&meeting.lock);
    meeting.ready = true;
    pthread_cond_signal(&meeting.cond);
    pthread_mutex_unlock(&meeting.lock);
    return NULL;
}

/* How long it waited, in ms, for what did not come. */
static uint64_t wait_in_vain(uint64_t ms)
{
    uint64_t start = cn_mono_ns();
    pthread_mutex_lock(&meeting.lock);
    while (cn_cond_wait_until(&meeting.cond, &meeting.lock, start + ms * MS)) {
    }
    pthread_mutex_unlock(&meeting.lock);
    return (cn_mono_ns() - start) / MS;
}

static void a_deadline_is_kept_whatever_the_wall_clock_does(void **state)
{
    (void)state;
    cn_cond_init(&meeting.cond);
    static const int64_t steps[] = {0, -3600, 3600};
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        wall_step_s = steps[i];
        uint64_t waited = wait_in_vain(100);
        assert_true(waited >= 100 && waited < 5000);
    }
    wall_step_s = 0;
    assert_true(wait_in_vain(0) < 5000); /* over already */
    pthread_cond_destroy(&meeting.cond);
}

static void a_signal_ends_the_wait(void **state)
{
    (void)state;
    pthread_t thread;
    cn_cond_init(&meeting.cond);
    meeting.ready = false;
    assert_int_equal(pthread_create(&thread, NULL, signal_soon, NULL), 0);
    uint64_t start = cn_mono_ns();
    pthread_mutex_lock(&meeting.lock);
    while (!meeting.ready && cn_cond_wait_until(&meeting.cond, &meeting.lock, start + 60000 * MS)) {
    }
    pthread_mutex_unlock(&meeting.lock);
    assert_true(meeting.ready);
    assert_true(cn_mono_ns() - start < 30000 * MS);
    pthread_join(thread, NULL);
    pthread_cond_destroy(&meeting.cond);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_deadline_is_kept_whatever_the_wall_clock_does),
        cmocka_unit_test(a_signal_ends_the_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
