# How ./check spends its time: the steps in their order, what is made or run beside them, and the count. Sourced by ./check, whose table
# $STEPS it reads. One line a step, its columns apart by "|":
#
#   name     for --only and artefacts/NAME.log
#   runs     a function of ./check
#   makes    functions that make what later steps need. They run aside from when the step says `meanwhile` to its end
#   beside   a function that begins aside with the step and runs beside the steps after it, until one says `gather`
#   what     for --help
#
# "makes" and "beside" are for a whole check; with --only a step does its own work alone, with --long nothing runs beside.

passed=0 failed=0 failures=
making=
declare -A running

# column NAME N: of the step's line.
column() {
    awk -F'|' -v name="$1" -v n="$2" '{ gsub(/^[ \t]+|[ \t]+$/, "", $1) } $1 == name { gsub(/^[ \t]+|[ \t]+$/, "", $n); print $n }' <<<"$STEPS"
}

step_names() { awk -F'|' 'NF > 1 { print $1 }' <<<"$STEPS"; }

steps_help() {
    awk -F'|' 'NF > 1 { gsub(/^[ \t]+|[ \t]+$/, "", $1); sub(/^[ \t]+/, "", $5); printf "  %-9s %s\n", $1, $5 }' <<<"$STEPS"
}

whole() { [ -z "$only" ]; }

# Functions of ./check in a session of their own, with processor time that nobody else wants: a session is what the kernel shares
# the processors between (sched_autogroup), "nice" counts only within one.
aside=(setsid "$BASH" ./check --aside)
run_aside() {
    local each status=0
    (echo 19 >/proc/self/autogroup) 2>/dev/null
    renice -n 19 -p $$ >/dev/null
    chrt --idle -p 0 $$
    for each in "$@"; do "$each" || status=1; done
    return $status
}

# Where the processors were busy it may not have come to an end; the step that needs it goes on from there.
no_longer_aside() {
    kill -- "-$1" 2>/dev/null
    while pgrep -s "$1" >/dev/null; do sleep 0.1; done
    wait "$1" 2>/dev/null
    return 0
}

# What the present step makes for later ones begins; whether it worked is theirs to say.
meanwhile() {
    local makes
    whole || return 0
    read -ra makes <<<"$(column "$present" 3)"
    [ ${#makes[@]} -gt 0 ] || return 0
    "${aside[@]}" "${makes[@]}" >"$artefacts/made-during-$present.log" 2>&1 &
    making=$!
}

begin_beside() {
    local beside=$1
    [ -n "$beside" ] && whole && [ -z "$long" ] || return 0
    "${aside[@]}" "$beside" >"$artefacts/$beside.log" 2>&1 &
    running[$beside]=$!
}

is_beside() { [ -n "${running[$1]:-}" ]; }

# Waits for what ran beside, prints what it said, and gives its status.
gather() {
    local status=0
    wait "${running[$1]}" || status=1
    unset "running[$1]"
    cat "$artefacts/$1.log"
    return $status
}

nothing_beside() {
    local each
    [ -z "$making" ] || no_longer_aside "$making"
    for each in "${running[@]}"; do no_longer_aside "$each"; done
}
trap nothing_beside EXIT

# at_once NAME COMMAND…: commands that have nothing to do with each other, at the same time. What each said comes in one piece, what
# failed last; who does not count himself counts as one.
at_once() {
    local name=$1 pids=() good=() bad=() i log status
    shift
    for i in $(seq $#); do
        ${!i} >"$artefacts/$name-$i.log" 2>&1 &
        pids+=($!)
    done
    for i in $(seq $#); do
        log=$artefacts/$name-$i.log status=0
        wait "${pids[i - 1]}" || status=$?
        if ! grep -qE '^[0-9]+ passed, [0-9]+ failed' "$log"; then
            [ "$status" -eq 0 ] && echo '1 passed, 0 failed' >>"$log" || echo '0 passed, 1 failed' >>"$log"
        fi
        if [ "$status" -eq 0 ]; then good+=("$log"); else bad+=("$log"); fi
    done
    cat "${good[@]}" "${bad[@]}" </dev/null
    rm -f "${good[@]}" "${bad[@]}"
    [ ${#bad[@]} -eq 0 ]
}

# Counts: every step's output is kept in artefacts/STEP.log; "N passed, N failed" lines and ctest's summaries are added up.
tally() {
    local log=$1 status=$2 p f
    p=$(sed -nE 's/^([0-9]+) passed, ([0-9]+) failed.*/\1/p' "$log" | awk '{s+=$1}END{print s+0}')
    f=$(sed -nE 's/^([0-9]+) passed, ([0-9]+) failed.*/\2/p' "$log" | awk '{s+=$1}END{print s+0}')
    local bad total
    while read -r bad total; do
        p=$((p + total - bad)) f=$((f + bad))
    done < <(sed -nE 's/^[0-9]+% tests passed, ([0-9]+) tests? failed out of ([0-9]+).*/\1 \2/p' "$log")
    # a step that failed without saying so still counts
    [ "$status" -eq 0 ] || [ "$f" -gt 0 ] || f=1
    [ "$status" -ne 0 ] || [ "$p" -gt 0 ] || [ "$f" -gt 0 ] || p=1
    passed=$((passed + p)) failed=$((failed + f))
    [ "$f" -eq 0 ] || failures="$failures $3"
    printf '== %-8s %4d passed, %d failed, %d s\n' "$3" "$p" "$f" "$4"
}

# The lines that say what failed, with what was said of it: they stand at the very end, where whoever has only that sees them. A step
# that has no such lines (lint) says it in its last ones.
what_failed() {
    local step said
    for step in $failures; do
        echo "-- failed in $step:"
        said=$(grep -E -A4 '^FAILED|^not ok|\*\*\*(Failed|Timeout|Exception)|(FAILED|ERROR: [A-Z][A-Za-z]*Sanitizer)' "$artefacts/$step.log" | cut -c1-400 | head -n 40)
        [ -n "$said" ] && echo "$said" || tail -n 15 "$artefacts/$step.log" | cut -c1-400
    done
}

run_step() {
    local present=$1 start=$SECONDS status=0
    begin_beside "$(column "$present" 4)"
    "$(column "$present" 2)" >"$artefacts/$present.log" 2>&1 || status=$?
    [ -z "$making" ] || no_longer_aside "$making"
    making=
    [ "$status" -eq 0 ] || tail -n 60 "$artefacts/$present.log"
    tally "$artefacts/$present.log" "$status" "$present" $((SECONDS - start))
}

run_steps() {
    local name
    for name in ${only//,/ }; do
        step_names | grep -qwF -- "$name" || { say "./check: no step $name"; return 2; }
    done
    for name in $(step_names); do
        case ",$only," in ,,|*",$name,"*) run_step "$name" ;; esac
    done
    [ -z "$failures" ] || { what_failed; printf 'failed:%s (artefacts/STEP.log has the whole output)\n' "$failures"; }
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ]
}
