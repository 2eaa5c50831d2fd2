#include "base/rights.h"

#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define KEPT (1u << CAP_NET_BIND_SERVICE)

static int keep_ports(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    const struct __user_cap_data_struct kept[2] = {{.effective = KEPT, .permitted = KEPT}};
    for (unsigned long i = 0; i < 64; i++)
        if (i != CAP_NET_BIND_SERVICE && prctl(PR_CAPBSET_READ, i, 0, 0, 0) == 1)
            (void)prctl(PR_CAPBSET_DROP, i, 0, 0, 0); /* not permitted: the account cannot get it back either way */
    return (int)syscall(SYS_capset, &header, kept);
}

cn_err cn_rights_drop(const char *user)
{
    if (geteuid() != 0) return CN_OK;
    const struct passwd *account = getpwnam(user);
    if (!account) return CN_ERR_NOTFOUND;
    if (account->pw_uid == 0) return CN_ERR_FORBIDDEN;
    uid_t uid = account->pw_uid;
    gid_t gid = account->pw_gid;
    if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 || initgroups(user, gid) < 0 || setresgid(gid, gid, gid) < 0)
        goto refused;
    if (setresuid(uid, uid, uid) < 0 || prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0 || keep_ports() < 0) goto refused;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || setuid(0) == 0) goto refused;
    return CN_OK;
refused:
    return CN_ERR_FORBIDDEN;
}
