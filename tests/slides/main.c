/* make-slides DIR: every kind of slide in a folder of its name, for tests by hand and in the browser. */
#include <stdio.h>
#include <sys/stat.h>

#include "base/str.h"
#include "slides/slides.h"

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: make-slides DIR\n");
        return 2;
    }
    mkdir(argv[1], 0755);
    for (const slides_kind *kind = slides_kinds; kind->name; kind++) {
        char dir[1024];
        if (!cn_fmt(dir, sizeof(dir), "%s/%s", argv[1], kind->name) || mkdir(dir, 0755) != 0 ||
            slides_make(kind, dir) != CN_OK) {
            fprintf(stderr, "make-slides: %s cannot be made\n", kind->name);
            return 1;
        }
        printf("%s/%s\n", dir, kind->file);
    }
    return 0;
}
