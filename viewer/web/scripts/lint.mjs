// The form and the faults of everything written in JavaScript, TypeScript and Vue in the whole repository: node scripts/lint.mjs [--fix]
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { circles } from './circles.mjs'

const web = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const root = resolve(web, '../..')
const MADE = new Set(['node_modules', 'dist', 'build', 'artefacts', 'var', '.git'])

/** Files below `folder` whose names end so, without what is made or fetched. */
function files(folder, pattern) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return MADE.has(entry.name) ? [] : files(path, pattern)
    return pattern.test(entry.name) ? [relative(root, path)] : []
  })
}

/** Configurations lie here, files all over the repository: both tools run at its root. */
function run(tool, ...args) {
  const script = join(web, 'node_modules', tool)
  return spawnSync(process.execPath, [script, ...args], { cwd: root, stdio: 'inherit' }).status === 0
}

const fix = process.argv.includes('--fix')
const scripts = [...new Set([...files(root, /\.mjs$/), ...files(web, /\.(ts|vue|js)$/)])].sort()
const styles = files(web, /\.(css|html)$/)
const formatted = run(
  'prettier/bin/prettier.cjs',
  '--config',
  join(web, '.prettierrc.json'),
  '--log-level=warn',
  fix ? '--write' : '--check',
  ...scripts,
  ...styles,
)
const faultless = run(
  'eslint/bin/eslint.js',
  '--config',
  join(web, 'eslint.config.mjs'),
  '--max-warnings=0',
  ...(fix ? ['--fix'] : []),
  ...scripts,
)
const found = circles(join(web, 'src'))
for (const circle of found) console.error(`circle of imports: ${circle.join(' → ')}`)
process.exit(formatted && faultless && found.length === 0 ? 0 : 1)
