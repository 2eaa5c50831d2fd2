/** Shares of a whole in tenths of a percent, as texts that add up to 100.0 % (largest remainder); of nothing "—". */
export function tenths(values: readonly number[]): string[] {
  const whole = values.reduce((sum, value) => sum + value, 0)
  if (whole <= 0) return values.map(() => '—')
  const exact = values.map((value) => (value * 1000) / whole)
  const out = exact.map(Math.floor)
  const left = 1000 - out.reduce((sum, value) => sum + value, 0)
  const byRemainder = exact.map((_, i) => i).sort((a, b) => exact[b]! - out[b]! - (exact[a]! - out[a]!))
  for (const i of byRemainder.slice(0, left)) out[i]!++
  return out.map((value) => `${(value / 10).toFixed(1)} %`)
}
