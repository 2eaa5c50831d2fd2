import { expect, test } from 'vitest'
import { PictureProof, SlotClaim, atOrAfter, type Binding } from '@/room/stage/proof'
import type { SlotNote } from '@/room/call/protocol'

const A: Binding = { participant: 'a', source: 'camera' }
const B: Binding = { participant: 'b', source: 'camera' }

function note(binding: Binding | null, rtp_timestamp: number, state: SlotNote['state'] = 'live'): SlotNote {
  return {
    mid: '7',
    state,
    participant: binding?.participant ?? null,
    source: binding?.source ?? null,
    rtp_timestamp,
    codec: 'VP8',
    width: 640,
    height: 360,
  }
}

test('timestamps compare modulo 2^32', () => {
  expect(atOrAfter(5, 5)).toBe(true)
  expect(atOrAfter(4, 5)).toBe(false)
  expect(atOrAfter(10, 0xfffffff0)).toBe(true)
  expect(atOrAfter(0xfffffff0, 10)).toBe(false)
})

test('announcement first: hidden until the frame is on display', () => {
  const claim = new SlotClaim()
  const proof = new PictureProof()
  claim.ask(A)
  claim.announce(note(A, 1000))
  proof.frame(900, claim)
  expect(proof.shows(A, claim)).toBe(false)
  proof.frame(1000, claim)
  expect(proof.shows(A, claim)).toBe(true)
})

test('media first: the picture waits for its announcement', () => {
  const claim = new SlotClaim()
  const proof = new PictureProof()
  claim.ask(A)
  claim.announce(note(A, 1000))
  proof.frame(2000, claim)
  expect(proof.shows(A, claim)).toBe(true)
  claim.ask(B)
  expect(proof.shows(A, claim)).toBe(false)
  expect(proof.shows(B, claim)).toBe(false)
  proof.frame(5000, claim) // already B's, but nobody said so yet
  expect(proof.shows(B, claim)).toBe(false)
  claim.announce(note(B, 4000))
  expect(proof.shows(B, claim)).toBe(true)
  expect(proof.shows(A, claim)).toBe(false)
})

test('an announcement of something else proves nothing', () => {
  const claim = new SlotClaim()
  const proof = new PictureProof()
  claim.ask(B)
  expect(claim.announce(note(A, 10))).toBe(false)
  proof.frame(20, claim)
  expect(proof.shows(A, claim)).toBe(false)
  expect(proof.shows(B, claim)).toBe(false)
  expect(claim.confirmed).toBe(false)
})

test('another stream in the element voids the proof', () => {
  const claim = new SlotClaim()
  const proof = new PictureProof()
  claim.ask(A)
  claim.announce(note(A, 10))
  proof.frame(20, claim)
  proof.restart()
  expect(proof.shows(A, claim)).toBe(false)
})

test('a pause keeps the last picture, off and codec hide it, and it comes back', () => {
  const claim = new SlotClaim()
  const proof = new PictureProof()
  claim.ask(A)
  claim.announce(note(A, 10))
  proof.frame(20, claim)
  claim.announce(note(A, 0, 'paused'))
  expect(proof.shows(A, claim)).toBe(true)
  for (const state of ['off', 'codec'] as const) {
    claim.announce(note(A, 0, state))
    expect(proof.shows(A, claim)).toBe(false)
  }
  claim.announce(note(A, 500))
  expect(proof.shows(A, claim)).toBe(true)
})

test('an emptied slot must prove itself again', () => {
  const claim = new SlotClaim()
  const proof = new PictureProof()
  claim.ask(A)
  claim.announce(note(A, 10))
  proof.frame(20, claim)
  claim.announce(note(null, 0, 'empty'))
  expect(proof.shows(A, claim)).toBe(false)
  claim.announce(note(A, 100))
  expect(proof.shows(A, claim)).toBe(false)
  proof.frame(100, claim)
  expect(proof.shows(A, claim)).toBe(true)
})

test('who rests keeps his proof, and the next claim waits for a frame of its own', () => {
  const claim = new SlotClaim()
  const proof = new PictureProof()
  claim.ask(A)
  claim.announce(note(A, 1000))
  proof.frame(1000, claim)
  proof.rest()
  expect(proof.shows(A, claim)).toBe(true)
  claim.ask(B)
  claim.announce(note(B, 0x80000000)) // the frame of long ago would be after this
  expect(proof.shows(B, claim)).toBe(false)
  proof.frame(0x80000000, claim)
  expect(proof.shows(B, claim)).toBe(true)
})
