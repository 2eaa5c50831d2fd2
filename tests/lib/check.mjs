// A small test runner: named checks one after the other, each with a time limit; the last line counts them. Node's own modules only.
const results = []

export class Skip extends Error {}

/* What fails where nobody waits for it counts as well; the test goes on, so that it ends what it started. */
process.on('unhandledRejection', (e) => {
  results.push({ name: 'what nobody waited for', ok: false })
  console.log(`FAILED  what nobody waited for: ${e?.stack || e}`)
})

/* A limit that only says when to give up is no claim about the product: where other work takes the processors it is this much longer, and what took longer says so. */
const PATIENCE = 2

/** When a click, or what it should bring, is given up: no claim either. */
export const GIVE_UP_MS = 15000 * PATIENCE

export const sleep = (ms) => new Promise((r) => setTimeout(r, ms))

/** True unless it failed: what builds on it need not be tried then. `seconds`: usually enough for it. */
export async function check(name, fn, seconds = 120) {
  const start = Date.now(),
    limit = seconds * PATIENCE
  let timer
  try {
    const late = new Promise((_, no) => {
      timer = setTimeout(() => no(new Error(`took longer than ${limit} s`)), limit * 1000)
    })
    await Promise.race([fn(), late])
    results.push({ name, ok: true })
    console.log(`ok      ${name} (${((Date.now() - start) / 1000).toFixed(1)} s)`)
    return true
  } catch (e) {
    if (e instanceof Skip) {
      console.log(`skipped ${name}: ${e.message}`)
      return true
    }
    results.push({ name, ok: false })
    console.log(`FAILED  ${name}: ${e.stack || e}`)
    return false
  } finally {
    clearTimeout(timer)
  }
}

export function assert(condition, message) {
  if (!condition) throw new Error(message)
}

/** Lists and objects are equal when they are written alike. */
export function equal(actual, expected, what = 'it') {
  const alike =
    actual === expected ||
    (typeof actual === 'object' && typeof expected === 'object' && JSON.stringify(actual) === JSON.stringify(expected))
  if (!alike) throw new Error(`${what}: ${JSON.stringify(actual)} is not ${JSON.stringify(expected)}`)
}

/** Waits until fn gives something true, usually within so many seconds; throws naming what was waited for. */
export async function until(what, fn, seconds = 15, every = 100) {
  const start = Date.now()
  const found = await within(what, fn, seconds * PATIENCE, every)
  const took = (Date.now() - start) / 1000
  if (took > seconds) console.log(`        ${what}: only after ${took.toFixed(1)} s`)
  return found
}

/** The same where the time is what is tested. */
export async function within(what, fn, seconds, every = 100) {
  const end = Date.now() + seconds * 1000
  let last
  for (;;) {
    try {
      last = await fn()
      if (last) return last
    } catch (e) {
      last = e
    }
    if (Date.now() > end) {
      const said = last instanceof Error ? last.message : JSON.stringify(last)
      throw new Error(`${what} did not happen within ${seconds} s (last: ${said})`)
    }
    await sleep(every)
  }
}

/** The last line, and the end: what ran is counted, the exit status says whether any of it failed. */
export function finish() {
  const failed = results.filter((r) => !r.ok).length
  console.log(`${results.length - failed} passed, ${failed} failed`)
  process.exit(failed ? 1 : 0)
}

/** Of the command line: what follows --NAME. */
export function option(name, otherwise) {
  const at = process.argv.indexOf(`--${name}`)
  return at < 0 ? otherwise : process.argv[at + 1]
}
