// Prometheus' text exposition format 0.0.4, read strictly: what a scrape must hold to be taken, and what `promtool check metrics` complains about.
const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
const TYPES = ['counter', 'gauge', 'histogram', 'summary', 'untyped']
const UNITS = /(milliseconds|microseconds|_ms|_us|minutes|hours|kilobytes|megabytes|bits|percent)(_|$)/

function labelsOf(text, line) {
  const labels = {}
  let rest = text
  while (rest) {
    const m = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/.exec(rest)
    if (!m || m[1] in labels) throw new Error(`labels of: ${line}`)
    labels[m[1]] = m[2].replaceAll(/\\(["\\n])/g, (_, c) => (c === 'n' ? '\n' : c))
    rest = rest.slice(m[0].length)
  }
  return labels
}

const valueOf = (text) =>
  ({ '+Inf': Infinity, '-Inf': -Infinity, NaN })[text] ??
  (/^-?(\d+(\.\d+)?|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined)

function histogram(name, samples) {
  const series = Map.groupBy ? Map.groupBy(samples, (s) => keyOf(s.labels)) : group(samples)
  for (const [key, list] of series) {
    const buckets = list.filter((s) => s.name === `${name}_bucket`),
      count = list.find((s) => s.name === `${name}_count`),
      sum = list.find((s) => s.name === `${name}_sum`)
    if (!count || !sum || !buckets.length) throw new Error(`${name}${key}: a histogram has buckets, _sum and _count`)
    const bounds = buckets.map((b) => valueOf(b.labels.le))
    if (bounds.at(-1) !== Infinity || bounds.some((b, i) => b === undefined || (i && b <= bounds[i - 1])))
      throw new Error(`${name}${key}: bounds ${bounds}`)
    if (buckets.some((b, i) => i && b.value < buckets[i - 1].value) || buckets.at(-1).value !== count.value)
      throw new Error(`${name}${key}: the buckets are not cumulative`)
  }
}

const keyOf = ({ le: _, ...labels }) => JSON.stringify(Object.entries(labels).sort())

function group(samples) {
  const all = new Map()
  for (const s of samples) all.set(keyOf(s.labels), [...(all.get(keyOf(s.labels)) ?? []), s])
  return all
}

function finishFamily(f) {
  if (!f) return
  if (f.type === 'counter' && !f.name.endsWith('_total')) throw new Error(`${f.name}: a counter ends in _total`)
  if (f.type !== 'counter' && f.name.endsWith('_total')) throw new Error(`${f.name}: only a counter ends in _total`)
  if (UNITS.test(f.name)) throw new Error(`${f.name}: not in a base unit`)
  if (f.type === 'histogram') histogram(f.name, f.samples)
  if (f.type === 'counter' && f.samples.some((s) => !(s.value >= 0))) throw new Error(`${f.name}: a counter under 0`)
}

/** Throws what is wrong, or gives a Map of family name → {type, help, samples: [{name, labels, value}]}. */
export function scrape(text) {
  if (!text.endsWith('\n')) throw new Error('the last line has no end')
  const families = new Map(),
    seen = new Set()
  let now = null
  for (const line of text.slice(0, -1).split('\n')) {
    let m
    if ((m = /^# HELP (\S+) (.+)$/.exec(line))) {
      finishFamily(now)
      if (!NAME.test(m[1]) || families.has(m[1])) throw new Error(`a second or misnamed family: ${line}`)
      now = { name: m[1], help: m[2], type: null, samples: [] }
      families.set(m[1], now)
    } else if ((m = /^# TYPE (\S+) (\S+)$/.exec(line))) {
      if (now?.name !== m[1] || now.type || now.samples.length || !TYPES.includes(m[2]))
        throw new Error(`out of place: ${line}`)
      now.type = m[2]
    } else {
      m = /^([^\s{]+)(?:\{(.*)\})? (\S+)$/.exec(line)
      const value = m && valueOf(m[3])
      if (!m || !NAME.test(m[1]) || value === undefined) throw new Error(`not a sample: ${line}`)
      const of = now?.type === 'histogram' ? m[1].replace(/_(bucket|sum|count)$/, '') : m[1]
      if (!now?.type || of !== now.name) throw new Error(`not of the family ${now?.name}: ${line}`)
      const labels = labelsOf(m[2] ?? '', line),
        key = m[1] + JSON.stringify(Object.entries(labels).sort())
      if (seen.has(key)) throw new Error(`twice: ${line}`)
      seen.add(key)
      now.samples.push({ name: m[1], labels, value })
    }
  }
  finishFamily(now)
  return families
}

/** The samples of a family that have these labels. */
export const pick = (families, name, labels = {}) =>
  (families.get(name)?.samples ?? []).filter((s) => Object.entries(labels).every(([k, v]) => s.labels[k] === v))
