#include "base/child_kernel.h"

#include <stdatomic.h>

#include "base/child_calls.h"
#include "base/child_files.h"

static _Atomic bool unconfined_too;

void cn_child_unconfined(bool allow)
{
    atomic_store(&unconfined_too, allow);
}

const char *cn_child_missing(void)
{
    bool files = cn_child_files_abi() > 0, calls = cn_child_calls_possible();
    return files ? calls ? "" : "seccomp" : calls ? "Landlock" : "Landlock and seccomp";
}

bool cn_child_permitted(void)
{
    return atomic_load(&unconfined_too) || !*cn_child_missing();
}
