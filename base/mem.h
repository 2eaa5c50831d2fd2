/* Memory: zeroed allocation with checked sizes, reference counts, cleanup attributes. */
#ifndef CN_BASE_MEM_H
#define CN_BASE_MEM_H

#include <stddef.h>
#include <stdlib.h>

/** n × size zeroed bytes, NULL when the product overflows or memory is out. */
void *cn_calloc(size_t n, size_t size);

/** One zeroed object of `type`, or NULL. */
#define CN_NEW(type) ((type *)cn_calloc(1, sizeof(type)))

/** Copies of a string and of bytes; NULL in gives NULL out. Caller frees with free(). */
char *cn_strdup(const char *s);
char *cn_strndup(const char *s, size_t n);
void *cn_memdup(const void *p, size_t n);

/** Wipes and frees a secret; NULL allowed. */
void cn_free_secret(void *p, size_t n);

/** Called once when the last reference goes; must accept a half-built object. It does not free the memory itself. */
typedef void (*cn_destructor)(void *object);

/** A zeroed object with reference count 1 (thread-safe), or NULL. `destroy` may be NULL. */
void *cn_ref_new(size_t size, cn_destructor destroy);

/** One more reference; returns its argument. NULL allowed. */
void *cn_ref(void *object);

/** One reference less; always returns NULL, so that `p = cn_unref(p)` reads well. NULL allowed. */
void *cn_unref(void *object);

static inline void cn_cleanup_free(void *p)
{
    free(*(void **)p);
}
static inline void cn_cleanup_unref(void *p)
{
    cn_unref(*(void **)p);
}
static inline void cn_cleanup_close_(int *fd);

/** Frees, or drops the reference, when the variable goes out of scope. */
#define CN_AUTO_FREE __attribute__((cleanup(cn_cleanup_free)))
#define CN_AUTO_UNREF __attribute__((cleanup(cn_cleanup_unref)))

void cn_fd_close(int *fd); /* closes *fd unless negative and sets it to -1 */
static inline void cn_cleanup_close_(int *fd)
{
    cn_fd_close(fd);
}
#define CN_AUTO_CLOSE __attribute__((cleanup(cn_cleanup_close_)))

#endif
