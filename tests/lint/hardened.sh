#!/usr/bin/env bash
# tests/lint/hardened.sh [PROGRAM…]: whether programs (those that are installed, of build/release) have what cmake/House.cmake asks for: loaded
# anywhere, all addresses looked up at the start and unwritable from then on, no executable stack, checked lengths and canaries, and on
# x86-64 branch targets and the mark for shadow stacks. Names what lacks something; the last line is "N passed, N failed".
set -uo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
passed=0 failed=0

# Programs that `install` takes along, as cmake/Package.cmake names them.
shipped() { sed -nE 's/^ *install\(TARGETS (.*) RUNTIME\)/\1/p' cmake/Package.cmake | tr ' ' '\n' | sed 's|^|build/release/|'; }

# What PROGRAM lacks, one word each.
lacks() {
    local program=$1 head dynamic notes symbols
    head=$(readelf -hlW "$program") dynamic=$(readelf -dW "$program") notes=$(readelf -nW "$program") symbols=$(readelf -W --dyn-syms "$program")
    grep -q 'DYN (Position-Independent Executable' <<<"$head" || echo PIE
    grep -q GNU_RELRO <<<"$head" || echo RELRO
    grep -qE 'BIND_NOW|\bNOW\b' <<<"$dynamic" || echo BIND_NOW
    grep -q 'GNU_STACK.* RW ' <<<"$head" || echo unexecutable-stack
    grep -q __stack_chk_fail <<<"$symbols" || echo canaries
    grep -qE '__[a-z]+_chk\b' <<<"$(grep -v __stack_chk_fail <<<"$symbols")" || echo FORTIFY
    grep -q 'Advanced Micro Devices X86-64' <<<"$head" || return 0
    grep -q SHSTK <<<"$notes" || echo shadow-stack
    objdump -d --no-show-raw-insn --disassemble=main "$program" | grep -A1 '<main>:' | grep -q endbr64 || echo branch-targets
}

[ $# -gt 0 ] || { mapfile -t found < <(shipped); set -- "${found[@]}"; }
[ $# -gt 0 ] || { echo "cmake/Package.cmake installs no program"; failed=1; }
for program in "$@"; do
    missing='not there'
    [ ! -e "$program" ] || missing=$(lacks "$program" 2>&1 | paste -sd' ')
    if [ -z "$missing" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "not ok: $program: $missing"
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
