/* Memory: zeroed allocation with checked sizes, reference counts, cleanup attributes. */
#ifndef CN_BASE_MEM_H
#define CN_BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

/** count × size zeroed bytes, NULL when the product overflows or memory is out. */
void *cn_calloc(size_t count, size_t size);

/** One zeroed object of `type`, or NULL. */
#define CN_NEW(type) ((type *)cn_calloc(1, sizeof(type)))

/** Copies of a string and of bytes; NULL in gives NULL out. Caller frees with free(). */
char *cn_strdup(const char *text);
char *cn_strndup(const char *text, size_t len);
void *cn_memdup(const void *bytes, size_t len);

/** Wipes and frees a secret; NULL allowed. */
void cn_free_secret(void *bytes, size_t len);

/** Gives memory that is free back to the system, of which the allocator would keep the peak. Any thread; takes some
 * milliseconds, in which threads that allocate may wait: for after a peak, not for after every small thing. */
void cn_mem_trim(void);
/** For a figure that follows what is in use, looked at once in a while: true when it fell from its peak, which is kept
 * in `*peak` (at first 0), to a half or less and by 16 at least. The peak begins anew then. */
bool cn_mem_ebb(size_t *peak, size_t now);

/** Called once when the last reference goes; must accept a half-built object. It does not free the memory itself. */
typedef void (*cn_destructor)(void *object);

/** A zeroed object with reference count 1 (thread-safe), or NULL. `destroy` may be NULL. */
void *cn_ref_new(size_t size, cn_destructor destroy);

/** One more reference; returns its argument. NULL allowed. */
void *cn_ref(void *object);

/** One reference less; always returns NULL, so that `p = cn_unref(p)` reads well. NULL allowed. */
void *cn_unref(void *object);

static inline void cn_cleanup_free(void *place)
{
    free(*(void **)place);
}
static inline void cn_cleanup_unref(void *place)
{
    cn_unref(*(void **)place);
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
