import { describe, expect, it } from 'vitest'
import { cameraEncodings, simulcastEncodings } from '@/room/call/quality'

const sides = (quality: 'sd' | 'hd' | 'super_hd', width: number, height: number) =>
  simulcastEncodings(quality, width, height)
    .filter((e) => e.active)
    .map((e) => [e.rid, Math.round(width / (e.scaleResolutionDownBy ?? 1))])

describe('layers of a camera', () => {
  it('are three for a large picture', () =>
    expect(sides('hd', 1280, 720)).toEqual([
      ['l', 320],
      ['m', 640],
      ['h', 1280],
    ]))
  it('reach the full size of a small one, whose last layers browsers leave out', () => {
    expect(sides('hd', 640, 480)).toEqual([
      ['l', 320],
      ['m', 640],
    ])
    expect(sides('hd', 320, 180)).toEqual([['l', 320]])
  })
  it('take the quality for the size when the size is not known', () =>
    expect(simulcastEncodings('sd', 0, 0).filter((e) => e.active).length).toBe(2))
  it('cost no more than a picture of that size', () => {
    expect(
      Math.max(
        ...simulcastEncodings('super_hd', 640, 360)
          .filter((e) => e.active)
          .map((e) => e.maxBitrate ?? 0),
      ),
    ).toBe(700_000)
    expect(simulcastEncodings('hd', 1920, 1080).at(-1)?.maxBitrate).toBe(1_800_000)
  })
})

describe('how the camera is sent', () => {
  const plan = (codec: 'vp8' | 'h264' | 'vp9' | 'av1', spatial = true) =>
    cameraEncodings(codec, 'hd', 1280, 720, spatial).map((e) => [
      e.rid,
      e.active,
      (e as { scalabilityMode?: string }).scalabilityMode,
      e.scaleResolutionDownBy,
    ])
  it('has the same three RIDs in every codec, so that it can change during a call', () => {
    for (const codec of ['vp8', 'h264', 'vp9', 'av1'] as const)
      expect(plan(codec).map(([rid]) => rid)).toEqual(['l', 'm', 'h'])
  })
  it('is one stream of spatial layers in VP9 and AV1', () => {
    expect(plan('vp9')).toEqual([
      ['l', true, 'L3T3_KEY', 1],
      ['m', false, 'L1T3', 1],
      ['h', false, 'L1T3', 1],
    ])
    expect(plan('av1')).toEqual(plan('vp9'))
  })
  it('sends no temporal layers where packets are lost on the way up', () => {
    const modes = (lossy: boolean) =>
      cameraEncodings('vp8', 'hd', 1280, 720, true, 0, lossy).map(
        (e) => (e as { scalabilityMode?: string }).scalabilityMode,
      )
    expect(modes(true)).toEqual(['L1T1', 'L1T1', 'L1T1'])
    expect(modes(false)).toEqual([undefined, undefined, undefined])
  })
  it('leaves out the layers that nobody watches', () => {
    const first = (unwatched: number) => {
      const e = cameraEncodings('vp9', 'hd', 1280, 720, true, unwatched)[0] as RTCRtpEncodingParameters & {
        scalabilityMode?: string
      }
      return [e.scalabilityMode, e.scaleResolutionDownBy, e.maxBitrate]
    }
    expect([0, 1, 2].map(first)).toEqual([
      ['L3T3_KEY', 1, 1_800_000],
      ['L2T3_KEY', 2, 450_000],
      ['L1T3', 4, 128_571],
    ])
  })
  it('is simulcast where a receiver cannot take AV1 layers apart', () =>
    expect(plan('av1', false)).toEqual([
      ['l', true, 'L1T3', 4],
      ['m', true, 'L1T3', 2],
      ['h', true, 'L1T3', 1],
    ]))
})
