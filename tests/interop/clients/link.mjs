// What the clients in JavaScript share: how they are called (README.md), offer and answer over HTTP, pictures and packets in and out.
import { writeSync } from 'node:fs'

export const [mode, place, token, codec] = process.argv.slice(2)
export const WIDTH = 320
export const HEIGHT = 180

export function say(event) {
  writeSync(3, JSON.stringify(event) + '\n')
}

const call = (method, url, body) =>
  fetch(url, {
    method,
    body,
    headers: { Authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'Content-Type': 'application/sdp' }) },
  })

/** Posts the offer; gives the answer and what leaves. */
export async function post(offer) {
  const response = await call('POST', place, offer)
  const answer = await response.text()
  const location = response.headers.get('location')
  say({ event: 'answer', status: response.status, location, offer, answer })
  if (response.status !== 201) process.exit(1)
  const leave = async () => say({ event: 'left', status: (await call('DELETE', new URL(location, place))).status })
  return { answer, leave }
}

/** Calls `take` with every piece of standard input until it ends; `sizeOf` says from the bytes at hand how long the next one is, 0 while that is not known. */
export async function pieces(sizeOf, take) {
  let rest = Buffer.alloc(0)
  for await (const bytes of process.stdin) {
    rest = Buffer.concat([rest, bytes])
    for (let size; (size = sizeOf(rest)) && rest.length >= size; rest = rest.subarray(size))
      take(rest.subarray(0, size))
  }
}

/** Sizes of pictures (I420), and of RTP packets with their length before them (RFC 4571). */
export const aPicture = () => (WIDTH * HEIGHT * 3) / 2
export const aPacket = (rest) => rest.length >= 2 && 2 + rest.readUInt16BE(0)
