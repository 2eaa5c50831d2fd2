#!/usr/bin/env python3
"""tests/lint/circles.py [BUILD] [--max N] [--plain]: which modules of the product know each other in a ring.

A module is what has one stem in one folder: x.c, x.h and the private headers x_impl.h, x_private.h, x_state.h and
x_parts.h (this one only while there is no x_parts.c). Two additions:
  - A private header that files of other stems include as well is a module of its own: the state which a family of
    files stands on. That it includes its own x.h is no arrow, since it only completes what x.h names.
  - A bare state.h or impl.h is the private header of the file that bears the folder's name (live/state.h: live/live).
Arrows:
  - include: a file of A includes a file of B. The #include lines say where; only those count that the compiler
    followed (ninja -t deps of BUILD), and what it read without such a line is an error of this script.
  - call: an object of A uses a symbol (function or object) that B's object defines (nm). An inline function of a
    header calls from whoever includes it. Whether a call runs through a pointer the symbols do not say.
A circle is a strongly connected set of two or more modules, of the includes, of the calls, or of both together.
At most N modules (default 0) may stand in circles of both together; the exit status is 1 beyond. The number of modules
is what is limited since it falls with every arrow that goes, while one great circle may become two small ones.
Generated sources, tests and bench/ are no modules.
"""
import argparse
import os
import re
import sys

sys.dont_write_bytecode = True
import house

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', re.M)


def includes_of(root, files):
    """(file, line, included file) for every #include of a product file."""
    known, found = set(files), []
    for path in files:
        text = house.read(root, path)
        for match in INCLUDE.finditer(text):
            beside = os.path.normpath(os.path.join(os.path.dirname(path), match.group(1)))
            for target in (match.group(1), beside):
                if target in known:
                    found.append((path, text.count("\n", 0, match.start()) + 1, target))
                    break
    return found


def modules_of(files, includes):
    known = set(files)
    stem = {path: house.private_to(path, known) or os.path.splitext(path)[0] for path in files}
    shared = {target for path, _, target in includes
              if house.private_to(target, known) and stem[path] != stem[target]}
    return {path: os.path.splitext(path)[0] if path in shared else stem[path] for path in files}, shared


def graph(root, build, files):
    """(arrows, shared): arrows[kind][(A, B)] → what makes it."""
    includes = includes_of(root, files)
    module, shared = modules_of(files, includes)
    followed = {}
    for parts in build.parts.values():
        for part in parts:
            followed.setdefault(part, set()).update(parts)
    arrows = {"include": {}, "call": {}}
    direct = {}
    for path, line, target in includes:
        direct.setdefault(path, set()).add(target)
        if target not in followed.get(path, ()):
            continue
        if path in shared and target == house.private_to(path, set(files)) + ".h":
            continue
        if module[path] != module[target]:
            arrows["include"].setdefault((module[path], module[target]), []).append(f"{path}:{line}")
    for made, parts in build.parts.items():
        source = build.sources[made]
        if source.startswith("generated:"):
            continue
        reached, todo = {source}, [source]
        while todo:
            for target in direct.get(todo.pop(), ()):
                if target not in reached:
                    reached.add(target)
                    todo.append(target)
        for part in sorted(parts - reached):
            house.refuse(f"{source}: the compiler read {part}, but no #include \"…\" line leads there")
    owner = {}
    for source, symbols in build.defines.items():
        if source in module:
            for symbol in symbols:
                owner[symbol] = source
    for source, symbols in build.uses.items():
        for symbol in sorted(symbols):
            if source in module and symbol in owner and module[source] != module[owner[symbol]]:
                arrows["call"].setdefault((module[source], module[owner[symbol]]), []).append(symbol)
    return arrows, set(module.values())


