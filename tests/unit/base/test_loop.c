#include "cn_test.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"

typedef struct world {
    cn_loop *loop;
    cn_timer *timers[4];
    int pipes[2][2];
    int calls, turns;
    char trace[64]; /* what happened, one letter each */
} world;

static int set_up(void **state)
{
    world *env = CN_NEW(world);
    *state = env;
    return !env || cn_loop_new(&env->loop, "test", 0) || pipe(env->pipes[0]) || pipe(env->pipes[1]);
}

static int tear_down(void **state)
{
    world *env = *state;
    for (size_t i = 0; i < COUNT_OF(env->timers); i++) cn_timer_free(env->timers[i]);
    for (int i = 0; i < 4; i++) close(env->pipes[i / 2][i % 2]);
    cn_loop_free(env->loop);
    free(env);
    return 0;
}

static void note(world *env, char what)
{
    size_t n = strlen(env->trace);
    if (n + 1 < sizeof env->trace) env->trace[n] = what;
}

static void note_a(void *arg)
{
    note(arg, 'a');
}
static void note_b(void *arg)
{
    note(arg, 'b');
}
static void note_c(void *arg)
{
    note(arg, 'c');
}
static void stop(void *arg)
{
    cn_loop_stop(((world *)arg)->loop);
}
static void count_turn(void *arg)
{
    ((world *)arg)->turns++;
}

static void timers_fire_in_order_and_not_early(void **state)
{
    world *env = *state;
    assert_ok(cn_timer_new(&env->timers[0], env->loop, note_a, env));
    assert_ok(cn_timer_new(&env->timers[1], env->loop, note_b, env));
    assert_ok(cn_timer_new(&env->timers[2], env->loop, note_c, env));
    assert_ok(cn_timer_new(&env->timers[3], env->loop, stop, env));
    uint64_t start = cn_mono_ns();
    cn_timer_arm(env->timers[0], 20);
    cn_timer_arm(env->timers[1], 5);
    cn_timer_arm(env->timers[2], 1);
    cn_timer_arm(env->timers[2], 30); /* replaces */
    cn_timer_arm(env->timers[3], 40);
    cn_loop_run(env->loop);
    uint64_t took = (cn_mono_ns() - start) / 1000000;
    assert_string_equal(env->trace, "bac");
    assert_in_range(took, 40, 400);
}

static void a_disarmed_timer_stays_silent(void **state)
{
    world *env = *state;
    assert_ok(cn_timer_new(&env->timers[0], env->loop, note_a, env));
    assert_ok(cn_timer_new(&env->timers[1], env->loop, stop, env));
    cn_timer_arm(env->timers[0], 1);
    cn_timer_disarm(env->timers[0]);
    cn_timer_disarm(env->timers[0]);
    cn_timer_arm(env->timers[1], 10);
    cn_loop_run(env->loop);
    assert_string_equal(env->trace, "");
    cn_timer_arm(env->timers[0], UINT64_MAX); /* never, and no overflow into now */
    cn_timer_arm(env->timers[1], 5);
    cn_loop_run(env->loop);
    assert_string_equal(env->trace, "");
}

static void free_itself(void *arg)
{
    world *env = arg;
    note(env, 'f');
    cn_timer_free(env->timers[0]);
    env->timers[0] = NULL;
    cn_timer_free(env->timers[1]); /* due in the same turn: must not fire any more */
    env->timers[1] = NULL;
}

static void a_timer_may_free_itself_and_others(void **state)
{
    world *env = *state;
    assert_ok(cn_timer_new(&env->timers[0], env->loop, free_itself, env));
    assert_ok(cn_timer_new(&env->timers[1], env->loop, note_a, env));
    assert_ok(cn_timer_new(&env->timers[2], env->loop, stop, env));
    cn_timer_arm(env->timers[0], 0);
    cn_timer_arm(env->timers[1], 0);
    cn_timer_arm(env->timers[2], 5);
    cn_loop_run(env->loop);
    assert_string_equal(env->trace, "f");
}

static void arm_again(void *arg)
{
    world *env = arg;
    env->calls++;
    cn_timer_arm(env->timers[0], 0);
}

