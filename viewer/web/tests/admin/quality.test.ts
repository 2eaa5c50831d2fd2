import { describe, expect, it } from 'vitest'
import { line, lossText, ordered, rateText, type PersonQuality } from '@/admin/quality'

const person = (id: string, more: Partial<PersonQuality>) =>
  ({ id, mark: 4, why: [], joined: 0, left: null, ...more }) as PersonQuality

describe('the quality page', () => {
  it('writes rates and losses', () => {
    expect([0, 300, 850_400, 1_850_000, 12_340_000].map(rateText)).toEqual([
      '0',
      '< 1 kbit/s',
      '850 kbit/s',
      '1.85 Mbit/s',
      '12.3 Mbit/s',
    ])
    expect([999_499, 999_500].map(rateText)).toEqual(['999 kbit/s', '1.00 Mbit/s'])
    expect([0, 0.0004, 0.004, 0.0994, 0.12].map(lossText)).toEqual(['0', '0', '0.4 %', '9.9 %', '12 %'])
  })
  it('puts those who need help first and those who left last', () => {
    const people = [
      person('left early', { left: 5 }),
      person('well', {}),
      person('left late', { left: 9 }),
      person('bad', { mark: 1 }),
      person('poor', { mark: 2 }),
      person('with a reason', { why: ['tcp'] }),
    ]
    expect(ordered(people).map((p) => p.id)).toEqual([
      'bad',
      'poor',
      'with a reason',
      'well',
      'left late',
      'left early',
    ])
  })
  it('breaks a line where nobody was there', () => {
    expect(line({ step_ms: 10, at: [0, 10, 40], why: [] }, [1, 2, 3], 0.5)).toEqual([
      [0, 0.5],
      [10, 1],
      [20, null],
      [40, 1.5],
    ])
    expect(line({ step_ms: 10, at: [], why: [] }, undefined)).toEqual([])
  })
})
