#!/usr/bin/env bash
# Chromium, simulcast, an answer without "~".
#
# Expected: an application that rests a simulcast layer with setParameters (encodings[i].active = false), as every SFU with dynacast has it do,
# finds it resting until it says otherwise; renegotiating about something else (one more slot) leaves it alone.
# What happens: Chromium's own offer marks the resting layer with "~" (RFC 8853 5.1, "initially paused"). If the answer names that RID without
# "~", which is what an SFU writes that answers "I can receive all of these", setRemoteDescription sets active to true. With "~" copied into the
# answer the layer goes on resting.
# Why it matters here: each renegotiation of a room woke all resting layers; a VP9 or AV1 camera, which is sent as one stream of spatial layers
# while the other RIDs rest, went over to simulcast of three encoders until the application put it right.
#
# Installs pinned npm packages in a temporary folder: a Chromium as a package ships it, and its driver. Needs Node 20 and Chromium's shared
# libraries (Debian: libnss3). No network besides the registry, no camera, no media.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export TMPDIR=$folder HOME=$folder
cd "$folder"
npm install --silent --no-audit --no-fund --omit=dev @sparticuz/chromium@153.0.0 puppeteer-core@25.16.0 >/dev/null

cat >try.mjs <<'JS'
import chromium from '@sparticuz/chromium'
import puppeteer from 'puppeteer-core'

const browser = await puppeteer.launch({ executablePath: await chromium.executablePath(), args: chromium.args, headless: 'shell' })
const page = await browser.newPage()
const seen = await page.evaluate(async () => {
  const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 360 })
  canvas.getContext('2d').fillRect(0, 0, 9, 9)
  const sender = new RTCPeerConnection(),
    receiver = new RTCPeerConnection()
  const { sender: camera } = sender.addTransceiver(canvas.captureStream(5).getVideoTracks()[0], {
    direction: 'sendonly',
    sendEncodings: [{ rid: 'l', scaleResolutionDownBy: 2 }, { rid: 'h' }],
  })
  const layers = () => camera.getParameters().encodings.map((e) => `${e.rid} ${e.active ? 'active' : 'rests'}`).join(', ')
  const rest = async () => {
    const parameters = camera.getParameters()
    parameters.encodings[1].active = false
    await camera.setParameters(parameters)
    return layers()
  }
  // a receiver's own answer, with the lines of a server that takes both layers
  const negotiate = async (line) => {
    await sender.setLocalDescription()
    const { sdp } = sender.localDescription
    await receiver.setRemoteDescription({ type: 'offer', sdp: sdp.replace(/^a=(rid|simulcast):.*\r\n/gm, '') })
    await receiver.setLocalDescription()
    const answer = `${receiver.localDescription.sdp}a=rid:l recv\r\na=rid:h recv\r\na=simulcast:recv ${line}\r\n`
    await sender.setRemoteDescription({ type: 'answer', sdp: answer })
    return `offered ${sdp.match(/^a=simulcast:(.*)$/m)[1].trim()}, answered recv ${line}: ${layers()}`
  }
  return [await negotiate('l;h'), await rest(), await negotiate('l;h'), await rest(), await negotiate('l;~h')]
})
console.log([await browser.version(), ...seen].join('\n'))
await browser.close()
JS
said=$(node try.mjs)
echo "$said"
diff <(tail -n +2 <<<"$said") - <<'TEXT' || { echo "another behaviour than was written down"; exit 1; }
offered send l;h, answered recv l;h: l active, h active
l active, h rests
offered send l;~h, answered recv l;h: l active, h active
l active, h rests
offered send l;~h, answered recv l;~h: l active, h rests
TEXT
echo "as written down: an answer without ~ wakes a resting layer"
