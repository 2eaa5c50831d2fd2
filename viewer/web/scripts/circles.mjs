// Which modules import each other in a circle: types count too, for a reader follows them as well.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s(?:[^'"`;]*?\sfrom\s)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/g

function modules(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    return entry.isDirectory() ? modules(path) : /\.(ts|vue)$/.test(entry.name) ? [path] : []
  })
}

function target(source, from, name) {
  const base = name.startsWith('@/')
    ? join(source, name.slice(2))
    : name.startsWith('.')
      ? resolve(dirname(from), name)
      : null
  return (
    base && [base, `${base}.ts`, join(base, 'index.ts')].find((path) => existsSync(path) && statSync(path).isFile())
  )
}

/** Every circle's modules in the order in which one imports the next; the first stands at the end again. */
export function circles(source) {
  const arrows = new Map()
  for (const path of modules(source)) {
    const found = [...readFileSync(path, 'utf8').matchAll(IMPORT)].map((m) => m[1] ?? m[2])
    arrows.set(path, new Set(found.map((name) => target(source, path, name)).filter(Boolean)))
  }
  const done = new Set()
  const way = []
  const result = []
  const walk = (path) => {
    const at = way.indexOf(path)
    if (at >= 0) return void result.push([...way.slice(at), path].map((one) => relative(source, one)))
    if (done.has(path)) return
    way.push(path)
    for (const next of arrows.get(path) ?? []) walk(next)
    way.pop()
    done.add(path)
  }
  for (const path of arrows.keys()) walk(path)
  return result
}
