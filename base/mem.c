#include "base/mem.h"

#include <errno.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#define EBB_MIN 16

/* Stands before the object. */
typedef struct ref_head {
    alignas(max_align_t) atomic_size_t count;
    cn_destructor destroy;
} ref_head;

void *cn_calloc(size_t count, size_t size)
{
    size_t total = 0;
    if (__builtin_mul_overflow(count, size, &total)) return NULL;
    return calloc(1, total ? total : 1);
}

char *cn_strdup(const char *text)
{
    return text ? cn_strndup(text, strlen(text)) : NULL;
}

char *cn_strndup(const char *text, size_t len)
{
    if (!text || len == SIZE_MAX) return NULL;
    len = strnlen(text, len);
    char *copy = malloc(len + 1);
    if (!copy) return NULL;
    memcpy(copy, text, len);
    copy[len] = 0;
    return copy;
}

void *cn_memdup(const void *bytes, size_t len)
{
    if (!bytes) return NULL;
    void *copy = malloc(len ? len : 1);
    if (copy) memcpy(copy, bytes, len);
    return copy;
}

void cn_free_secret(void *bytes, size_t len)
{
    if (!bytes) return;
    OPENSSL_cleanse(bytes, len);
    free(bytes);
}

void cn_mem_trim(void)
{
    (void)malloc_trim(0);
}

bool cn_mem_ebb(size_t *peak, size_t now)
{
    if (now > *peak) *peak = now;
    if (*peak - now < EBB_MIN || now > *peak / 2) return false;
    *peak = now;
    return true;
}

void *cn_ref_new(size_t size, cn_destructor destroy)
{
    size_t total = 0;
    if (__builtin_add_overflow(size, sizeof(ref_head), &total)) return NULL;
    ref_head *head = calloc(1, total);
    if (!head) return NULL;
    atomic_init(&head->count, 1);
    head->destroy = destroy;
    return head + 1;
}

void *cn_ref(void *object)
{
    if (object) atomic_fetch_add_explicit(&((ref_head *)object - 1)->count, 1, memory_order_relaxed);
    return object;
}

void *cn_unref(void *object)
{
    if (!object) return NULL;
    ref_head *head = (ref_head *)object - 1;
    if (atomic_fetch_sub_explicit(&head->count, 1, memory_order_acq_rel) == 1) {
        if (head->destroy) head->destroy(object);
        free(head);
    }
    return NULL;
}

void cn_fd_close(int *fd)
{
    if (!fd || *fd < 0) return;
    int saved = errno;
    (void)close(*fd); /* never repeated: on Linux the descriptor is gone even after EINTR */
    errno = saved;
    *fd = -1;
}