def circles_of(nodes, pairs):
    """Strongly connected sets of two and more (Tarjan's, without recursion), the largest first."""
    after = {node: [] for node in nodes}
    for a, b in sorted(pairs):
        after[a].append(b)
    number, low, stack, on_stack, found = {}, {}, [], set(), []
    for start in sorted(nodes):
        if start in number:
            continue
        number[start] = low[start] = len(number)
        stack.append(start)
        on_stack.add(start)
        work = [(start, iter(after[start]))]
        while work:
            node, rest = work[-1]
            for to in rest:
                if to not in number:
                    number[to] = low[to] = len(number)
                    stack.append(to)
                    on_stack.add(to)
                    work.append((to, iter(after[to])))
                    break
                if to in on_stack:
                    low[node] = min(low[node], number[to])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == number[node]:
                    ring = set()
                    while node not in ring:
                        ring.add(stack.pop())
                    on_stack -= ring
                    if len(ring) > 1:
                        found.append(sorted(ring))
    return sorted(found, key=lambda ring: (-len(ring), ring))


def shortest(ring, pairs):
    """The shortest way round inside a strongly connected set: the one to break first."""
    after = {}
    for a, b in sorted(pairs):
        if a in ring and b in ring:
            after.setdefault(a, []).append(b)
    best = None
    for start in ring:
        came, todo = {start: None}, [start]
        for node in todo:
            if start in after.get(node, ()):
                way = [start]
                while node is not None:
                    way.append(node)
                    node = came[node]
                if best is None or len(way) < len(best):
                    best = way[::-1]
                break
            for to in after.get(node, ()):
                if to not in came:
                    came[to] = node
                    todo.append(to)
    return best


def measure(root, build, files):
    """{kind: [circle…]} for include, call and both, the arrows, and how many modules there are."""
    arrows, nodes = graph(root, build, files)
    both = set(arrows["include"]) | set(arrows["call"])
    rings = {kind: circles_of(nodes, arrows[kind]) for kind in ("include", "call")}
    rings["both"] = circles_of(nodes, both)
    return rings, arrows, len(nodes)


def tell(rings, arrows):
    both = set(arrows["include"]) | set(arrows["call"])
    for number, ring in enumerate(rings["both"], 1):
        print(f"circle {number}: {len(ring)} modules; the shortest way round: {' -> '.join(shortest(ring, both))}")
        for a, b in sorted(pair for pair in both if pair[0] in ring and pair[1] in ring):
            lines, calls = arrows["include"].get((a, b), []), arrows["call"].get((a, b), [])
            said = ([f"includes at {', '.join(lines[:3])}"] if lines else []) + \
                   ([f"calls {', '.join(calls[:4])}{f' and {len(calls) - 4} more' if len(calls) > 4 else ''}"] if calls else [])
            print(f"  {a} -> {b}: {'; '.join(said)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", nargs="?", default="build/release")
    parser.add_argument("--root", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
    parser.add_argument("--max", type=int, default=0, help="how many modules may stand in circles")
    parser.add_argument("--plain", action="store_true", help="name, value and limit, a line each; no arrows")
    asked = parser.parse_args()
    files = house.product_files(asked.root)
    build = house.Build(asked.root, os.path.join(asked.root, asked.build), files)
    rings, arrows, count = measure(asked.root, build, files)
    inside = sum(map(len, rings["both"]))
    if asked.plain:
        for name, value, limit in (("modules", count, "-"), ("include_circles", len(rings["include"]), "-"),
                                   ("call_circles", len(rings["call"]), "-"), ("circles", len(rings["both"]), "-"),
                                   ("modules_in_circles", inside, asked.max)):
            print(name, value, limit)
    else:
        tell(rings, arrows)
        print(f"{count} modules; circles: {len(rings['include'])} of includes "
              f"({sum(map(len, rings['include']))} modules), {len(rings['call'])} of calls "
              f"({sum(map(len, rings['call']))}), {len(rings['both'])} of both ({inside}, at most {asked.max})")
    return inside > asked.max


if __name__ == "__main__":
    sys.exit(main())
