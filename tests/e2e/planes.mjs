// A slide of several focal planes and channels, by its pixels in a real browser.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Server } from '../lib/server.mjs'
import { Chromium } from './lib/browsers.mjs'
import { approach, consultation, enter, form, login } from './lib/scene.mjs'
import { named, openFile, rests } from './lib/slide.mjs'
import { picture } from './lib/view.mjs'
import { assert, check, equal, finish, until } from '../lib/check.mjs'

const server = new Server({ name: 'planes' })
let doctor, request, ome, desk

/** How far the canvas is, in grey levels on average, from the server's own tiles of these sheets of the finest level, added up. */
const away = (sheets) =>
  desk.page.evaluate(
    async ({ slide, sheets }) => {
      const info = await (await fetch(`/slides/${slide}/info.json`)).json()
      const whole = new OffscreenCanvas(info.width, info.height).getContext('2d', { willReadFrequently: true })
      const { tile_width, tile_height, columns, rows } = info.levels[0]
      whole.globalCompositeOperation = 'lighter'
      for (const sheet of sheets)
        for (let n = 0; n < columns * rows; n++) {
          const [column, row] = [n % columns, Math.floor(n / columns)]
          const tile = await fetch(`/slides/${slide}/tiles/0/${column}_${row}.jpeg?${sheet}`)
          whole.drawImage(await createImageBitmap(await tile.blob()), column * tile_width, row * tile_height)
        }
      const wanted = whole.getImageData(0, 0, info.width, info.height).data
      const canvas = document.querySelector('[data-testid="picture-host"] canvas')
      const region = JSON.parse(document.querySelector('[data-testid="picture"]').dataset.region)
      const seen = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data
      let sum = 0
      let count = 0
      for (let y = 20; y < info.height - 20; y += 7)
        for (let x = 20; x < info.width - 20; x += 7) {
          const px = Math.round(canvas.width / 2 + ((x - region.cx) * canvas.width) / region.w)
          const py = Math.round(canvas.height / 2 + ((y - region.cy) * canvas.height) / region.h)
          if (px < 0 || py < 0 || px >= canvas.width || py >= canvas.height) continue
          for (let k = 0; k < 3; k++, count++)
            sum += Math.abs(seen[(py * canvas.width + px) * 4 + k] - wanted[(y * info.width + x) * 4 + k])
        }
      return count > 3000 ? sum / count : Infinity
    },
    { slide: ome, sheets },
  )
/** It is this, and not one of those. */
async function is(what, sheets, ...not) {
  await rests(desk)
  const own = await away(sheets)
  assert(own < 4, `${what}: ${own.toFixed(1)} grey levels off`)
  for (const one of not) {
    const far = await away(one)
    assert(far > 3 * own + 4, `${what}: only ${far.toFixed(1)} grey levels from ${one}`)
  }
}
const press = (key) => desk.page.keyboard.press(key)
const text = (testid) =>
  desk.eval(`document.querySelector('${named(testid)}')?.textContent.replace(/\\s+/g, ' ').trim()`)

await check('a slide of three planes and three channels opens on its middle plane with all channels', async () => {
  server.init()
  await server.start()
  doctor = await server.login('doctor01')
  request = (await doctor.post('/api/v1/requests', form())).id
  const made = join(server.dir, 'made')
  mkdirSync(made)
  execFileSync(join(dirname(server.bin), 'make-slides'), [made])
  const slide = readFileSync(join(made, 'ome/slide.ome.tif'))
  ome = await doctor.upload(request, 'pathology', 'planes.ome.tif', slide)
  await until('the slide is ready', async () => (await doctor.get(`/api/v1/files/${ome}`)).state === 'ready', 20)
  desk = await Chromium.launch({ name: 'desk' })
  await desk.cookie(doctor.cookie, server.url)
  await openFile(desk, server.url, request, ome)
  // the objective of its scanner: a pixel of the slide for each of the screen
  await press('6')
  await is('the middle plane', ['z=1'], ['z=0'], ['z=2'])
})

await check('keys, the wheel with Alt and the slider turn the focus; its height is said', async () => {
  equal(await text('plane-depth'), '0 µm2/3', 'the first plane')
  await press('.')
  await is('the plane above', ['z=2'], ['z=1'], ['z=0'])
  equal(await text('plane-depth'), '+1.5 µm3/3', 'above')
  await press('.')
  equal((await rests(desk)).region.z, 2, 'there is none above that')
  const { x, y, width, height } = await rests(desk)
  await desk.page.mouse.move(x + width / 2, y + height / 2)
  await desk.page.keyboard.down('Alt')
  for (const z of [1, 0]) {
    await desk.page.mouse.wheel(0, 120)
    await until('a plane down', async () => (await rests(desk)).region.z === z)
  }
  await desk.page.keyboard.up('Alt')
  await is('the lowest plane', ['z=0'], ['z=1'], ['z=2'])
  await desk.screenshot('planes.png')
})

