#!/usr/bin/env bash
# tests/fuzz/run.sh SECONDS [--jobs N] [--evidence FILE] [NAME…]: builds the fuzz preset, runs each target for SECONDS over a copy of its corpus,
# and fails on a crash or when less than 80 % of the lines of the files which the target's "covers:" comment names were reached.
# --evidence writes what was run as a page: commit, processor time, executions and crashes of each target; such a run begins with what
# the ones before it found (build/fuzz/grown), and its line is added to those of the runs before.
set -euo pipefail
cd "$(dirname "$0")/../.."

seconds=${1:?usage: tests/fuzz/run.sh SECONDS [--jobs N] [--evidence FILE] [NAME...]}
shift
jobs=$(nproc) evidence=
while :; do
    case ${1:-} in
    --jobs) jobs=${2:?--jobs wants a number} ;;
    --evidence) evidence=${2:?--evidence wants a file} ;;
    *) break ;;
    esac
    shift 2
done
floor=80
build=build/fuzz

names=("$@")
if [ ${#names[@]} -eq 0 ]; then
    for source in tests/fuzz/*.c; do
        [ -e "$source" ] && names+=("$(basename "$source" .c)")
    done
fi
[ ${#names[@]} -gt 0 ] || { echo "fuzz: no targets"; exit 0; }

cmake --preset fuzz >/dev/null
cmake --build --preset fuzz --target "${names[@]/#/fuzz_}" -j "$jobs" >"$build/build.log" 2>&1 ||
    { tail -40 "$build/build.log"; exit 1; }

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
crashes=$build/crashes
mkdir -p "$crashes"

# One target; leaves its line in $scratch/NAME.line, its processor time in NAME.time, and returns 1 when it failed.
run_one() {
    local TIMEFORMAT='%U %S' name=$1 dir=$scratch/$1 log=$build/fuzz_$1.log status=0 execs files percent
    local program=$build/fuzz_$name
    local flags=(-max_total_time="$seconds" -print_final_stats=1 -timeout=40 -rss_limit_mb=2048
        -artifact_prefix="$crashes/$name-")
    [ -f "tests/fuzz/$name.dict" ] && flags+=(-dict="tests/fuzz/$name.dict")
    [ -z "$evidence" ] || dir=$build/grown/$name
    mkdir -p "$dir"
    local inputs=("$dir")
    [ -d "tests/fuzz/corpus/$name" ] && inputs+=("tests/fuzz/corpus/$name")
    { time LLVM_PROFILE_FILE=$scratch/$name.profraw "$program" "${flags[@]}" "${inputs[@]}" >"$log" 2>&1; } 2>"$scratch/$name.time" || status=$?
    execs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log" | tail -1)
    echo "${execs:-0} $status" >"$scratch/$name.count"
    if [ "$status" -ne 0 ]; then
        { echo "fuzz $name: ${execs:-?} execs, FAILED (status $status), input in $crashes/"; tail -30 "$log"; } >"$scratch/$name.line"
        return 1
    fi
    files=$(sed -n 's|^// covers: *||p' "tests/fuzz/$name.c")
    if [ -z "$files" ]; then
        echo "fuzz $name: ${execs:-?} execs, FAILED: tests/fuzz/$name.c has no '// covers:' line" >"$scratch/$name.line"
        return 1
    fi
    llvm-profdata-14 merge -sparse "$scratch/$name.profraw" -o "$scratch/$name.profdata"
    percent=$(coverage "$program" "$scratch/$name.profdata" $files)
    echo "$percent" >"$scratch/$name.percent"
    echo "fuzz $name: ${execs:-?} execs, coverage $percent %" >"$scratch/$name.line"
    if [ "$percent" -lt "$floor" ]; then
        echo "fuzz $name: FAILED: less than $floor % of $files" >>"$scratch/$name.line"
        return 1
    fi
}

# Percent (rounded down) of the lines of the given files that ran. A header's inline code counts where the program holds it.
coverage() {
    local program=$1 profile=$2
    shift 2
    for file in "$@"; do
        [ -e "$file" ] || { echo "fuzz: no such file: $file" >&2; echo 0; return; }
    done
    llvm-cov-14 export -format=lcov -instr-profile="$profile" "$program" 2>/dev/null |
        awk -v wanted="$*" '
            BEGIN { n = split(wanted, list, " ") }
            /^SF:/ { take = 0; for (i = 1; i <= n; i++) if (substr($0, length($0) - length(list[i])) == "/" list[i]) take = 1 }
            /^DA:/ && take { split($0, part, "[:,]"); all++; if (part[3] > 0) hit++ }
            END { print all ? int(100 * hit / all) : 0 }'
}

# The page that --evidence asks for.
page() {
    local name execs status user system all=0 runs=0 crashes=0
    printf '# Fuzzing\n\nWritten by `./check --long --only fuzz`, %s UTC, commit %s%s, on %s × %s, %s. Targets and corpora: tests/fuzz.\n\n' \
        "$(date -u '+%Y-%m-%d %H:%M')" "$(git rev-parse --short HEAD)" "$(git diff --quiet HEAD -- . ':!docs' || echo ' with changes')" "$(nproc)" \
        "$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -1)" "$(clang --version | head -1)"
    printf '| target | processor time, s | executions | crashes | coverage of its parser |\n|---|---:|---:|---:|---:|\n'
    for name in "${names[@]}"; do
        read -r user system < <(tail -n 1 "$scratch/$name.time")
        read -r execs status <"$scratch/$name.count"
        user=$(awk -v u="$user" -v s="$system" 'BEGIN { printf "%.0f", u + s }')
        all=$((all + user)) runs=$((runs + execs)) crashes=$((crashes + (status != 0)))
        printf '| %s | %s | %s | %s | %s |\n' "$name" "$user" "$execs" "$((status != 0))" "$(cat "$scratch/$name.percent" 2>/dev/null || echo -) %"
    done
    printf '| **all** | **%s** (%s h) | **%s** | **%s** | |\n' "$all" "$(hours "$all")" "$runs" "$crashes"
    {
        sed -n 's/^\(| [0-9-]\{10\} .*\)$/\1/p' "$evidence" 2>/dev/null || true
        printf '| %s | %s | %s | %s | %s | %s |\n' "$(date -u '+%Y-%m-%d %H:%M')" "$(git rev-parse --short HEAD)" "${#names[@]}" "$all" "$runs" "$crashes"
    } >"$scratch/runs"
    printf '\n## All runs\n\n%s h of processor time together.\n\n' "$(hours "$(awk -F'|' '{ s += $5 } END { print s }' "$scratch/runs")")"
    printf '| ended (UTC) | commit | targets | processor time, s | executions | crashes |\n|---|---|---:|---:|---:|---:|\n'
    cat "$scratch/runs"
}
hours() { awk -v s="$1" 'BEGIN { printf "%.2f", s / 3600 }'; }

failed=0
running=()
finish() {
    wait "${running[0]#*:}" || failed=1
    cat "$scratch/${running[0]%%:*}.line"
    running=("${running[@]:1}")
}
for name in "${names[@]}"; do
    run_one "$name" &
    running+=("$name:$!")
    [ ${#running[@]} -lt "$jobs" ] || finish
done
while [ ${#running[@]} -gt 0 ]; do finish; done
[ -z "$evidence" ] || { page >"$scratch/page" && cp "$scratch/page" "$evidence"; }
exit $failed
