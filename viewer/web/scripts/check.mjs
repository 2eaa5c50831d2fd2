// Runs the unit tests and ends with the line that the project's check adds up.
import { spawnSync } from 'node:child_process'

const run = spawnSync(
  process.execPath,
  [
    'node_modules/vitest/vitest.mjs',
    'run',
    '--reporter=json',
    '--reporter=default',
    '--outputFile.json=node_modules/.vitest.json',
  ],
  { stdio: 'inherit' },
)
const { readFileSync } = await import('node:fs')
const result = JSON.parse(readFileSync('node_modules/.vitest.json', 'utf8'))
const failed = result.numFailedTests + result.numFailedTestSuites
console.log(`${result.numPassedTests} passed, ${failed} failed`)
process.exit(run.status ?? 1)
