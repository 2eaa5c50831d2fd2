#!/usr/bin/env bash
# tests/lint/lint.sh: what the compiler does not say. Prints file:line: what is wrong, and what to use instead; non-zero when anything is.
set -euo pipefail
cd "$(dirname "$0")/../.."
function_max=100
function_goal=50
file_max=1000

mapfile -t sources < <(git ls-files --cached --others --exclude-standard -- '*.c' '*.h' '*.cc' '*.cpp')
mapfile -t c_sources < <(printf '%s\n' "${sources[@]}" | grep -E '\.(c|h)$')
failed=0
complain() {
    echo "$1"
    failed=1
}

# call|what to use instead
banned='atoi|cn_parse_i64 (base/str.h)
atol|cn_parse_i64 (base/str.h)
atoll|cn_parse_i64 (base/str.h)
strcpy|cn_strcpy (base/str.h)
stpcpy|cn_strcpy (base/str.h)
strncpy|cn_strcpy (base/str.h)
strcat|cn_fmt or cn_buf_str (base/str.h)
strncat|cn_fmt or cn_buf_str (base/str.h)
sprintf|cn_fmt or cn_buf_fmt (base/str.h)
vsprintf|cn_buf_fmt (base/str.h)
gets|cn_file_read (base/file.h)
strtok|strspn and strcspn over the text as it stands
alloca|cn_calloc (base/mem.h)
system|cn_child_run (base/child.h)
popen|cn_child_run (base/child.h)
tmpnam|mkostemp
mktemp|mkostemp
rand|cn_random (base/crypto.h), or a seeded generator of your own in tests
srand|cn_random (base/crypto.h), or a seeded generator of your own in tests
random|cn_random (base/crypto.h), or a seeded generator of your own in tests
localtime|cn_time_format (base/clock.h) or localtime_r
gmtime|cn_time_format (base/clock.h) or gmtime_r
ctime|cn_time_format (base/clock.h)
asctime|cn_time_format (base/clock.h)'
names=$(printf '%s\n' "$banned" | cut -d'|' -f1 | paste -sd'|')

# Comments and texts may say what they like: the compiler's own scanner blanks the comments, sed the texts; line numbers stay.
code_of() {
    { gcc -fpreprocessed -dD -E -w "$1" 2>/dev/null || true; } | awk '
        /^# [0-9]+ "/ { line = $2 - 1; next }
        { line++; gsub(/\\./, ""); gsub(/"[^"]*"/, "\"\""); print line ":" $0 }'
}

for file in "${c_sources[@]}"; do
    code=$(code_of "$file")
    while IFS=: read -r line text; do
        [ -n "$line" ] || continue
        call=$(grep -oE "(^|[^A-Za-z0-9_])($names)[[:space:]]*\(" <<<"$text" | head -1 | grep -oE "[a-z]+")
        complain "$file:$line: $call is banned; use $(printf '%s\n' "$banned" | sed -n "s/^$call|//p")"
    done < <(grep -E "^[0-9]+:(.*[^A-Za-z0-9_.>])?($names)[[:space:]]*\(" <<<"$code" || true)
    while IFS=: read -r line _; do
        [ -n "$line" ] && complain "$file:$line: a product as a size may overflow; use cn_calloc (base/mem.h) or reallocarray"
    done < <(sed -E 's/sizeof ?\(? ?\*+/sizeof /g; s/ \*+\)/)/g' <<<"$code" |
        grep -E '(^|[^A-Za-z0-9_])(malloc|realloc)[[:space:]]*\([^;]*\*' || true)
    case $file in
    *.h) grep -qE '^#ifndef CN_[A-Z0-9_]+_H$' "$file" || complain "$file:1: no include guard CN_…_H" ;;
    esac
done

while IFS= read -r hit; do
    complain "$hit: include by folder, \"folder/x.h\", not by a way upwards"
done < <(grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"\.\./' "${sources[@]}" /dev/null | cut -d: -f1,2)

for file in "${sources[@]}"; do
    lines=$(wc -l <"$file")
    [ "$lines" -le "$file_max" ] || complain "$file:1: $lines lines; at most $file_max in a file"
done

functions=$(ctags -o - --languages=C,C++ --kinds-C=f --kinds-C++=f --fields=+ne --excmd=number "${sources[@]}" |
    awk -F'\t' '!/^!/ { s = e = 0
        for (i = 4; i <= NF; i++) { if ($i ~ /^line:/) s = substr($i, 6); if ($i ~ /^end:/) e = substr($i, 5) }
        if (s && e) print e - s + 1, $2 ":" s ":", $1 }' | sort -n)
while read -r lines where name; do
    [ "${lines:-0}" -gt "$function_max" ] && complain "$where $name has $lines lines; at most $function_max in a function"
done <<<"$functions"

if ! clang-format --dry-run -Werror -- "${c_sources[@]}" 2>"${TMPDIR:-/tmp}/lint-format.$$"; then
    failed=1
    grep -E 'error:' "${TMPDIR:-/tmp}/lint-format.$$" | awk -F: '!seen[$1]++ { print $1 ":" $2 ": not formatted; run clang-format -i " $1 }'
fi
rm -f "${TMPDIR:-/tmp}/lint-format.$$"

awk -v goal=$function_goal 'NF { n++; if ($1 < goal) small++; last = $1 }
    END { if (n) printf "lint: %d functions, %.1f %% under %d lines, longest %d\n", n, 100 * small / n, goal, last }' <<<"$functions"
[ "$failed" -eq 0 ] && echo "lint: ${#sources[@]} files clean"
exit "$failed"
