import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { Sha256 } from '@/uploads/sha256'

const text = (s: string) => new TextEncoder().encode(s)

test('the vectors of FIPS 180-4', () => {
  expect(new Sha256().hex()).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
  expect(new Sha256().update(text('abc')).hex()).toBe(
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  )
  expect(new Sha256().update(text('abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq')).hex()).toBe(
    '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
  )
  const million = new Sha256()
  for (let i = 0; i < 1000; i++) million.update(text('a'.repeat(1000)))
  expect(million.hex()).toBe('cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0')
})

test('every length and every way of cutting gives what the library gives', () => {
  for (let n = 0; n < 300; n++) {
    const bytes = Uint8Array.from({ length: n }, (_, i) => (i * 31 + n * 7) & 255)
    const hash = new Sha256()
    for (let at = 0; at < n; at += 1 + (n % 67)) hash.update(bytes.subarray(at, at + 1 + (n % 67)))
    expect(hash.hex()).toBe(createHash('sha256').update(bytes).digest('hex'))
  }
})