/* A timer that always arms itself with 0 must not keep the others from running. */
static void a_restless_timer_starves_nobody(void **state)
{
    world *env = *state;
    assert_ok(cn_timer_new(&env->timers[0], env->loop, arm_again, env));
    assert_ok(cn_timer_new(&env->timers[1], env->loop, stop, env));
    cn_timer_arm(env->timers[0], 0);
    cn_timer_arm(env->timers[1], 5);
    cn_loop_run(env->loop);
    assert_true(env->calls > 1);
}

/* A heap of many timers, some taken out of the middle, fires the rest in order of deadline. */
static struct {
    cn_timer *timers[300];
    uint64_t deadline[300], last;
    int fired, wrong;
    cn_loop *loop;
} crowd;

static void crowd_fires(void *arg)
{
    size_t i = (size_t)(uintptr_t)arg;
    if (crowd.deadline[i] < crowd.last) crowd.wrong++;
    crowd.last = crowd.deadline[i];
    if (++crowd.fired == 200) cn_loop_stop(crowd.loop);
}

/* All in one turn, so all from one "now": armed before the loop runs each would count from its own, some later than its neighbour's. */
static void crowd_arms(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < 300; i++) cn_timer_arm(crowd.timers[i], crowd.deadline[i]);
    for (size_t i = 1; i < 300; i += 3) cn_timer_free(crowd.timers[i]);
}

static void many_timers_keep_their_order(void **state)
{
    world *env = *state;
    crowd.loop = env->loop;
    uint32_t seed = 12345;
    for (size_t i = 0; i < 300; i++) {
        seed = seed * 1664525 + 1013904223;
        crowd.deadline[i] = seed >> 27;
        assert_ok(cn_timer_new(&crowd.timers[i], env->loop, crowd_fires, (void *)(uintptr_t)i));
    }
    assert_ok(cn_timer_new(&env->timers[0], env->loop, crowd_arms, NULL));
    cn_timer_arm(env->timers[0], 0);
    cn_loop_run(env->loop);
    assert_int_equal(crowd.fired, 200);
    assert_int_equal(crowd.wrong, 0);
    for (size_t i = 0; i < 300; i++)
        if (i % 3 != 1) cn_timer_free(crowd.timers[i]);
}

static void read_one(void *arg, uint32_t events)
{
    world *env = arg;
    char c = 0;
    if (events & EPOLLIN && read(env->pipes[0][0], &c, 1) == 1) note(env, c);
    if (c == 'z') cn_loop_stop(env->loop);
}

static void descriptors_wake_the_loop(void **state)
{
    world *env = *state;
    int fd = env->pipes[0][0];
    assert_ok(cn_loop_watch(env->loop, fd, EPOLLIN, read_one, env));
    assert_err(cn_loop_watch(env->loop, fd, EPOLLIN, read_one, env), CN_ERR_CONFLICT);
    assert_err(cn_loop_watch(env->loop, -1, EPOLLIN, read_one, env), CN_ERR_INVALID);
    assert_err(cn_loop_watch_change(env->loop, env->pipes[1][0], EPOLLIN), CN_ERR_NOTFOUND);
    assert_ok(cn_loop_watch_change(env->loop, fd, 0));
    cn_loop_after_turn(env->loop, count_turn, env);
    assert_int_equal(write(env->pipes[0][1], "xyz", 3), 3);
    assert_ok(cn_loop_watch_change(env->loop, fd, EPOLLIN));
    cn_loop_run(env->loop);
    assert_string_equal(env->trace, "xyz");
    assert_int_equal(env->turns, 3);
    cn_loop_unwatch(env->loop, fd);
    cn_loop_unwatch(env->loop, fd);
    cn_loop_unwatch(env->loop, 100000);
}

static void replaced_watch(void *arg, uint32_t events)
{
    (void)events;
    note(arg, '!');
}

/* Whichever of two ready descriptors comes first takes the other's watch away and puts a new one on the same number. */
static void take_other(world *env, int other)
{
    note(env, 'o');
    cn_loop_unwatch(env->loop, env->pipes[0][0]);
    cn_loop_unwatch(env->loop, env->pipes[1][0]);
    (void)cn_loop_watch(env->loop, other, 0, replaced_watch, env);
    cn_loop_stop(env->loop);
}

