#!/usr/bin/env python3
"""Draws columns of a CSV over its first column as an SVG, one panel each: bench/graph.py FILE.csv column… >graph.svg"""
import csv
import sys

WIDTH, PANEL, LEFT, RIGHT, TOP, GAP = 900, 150, 70, 20, 40, 34


def panel(xs, ys, name, top):
    low, high = min(ys), max(ys)
    low, high = (0, high * 1.15 or 1) if low >= 0 else (low, high)
    x = lambda v: LEFT + (WIDTH - LEFT - RIGHT) * (v - xs[0]) / ((xs[-1] - xs[0]) or 1)
    y = lambda v: top + PANEL - PANEL * (v - low) / ((high - low) or 1)
    out = [f'<text x="{LEFT}" y="{top - 8}" font-weight="bold">{name}</text>', f'<rect x="{LEFT}" y="{top}" width="{WIDTH - LEFT - RIGHT}" height="{PANEL}" fill="none" stroke="#ccc"/>']
    for i in range(3):
        v = low + (high - low) * i / 2
        out.append(f'<text x="{LEFT - 6}" y="{y(v) + 4:.1f}" text-anchor="end">{v:.4g}</text><line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(v):.1f}" y2="{y(v):.1f}" stroke="#eee"/>')
    points = " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in zip(xs, ys))
    out.append(f'<polyline points="{points}" fill="none" stroke="#1f6fb2" stroke-width="1.5"/>')
    for i in range(5):
        v = xs[0] + (xs[-1] - xs[0]) * i / 4
        out.append(f'<text x="{x(v):.1f}" y="{top + PANEL + 14}" text-anchor="middle" fill="#666">{v:.0f}</text>')
    return out


def main():
    with open(sys.argv[1], newline="") as f:
        lines = list(csv.DictReader(f))
    first = list(lines[0])[0]
    columns = sys.argv[2:] or [c for c in lines[0] if c != first]
    xs = [float(line[first]) for line in lines]
    height = TOP + len(columns) * (PANEL + GAP)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="12">', f'<rect width="{WIDTH}" height="{height}" fill="white"/>', f'<text x="{WIDTH - RIGHT}" y="14" text-anchor="end" fill="#666">{first} →</text>']
    for i, column in enumerate(columns):
        out += panel(xs, [float(line[column]) for line in lines], column, TOP + i * (PANEL + GAP))
    print("\n".join(out + ["</svg>"]))


main()
