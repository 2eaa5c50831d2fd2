#include "cn_test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <semaphore.h>

#include "base/jobs.h"

static atomic_int done;
static sem_t gate, started;

static void count(void *arg)
{
    (void)arg;
    atomic_fetch_add(&done, 1);
}

static void wait_at_gate(void *arg)
{
    sem_post(&started);
    sem_wait(&gate);
    count(arg);
}

static void jobs_are_bounded_and_all_done_at_the_end(void **state)
{
    (void)state;
    cn_jobs *jobs = NULL;
    sem_init(&gate, 0, 0);
    sem_init(&started, 0, 0);
    atomic_store(&done, 0);
    assert_err(cn_jobs_new(&jobs, "x", 0, 1), CN_ERR_INVALID);
    assert_err(cn_jobs_new(&jobs, "x", 1, 0), CN_ERR_INVALID);
    assert_ok(cn_jobs_new(&jobs, "a-very-long-pool-name", 2, 3));
    for (int i = 0; i < 2; i++) {
        assert_ok(cn_jobs_add(jobs, wait_at_gate, NULL));
        sem_wait(&started); /* now it runs and waits no more in the line */
    }
    for (int i = 0; i < 3; i++) assert_ok(cn_jobs_add(jobs, count, NULL));
    assert_err(cn_jobs_add(jobs, count, NULL), CN_ERR_FULL);
    assert_int_equal(atomic_load(&done), 0);
    sem_post(&gate);
    sem_post(&gate);
    cn_jobs_free(jobs);
    assert_int_equal(atomic_load(&done), 5);
    cn_jobs_free(NULL);
}

static void stranger(void *arg)
{
    (void)arg;
    sem_post(&started);
    sem_wait(&gate);
}

static void person(void *arg)
{
    sem_post(arg);
}

/* Two threads, and ten heavy jobs of a stranger in line. */
static cn_jobs *strangers_line(const char *name, unsigned share, sem_t *served)
{
    cn_jobs *jobs = NULL;
    sem_init(&gate, 0, 0);
    sem_init(&started, 0, 0);
    sem_init(served, 0, 0);
    assert_ok(cn_jobs_new(&jobs, name, 2, 20));
    cn_jobs_share(jobs, share);
    for (int i = 0; i < 10; i++) assert_ok(cn_jobs_add_for(jobs, 7, stranger, NULL));
    return jobs;
}

/* Ten heavy jobs of a stranger: a person's one runs beside the first, and with it done the others still come. */
static void nobody_waits_for_a_strangers_line(void **state)
{
    (void)state;
    sem_t served;
    cn_jobs *jobs = strangers_line("fair", 1, &served);
    sem_wait(&started);
    assert_ok(cn_jobs_add_for(jobs, 8, person, &served));
    sem_wait(&served); /* hung behind the stranger's before */
    int waiting = 0;
    sem_getvalue(&started, &waiting);
    assert_int_equal(waiting, 0);
    for (int i = 0; i < 10; i++) sem_post(&gate);
    cn_jobs_free(jobs);
}

/* Without a share a stranger alone has all threads, and the next that is free is the person's. */
static void who_has_least_running_comes_first(void **state)
{
    (void)state;
    sem_t served;
    cn_jobs *jobs = strangers_line("least", 0, &served);
    for (int i = 0; i < 2; i++) sem_wait(&started);
    assert_ok(cn_jobs_add_for(jobs, 8, person, &served));
    sem_post(&gate);
    sem_wait(&served);
    for (int i = 0; i < 9; i++) sem_post(&gate);
    cn_jobs_free(jobs);
}

static int order[1000], order_n;

static void write_order(void *arg)
{
    order[order_n++] = (int)(intptr_t)arg;
}

static void one_thread_keeps_the_order(void **state)
{
    (void)state;
    cn_jobs *jobs = NULL;
    assert_ok(cn_jobs_new(&jobs, "one", 1, 1000));
    for (int i = 0; i < 1000; i++) assert_ok(cn_jobs_add(jobs, write_order, (void *)(intptr_t)i));
    cn_jobs_free(jobs);
    assert_int_equal(order_n, 1000);
    for (int i = 0; i < 1000; i++) assert_int_equal(order[i], i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_are_bounded_and_all_done_at_the_end),
        cmocka_unit_test(nobody_waits_for_a_strangers_line),
        cmocka_unit_test(who_has_least_running_comes_first),
        cmocka_unit_test(one_thread_keeps_the_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