static void first_ready(void *arg, uint32_t events)
{
    (void)events;
    take_other(arg, ((world *)arg)->pipes[1][0]);
}

static void second_ready(void *arg, uint32_t events)
{
    (void)events;
    take_other(arg, ((world *)arg)->pipes[0][0]);
}

static void events_of_an_old_watch_are_dropped(void **state)
{
    world *env = *state;
    assert_ok(cn_loop_watch(env->loop, env->pipes[0][0], EPOLLIN, first_ready, env));
    assert_ok(cn_loop_watch(env->loop, env->pipes[1][0], EPOLLIN, second_ready, env));
    assert_int_equal(write(env->pipes[0][1], "x", 1), 1);
    assert_int_equal(write(env->pipes[1][1], "x", 1), 1);
    cn_loop_run(env->loop);
    assert_string_equal(env->trace, "o");
}

#define CALLERS 3
#define CALLS_EACH 5000

static void count_call(void *arg)
{
    world *env = arg;
    if (!cn_loop_mine(env->loop)) note(env, '?');
    if (++env->calls == CALLERS * CALLS_EACH) cn_loop_stop(env->loop);
}

static void *call_often(void *arg)
{
    world *env = arg;
    for (int i = 0; i < CALLS_EACH; i++)
        while (cn_loop_call(env->loop, count_call, env) == CN_ERR_FULL) usleep(100);
    return NULL;
}

static void *run_loop(void *arg)
{
    cn_loop_run(((world *)arg)->loop);
    return NULL;
}

static void calls_from_other_threads_all_arrive(void **state)
{
    world *env = *state;
    pthread_t runner, callers[CALLERS];
    assert_true(cn_loop_mine(env->loop));
    assert_int_equal(pthread_create(&runner, NULL, run_loop, env), 0);
    for (int i = 0; i < CALLERS; i++) assert_int_equal(pthread_create(&callers[i], NULL, call_often, env), 0);
    for (int i = 0; i < CALLERS; i++) pthread_join(callers[i], NULL);
    pthread_join(runner, NULL);
    assert_int_equal(env->calls, CALLERS * CALLS_EACH);
    assert_string_equal(env->trace, "");
    assert_true(cn_loop_mine(env->loop));
}

static void calls_are_bounded_and_none_is_lost_at_the_stop(void **state)
{
    world *env = *state;
    for (int i = 0; i < 65536; i++) assert_ok(cn_loop_call(env->loop, count_turn, env));
    assert_err(cn_loop_call(env->loop, count_turn, env), CN_ERR_FULL);
    cn_loop_stop(env->loop); /* before the run: it must not be forgotten either */
    cn_loop_run(env->loop);
    assert_int_equal(env->turns, 65536);
}

static void timers_outlive_their_loop_harmlessly(void **state)
{
    (void)state;
    cn_loop *loop = NULL;
    cn_timer *timer = NULL;
    assert_ok(cn_loop_new(&loop, "short", 5));
    assert_ok(cn_timer_new(&timer, loop, note_a, NULL));
    cn_timer_arm(timer, 5);
    cn_loop_free(loop);
    cn_timer_arm(timer, 5);
    cn_timer_disarm(timer);
    cn_timer_free(timer);
    cn_timer_free(NULL);
    cn_loop_free(NULL);
}

#define LOOP_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOOP_TEST(timers_fire_in_order_and_not_early),
        LOOP_TEST(a_disarmed_timer_stays_silent),
        LOOP_TEST(a_timer_may_free_itself_and_others),
        LOOP_TEST(a_restless_timer_starves_nobody),
        LOOP_TEST(many_timers_keep_their_order),
        LOOP_TEST(descriptors_wake_the_loop),
        LOOP_TEST(events_of_an_old_watch_are_dropped),
        LOOP_TEST(calls_from_other_threads_all_arrive),
        LOOP_TEST(calls_are_bounded_and_none_is_lost_at_the_stop),
        cmocka_unit_test(timers_outlive_their_loop_harmlessly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
