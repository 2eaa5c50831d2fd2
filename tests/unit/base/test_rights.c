#include "cn_test.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/rights.h"

/* Exit status of what `fn` finds in a process of its own. */
static int apart(int (*fn)(void))
{
    pid_t pid = fork();
    if (pid == 0) _exit(fn());
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int become_nobody(void)
{
    char *text = NULL;
    if (cn_rights_drop("nobody") != CN_OK) return 1;
    if (geteuid() == 0 || getuid() == 0 || getegid() == 0 || seteuid(0) == 0) return 2;
    if (getgroups(0, NULL) > 1) return 3;
    if (cn_file_read("/proc/self/status", 1 << 16, &text, NULL) != CN_OK) return 4;
    /* 10: the ports below 1024 */
    return strstr(text, "CapEff:\t0000000000000400") && strstr(text, "NoNewPrivs:\t1") ? 0 : 5;
}

static int stay_root(void)
{
    if (cn_rights_drop("root") != CN_ERR_FORBIDDEN) return 1;
    return cn_rights_drop("no-such-account-anywhere") == CN_ERR_NOTFOUND ? 0 : 2;
}

static void root_becomes_nobody(void **state)
{
    (void)state;
    if (geteuid() != 0) {
        print_message("skipped: not started as root\n");
        assert_ok(cn_rights_drop("no-such-account-anywhere")); /* there is nothing to give away */
        skip();
    }
    assert_int_equal(apart(become_nobody), 0);
    assert_int_equal(apart(stay_root), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(root_becomes_nobody)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
