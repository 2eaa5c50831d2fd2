#!/usr/bin/env bash
# tests/lint/selftest.sh: breaks each rule of circles.py, measure.sh, ways.py and hardened.sh in a tiny tree of its own, sees it refused and
# named, mends it and sees it accepted. The last line is "N passed, N failed".
set -uo pipefail
lint=$(dirname "$(readlink -f "$0")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0
tree=$work/tree

count() { # what, whether it holds, what was said
    if [ "$2" = yes ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'not so: %s\n%s\n' "$1" "$3"
    fi
}
# refused STATUS WHAT TEXT COMMAND…: ends with STATUS and says TEXT
refused() {
    local want=$1 what=$2 text=$3 said status=0
    shift 3
    said=$("$@" 2>&1) || status=$?
    if [ "$status" -eq "$want" ] && grep -qF -- "$text" <<<"$said"; then count "$what" yes; else count "$what (status $status)" no "$said"; fi
}
accepted() {
    local what=$1 said status=0
    shift
    said=$("$@" 2>&1) || status=$?
    if [ "$status" -eq 0 ]; then count "$what" yes; else count "$what (status $status)" no "$said"; fi
}

# A small product: media/ with a main that reaches a and b, a test, a README, and a build of it.
put() { mkdir -p "$(dirname "$tree/$1")" && cat >"$tree/$1"; }
fresh() {
    rm -rf "$tree"
    mkdir -p "$tree/media" "$tree/build"
    git -C "$tree" init -q
    echo /build/ >"$tree/.gitignore"
    put media/main.c <<<'#include "media/a.h"
int main(void) { return thing_make(1); }'
    put media/a.h <<<'int thing_make(int number);'
    put media/a.c <<<'#include "media/a.h"
#include "media/b.h"
int thing_make(int number) { return thing_add(number, 1); }'
    put media/b.h <<<'int thing_add(int one, int other);'
    put media/b.c <<<'#include "media/b.h"
int thing_add(int one, int other) { return one + other; }'
    put media/README.md <<<'The modules are `main`, `a` and `b`.'
}
build() {
    {
        printf 'rule cc\n  command = gcc -MD -MF $out.d -I.. -c $in -o $out\n  depfile = $out.d\n  deps = gcc\n'
        (cd "$tree" && find media -name '*.c') | while read -r source; do
            printf 'build %s.o: cc ../%s\n' "$source" "$source"
        done
    } >"$tree/build/build.ninja"
    ninja -C "$tree/build" >"$work/ninja.log" 2>&1 || { cat "$work/ninja.log"; exit 2; }
}
circles() { python3 -B "$lint/circles.py" --root "$tree" build "$@"; }
measure() { "$lint/measure.sh" --root "$tree" build "$@"; }
ways() { python3 -B "$lint/ways.py" --root "$tree"; }
lines() { for ((at = 1; at <= $1; at++)); do printf "$2\n" "$at"; done; }

fresh
refused 2 "no build" "no build here" circles
build
accepted "a plain tree has no circle" circles
accepted "a plain tree is within all limits" measure
accepted "a plain tree's README is a map" ways

# circles
put media/b.h <<<'#ifndef B
#define B
#include "media/a.h"
int thing_add(int one, int other);
#endif'
refused 2 "a build older than its source" "is newer than" circles
build
refused 1 "a circle of includes" "media/b -> media/a: includes at media/b.h:3" circles
refused 1 "a circle beyond the limit of measure" "media/a media/b" measure
accepted "as many modules in circles as were allowed" circles --max 2
fresh
put media/c.h <<<'int thing_make(int number);
int thing_add(int one, int other);'
put media/b.c <<<'#include "media/c.h"
int thing_add(int one, int other) { return one ? thing_make(0) : other; }'
build
refused 1 "a circle of calls without one of includes" "media/b -> media/a: calls thing_make" circles
fresh
put media/c.h <<<'struct thing;
int thing_more(struct thing *thing);'
put media/c_impl.h <<<'#include "media/c.h"
struct thing { int number; };'
put media/c.c <<<'#include "media/c_impl.h"
#include "media/d.h"
int thing_more(struct thing *thing) { return thing_less(thing); }'
put media/d.h <<<'struct thing;
int thing_less(struct thing *thing);'
put media/d.c <<<'#include "media/c_impl.h"
#include "media/d.h"
int thing_less(struct thing *thing) { return thing->number; }'
build
accepted "a private header that two files share is ground for both" circles
put media/d.c <<<'#include "media/c_impl.h"
#include "media/d.h"
int thing_less(struct thing *thing) { return thing ? thing->number : thing_more(thing); }'
build
refused 1 "a call back to the file above" "media/d -> media/c: calls thing_more" circles
put media/d.c <<<'#include "media/c_impl.h"
#include "media/d.h"
#ifdef NEVER
#include "media/main.h"
#endif
int thing_less(struct thing *thing) { return thing->number; }'
put media/main.h <<<'#include "media/d.h"'
build
accepted "an include that the compiler does not follow is no arrow" circles
put media/new.c <<<'int thing_new(void);'
refused 2 "a source that is not built" "not built: media/new.c" circles

# measure: sizes
fresh
{ echo 'int thing_add(int one, int other);'; lines 39 'int thing_%d(int number);'; } | put media/b.h
build
accepted "40 prototypes" measure
{ echo 'int thing_add(int one, int other);'; lines 40 'int thing_%d(int number);'; } | put media/b.h
build
refused 1 "41 prototypes" "media/b.h: 41 prototypes" measure
fresh
{ echo 'typedef struct cn_peer {'; lines 27 '    int member_%d;'; echo '    struct { int inside; } nested; int last; } cn_peer;'; } | put media/peer.h
accepted "cn_peer of 30 members" measure --source
{ echo 'typedef struct cn_peer {'; lines 27 '    int member_%d;'; echo '    struct { int inside, more; } nested; int last; } cn_peer;'; } | put media/peer.h
refused 1 "cn_peer of 31 members, two of them nested" "cn_peer has 31 members" measure --source
accepted "another limit, asked for" measure --source --limit cn_peer_members=31
refused 2 "a limit that there is not" "the names are" measure --source --limit none=1
fresh
{ echo '#include "media/b.h"'; echo 'int thing_add(int one, int other) {'; lines 43 '    one += %d;'; echo '    return one + other; }'; } | put media/b.c
accepted "a function of 45 lines" measure --source
{ echo '#include "media/b.h"'; echo 'int thing_add(int one, int other) {'; lines 44 '    one += %d;'; echo '    return one + other; }'; } | put media/b.c
refused 1 "a function of 46 lines" "media/b.c:2: thing_add has 46 lines" measure --source
fresh
lines 1001 '/* %d */' | put media/long.h
refused 1 "a file of 1001 lines" "media/long.h: 1001 lines" measure --source
lines 1000 '/* %d */' | put media/long.h
accepted "a file of 1000 lines" measure --source

# measure: names
fresh
put media/b.c <<<'#include "media/b.h"
int thing_add(int a, int other) { return a + other; }'
refused 1 "a third of the parameters are letters" "media/b.c: 1" measure --source
fresh
put media/b.h <<<'int thing_add(int a, int other);'
refused 1 "the same in headers" "media/b.h: 1" measure --source
fresh
put media/d.c <<<'struct room { int number; };
struct wall { int number; };
static int of_room(const struct room *room) { const struct room *r = room; return r->number; }
static int of_wall(struct wall *wall) { struct wall *r = wall; return r->number; }
int both(void) { struct room room = {0}; struct wall wall = {0}; return of_room(&room) + of_wall(&wall); }'
refused 1 "a letter for two types" "media/d.c: r is room (line 3), wall (line 4)" measure --source
sed -i 's/struct wall \*r = wall; return r->/struct wall *w = wall; return w->/' "$tree/media/d.c"
accepted "a letter for each type" measure --source
put media/d.c <<<'struct room { int number; };
int of_room(const struct room *room, unsigned long *count);
int of_room(const struct room *room, unsigned long *count)
{
    struct room r = *room;
    const struct room *const *v = &room;
    unsigned long *n = count;
    for (int i = 0; i < 3; i++) *n += (unsigned long)i;
    { short n = 1; return r.number + n + (*v)->number; }
}
int of_value(void) { struct room value = {0}, *r = &value; return r->number; }'
accepted "numbers, a value and its pointer are no two types" measure --source
fresh
put storage/c.c <<<'struct entry { int number; };
int of_entry(const struct entry *entry) { return entry->number; }'
put media/d.c <<<'typedef struct { char *text; } entry;
char *of_text(const entry *entry_) { return entry_->text; }'
refused 1 "a type defined twice" "entry: media/d.c:1, storage/c.c:1" measure --source
sed -i 's/} entry;/} line;/; s/const entry/const line/' "$tree/media/d.c"
accepted "each type once" measure --source
put media/e.h <<<'typedef struct cn_hall cn_hall;'
put media/f.h <<<'typedef struct cn_hall cn_hall;
struct cn_hall { int number; };'
accepted "a type named in two headers, defined in one" measure --source
put tests/unit/media/support.h <<<'typedef struct cn_hall { int other; } cn_hall;'
refused 1 "a type of the product defined otherwise by tests" "cn_hall: media/f.h:2, tests/unit/media/support.h:1" measure --source

# measure: what the product does not reach
fresh
put media/b.h <<<'int thing_add(int one, int other);
int thing_count(void);'
put media/b.c <<<'#include "media/b.h"
int thing_add(int one, int other) { return one + other; }
int thing_count(void) { return thing_add(1, 1); }'
put tests/unit/media/test_b.c <<<'#include "media/b.h"
int main(void) { return thing_count(); }'
build
refused 1 "a function that only a test reaches" "media/b.h:2: thing_count (media/b.c:3); reached by tests" measure
sed -i 's/thing_make(1)/thing_make(1) + thing_count()/; s/a.h"/a.h"\n#include "media\/b.h"/' "$tree/media/main.c"
build
accepted "the same when the program calls it" measure
fresh
put media/b.h <<<'int thing_add(int one, int other);
int thing_count(void);
int thing_sum(void);'
put media/b.c <<<'#include "media/b.h"
int thing_add(int one, int other) { return one + other; }
int thing_count(void) { return thing_sum(); }
int thing_sum(void) { return thing_count(); }'
build
refused 1 "two that reach each other only" "media/b.h:3: thing_sum (media/b.c:4); reached by nobody" measure
put media/b.c <<<'#include "media/b.h"
static int (*const table[])(void) = {thing_count};
int thing_add(int one, int other) { return one + other + table[one](); }
int thing_count(void) { return thing_sum(); }
int thing_sum(void) { return 1; }'
build
accepted "what a table names is reached" measure
fresh
put media/b.h <<<'int thing_add(int one, int other);
int thing_count(void);'
put media/b.c <<<'#include "media/b.h"
int thing_add(int one, int other) { return one + other; }
int thing_count(void) { return 1; /* thing_count() in a comment, "thing_count" in a text */ }'
put media/a.c <<<'#include "media/a.h"
#include "media/b.h"
#define CALL(what) thing_##what()
int thing_make(int number) { return thing_add(number, CALL(count)); }'
build
accepted "what a macro put together is reached, by the symbols" measure

# ways
fresh
put media/wire/rtp.c <<<'int rtp(void);'
refused 1 "a module that the README does not name" "media/README.md:1: does not name the module wire/rtp" ways
put media/README.md <<<'The modules are `main`, `a` and `b`; rtp is plain text.'
refused 1 "a word of the text is no name" "does not name the module wire/rtp" ways
put media/README.md <<<'The modules are `main`, `a`, `b` and `rtp_*`, and `rt*`.'
refused 1 "a glob names nothing" "does not name the module wire/rtp" ways
put media/README.md <<<'The modules are `main`, `{a,b}` and rtp.c.'
accepted "braces and a file's name" ways
put media/stream/rtp.c <<<'int rtp(void);'
refused 1 "two rooms have a module of that name" "does not name the module stream/rtp" ways
put media/README.md <<<'`main`, `a`, `b`

| room | |
|---|---|
| `wire/` rtp | formats |

## stream/
`rtp` counts.'
accepted "each is named with its room" ways
rm -r "$tree/media/stream"
put media/README.md <<<'`main`, `a`, `b`, `wire/rtp`, gone.c'
refused 1 "a file that is gone" "media/README.md:1: gone.c: no such file" ways
put media/README.md <<<'`main`, `a`, `b`, `wire/rtp`
It begins in `media/a.c:thing_gone`.'
refused 1 "a function that is gone" "media/README.md:2: media/a.c:thing_gone: media/a.c has no function of that name" ways
put media/README.md <<<'`main`, `a`, `b`, `wire/rtp`
It begins in `media/a.c:thing_make` and goes to `b.c:thing_add`.'
accepted "functions that are there" ways
put docs/way.md <<<'`media/a.c:thing_add`'
refused 1 "a function that another file defines" "docs/way.md:1: media/a.c:thing_add" ways
put docs/way.md <<<'`viewer/web/src/tile.ts:openTile`, `media/b.h:thing_add`'
put viewer/web/src/tile.ts <<<'export function openTile(name: string): void {
    close(name);
}'
accepted "a function of the web app, one that a header declares" ways
put docs/way.md <<<'`viewer/web/src/tile.ts:close`'
refused 1 "a function that the web app only calls" "viewer/web/src/tile.ts:close" ways
rm "$tree/docs/way.md"
put tests/a.mjs <<<"await check('it holds', async () => {"
put docs/security.md <<<'`tests/a.mjs` "it holds"'
accepted "a check that is there" ways
put docs/security.md <<<'`tests/a.mjs` "it holds", "it falls"'
refused 1 "a check that is gone" 'docs/security.md:1: tests/a.mjs: no check "it falls"' ways
put docs/security.md <<<'see tests/gone'
refused 1 "a test that is gone" "docs/security.md:1: tests/gone: no such file" ways
rm "$tree/docs/security.md"
put viewer/x.c <<<'int x(void);'
refused 1 "a folder without a README" "viewer/README.md:1: missing" ways

# hardened
gcc -no-pie -fcf-protection=none -fno-stack-protector -U_FORTIFY_SOURCE -Wl,-z,norelro -x c -o "$work/bare" - <<<'int main(void) { return 0; }'
refused 1 "a program without protection" "PIE RELRO BIND_NOW canaries FORTIFY" "$lint/hardened.sh" "$work/bare"
refused 1 "a program that is not there" "not there" "$lint/hardened.sh" "$work/none"

printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
