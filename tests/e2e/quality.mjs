// The own quality: what a doctor chooses to send is what the others get.
import { Chromium } from './lib/browsers.mjs'
import { Server } from './lib/server.mjs'
import { approach, consultation, enter, login } from './lib/scene.mjs'
import { check, summary, until } from './lib/check.mjs'

const server = new Server({ name: 'quality' })
const browsers = []

await check('a 720p camera arrives in 720p, in SD when SD is chosen, and in 720p again', async () => {
  server.init()
  await server.start()
  const { room } = await consultation(server)
  for (const [name, username, camera] of [['red', 'doctor01', { width: 1280, height: 720, fps: 10, frames: 100 }], ['green', 'expert01', { width: 320, height: 180, fps: 5, frames: 50 }]]) {
    const b = await Chromium.launch({ name, colour: name, camera })
    browsers.push(b)
    await login(b, server, username)
    await approach(b, server, room)
    await enter(b)
  }
  const [red, green] = browsers
  const width = async () => (await green.probe(`tile(${JSON.stringify(red.participant)}, 'camera')`))?.picture?.width
  const choose = async (quality) => {
    await red.click('control-settings')
    await red.eval(`document.querySelector('[data-testid="own-${quality}"]').click()`)
    await red.page.keyboard.press('Escape')
  }
  await until('red\'s tile', width, 20)
  await green.eval(`document.querySelector('[data-testid="tile"][data-participant="${red.participant}"]').dispatchEvent(new MouseEvent('dblclick', { bubbles: true }))`)
  await choose('hd')
  await until('720p', async () => (await width()) === 1280, 20)
  await choose('sd')
  await until('SD', async () => (await width()) <= 640, 20)
  await choose('hd')
  await until('720p again', async () => (await width()) === 1280, 30)
}, 110)

for (const b of browsers) await b.close()
await server.stop()
process.exit(summary() ? 0 : 1)
