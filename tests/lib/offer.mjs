// An SDP offer that only listens, for who joins a room by WebSocket and sends nothing: a browser's, without what it publishes.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './server.mjs'

const sdp = readFileSync(join(root, 'tests/data/sdp/chromium-phone.sdp'), 'utf8')

/** → {offer, sections} of `room.join`. */
export function listening() {
  const [head, ...media] = sdp.split(/^(?=m=)/m)
  const sections = {}
  const text = media.map((m) => {
    sections[/^a=mid:(\S+)/m.exec(m)[1]] = 'slot'
    return m.replace(/^a=sendonly/m, 'a=recvonly').replace(/^a=(rid|simulcast|ssrc|ssrc-group|msid):.*\r\n/gm, '')
  })
  return { offer: head + text.join(''), sections }
}