await check('a drawing lies on its plane, and is a trace on the others', async () => {
  await doctor.post(`/api/v1/files/${ome}/marks`, {
    id: 'ABCDEFGHIJKLMNOPQRSTUV',
    kind: 'distance',
    points: [
      [100, 100],
      [300, 200],
    ],
    colour: '#d62728',
    text: '',
    z: 1,
  })
  const here = () =>
    desk.eval(
      `[document.querySelectorAll('${named('mark')}').length, document.querySelectorAll('${named('mark-elsewhere')}').length].join()`,
    )
  await until('a trace of it', async () => (await here()) === '0,1', 10)
  await press('.')
  await until('the drawing', async () => (await here()) === '1,0', 10)
})

await check('channels are put out and lit one by one, their light added', async () => {
  await desk.click('channel-0')
  await is('two channels', ['z=1&c=1', 'z=1&c=2'], ['z=1'], ['z=1&c=1'])
  await desk.click('channel-1')
  await is('one channel', ['z=1&c=2'], ['z=1'], ['z=1&c=1'])
  await desk.screenshot('channels.png')
  await desk.page.setViewportSize({ width: 390, height: 844 })
  await rests(desk)
  await desk.screenshot('channels-390.png')
  await desk.page.setViewportSize({ width: 1440, height: 900 })
  await press('6')
  await desk.click('channel-0')
  await desk.click('channel-1')
  await is('all of them', ['z=1'], ['z=1&c=2'])
})

/** The plane on screen, and which planes' tiles the page asked for. */
const shown = async (who) => ({
  z: (await picture(who))?.region?.z,
  asked: await who.eval(
    `[...new Set(performance.getEntriesByType('resource').map(({ name }) => /tiles\\/.*[?&]z=(\\d)/.exec(name)?.[1]).filter(Boolean))].sort()`,
  ),
})
const people = []

await check('who follows sees the plane that is turned to, with tiles of his own', async () => {
  await desk.close()
  const slide = readFileSync(join(server.dir, 'made/ome/slide.ome.tif'))
  const files = [{ category: 'pathology', name: 'planes.ome.tif', bytes: slide }]
  const { room, lead, files: ids } = await consultation(server, { experts: ['expert01', 'expert02'], files })
  const file = ids['planes.ome.tif']
  await until('the slide is ready', async () => (await lead.get(`/api/v1/files/${file}`)).state === 'ready', 20)
  const camera = { width: 320, height: 180, fps: 10, frames: 20 }
  const small = { width: 1100, height: 760 }
  people.push(
    await Chromium.launch({ name: 'presenter', colour: 'green', tone: 440, camera }),
    await Chromium.launch({ name: 'follower', colour: 'blue', tone: 660, camera, viewport: small, scale: 2 }),
  )
  const [presenter, follower] = people
  for (const [i, who] of people.entries()) {
    await login(who, server, `expert0${i + 1}`)
    await approach(who, server, room)
    await enter(who)
  }
  await presenter.page.locator(`${named('room-file')}[data-file="${file}"] ${named('room-show')}`).click()
  const settled = (z) =>
    until(`plane ${z} for both`, async () => {
      const both = await Promise.all([picture(presenter), picture(follower)])
      return both.every((one) => one?.file === file && one.sharp && one.region?.z === z)
    })
  await settled(1)
  const { x, y, width, height } = await picture(presenter)
  await presenter.page.mouse.move(x + width / 2, y + height / 2)
  await presenter.page.keyboard.down('Alt')
  await presenter.page.mouse.wheel(0, -120)
  await settled(2)
  for (const who of people) assert((await shown(who)).asked.includes('2'), `${who.name} has tiles of the plane above`)
  for (const z of [1, 0]) {
    await presenter.page.mouse.wheel(0, 120)
    await settled(z)
  }
  await presenter.page.keyboard.up('Alt')
  assert((await shown(follower)).asked.includes('0'), 'and of the lowest one')
})

for (const who of [desk, ...people]) await who?.close().catch(() => {})
await server.stop()
finish()
