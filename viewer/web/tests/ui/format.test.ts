import { afterEach, expect, test } from 'vitest'
import { ageAt } from '@/reports/circumstances'
import { boundsOf, filterOf } from '@/requests/list'
import {
  clockOf,
  dayPlus,
  daysBetween,
  foreignZone,
  isoDay,
  localInput,
  momentOf,
  setZone,
  zoneText,
} from '@/ui/format'

const LATE = Date.UTC(2026, 10, 30, 18, 22) /* 02:22 of the next day in China */
afterEach(() => setZone(undefined))

test('times are those of the installation, wherever the browser is', () => {
  for (const [zone, day, clock] of [
    [480, '2026-12-01', '02:22'],
    [-600, '2026-11-30', '08:22'],
    [345, '2026-12-01', '00:07'],
  ] as const) {
    setZone(zone)
    expect([isoDay(new Date(LATE)), clockOf(new Date(LATE))]).toEqual([day, clock])
    expect(localInput(LATE)).toBe(`${day}T${clock}`)
    expect(momentOf(localInput(LATE))).toBe(LATE)
    expect(momentOf(day)).toBe(Date.parse(`${day}T00:00Z`) - zone * 60000)
  }
  expect(momentOf('')).toBeNaN()
})

test('days begin where the installation is', () => {
  setZone(480)
  const start = Date.UTC(2026, 10, 30, 16)
  expect(boundsOf(filterOf({ range: 'today' }), new Date(LATE))).toEqual({ from: start, to: start + 86400000 })
  expect(daysBetween(new Date(start - 1), new Date(start))).toBe(1)
  expect([dayPlus('2026-12-31', 1), dayPlus('2026-03-01', -1)]).toEqual(['2027-01-01', '2026-02-28'])
  expect([ageAt('1961-12-01', LATE), ageAt('1961-12-02', LATE)]).toEqual([65, 64])
})

test('the zone is named where the browser has another one', () => {
  const now = new Date(LATE),
    own = -now.getTimezoneOffset()
  expect(foreignZone(now)).toBeNull()
  setZone(own)
  expect(foreignZone(now)).toBeNull()
  setZone(own + 60)
  expect(foreignZone(now)).toBe(own + 60)
  expect([480, -570, 0].map(zoneText)).toEqual(['UTC+8', 'UTC−9:30', 'UTC+0'])
})
