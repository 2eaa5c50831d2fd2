// A small test runner: named checks one after the other, each with a time limit; the last line counts them.
const results = []

export class Skip extends Error {}

/** True unless it failed: what builds on it need not be tried then. */
export async function check(name, fn, seconds = 120) {
  const start = Date.now()
  let timer
  try {
    await Promise.race([
      fn(),
      new Promise((_, no) => {
        timer = setTimeout(() => no(new Error(`took longer than ${seconds} s`)), seconds * 1000)
      }),
    ])
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
export function equal(a, b, message) {
  if (a !== b) throw new Error(`${message}: ${JSON.stringify(a)} is not ${JSON.stringify(b)}`)
}

/** Waits until fn gives something true; throws naming what was waited for. */
export async function until(what, fn, seconds = 15, every = 100) {
  const end = Date.now() + seconds * 1000
  let last
  for (;;) {
    try {
      last = await fn()
      if (last) return last
    } catch (e) {
      last = e
    }
    if (Date.now() > end)
      throw new Error(
        `${what} did not happen within ${seconds} s (last: ${last instanceof Error ? last.message : JSON.stringify(last)})`,
      )
    await new Promise((r) => setTimeout(r, every))
  }
}

export const sleep = (ms) => new Promise((r) => setTimeout(r, ms))

export function summary() {
  const failed = results.filter((r) => !r.ok).length
  console.log(`${results.length - failed} passed, ${failed} failed`)
  return failed === 0
}
