// The whole story in zh-CN, clicked through: request, uploads that are cut off, review, the room, the report, the record, the minutes. Leaves pictures of every page.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Chromium } from './lib/browsers.mjs'
import { colourOf } from './lib/pictures.mjs'
import { papers, pdfFonts, pdfText, sha256File } from './lib/papers.mjs'
import { enter, login } from './lib/scene.mjs'
import { Server, artefacts } from '../lib/server.mjs'
import { GIVE_UP_MS, assert, check, equal, sleep, finish, until } from '../lib/check.mjs'

const WIDE = { width: 1440, height: 900 },
  NARROW = { width: 390, height: 844 }
const CAMERA = { width: 640, height: 360, fps: 15 }
const PATIENT = '陈建国',
  IDENTITY = '110105195312310012',
  DIAGNOSIS = '胃窦部溃疡，性质待定',
  QUESTION = '请结合胃镜活检切片明确诊断，是否需要手术？'
const FINDINGS = '切片见黏膜腺体结构紊乱，细胞核大深染，可见病理性核分裂象，浸润至黏膜下层。'
const CONCLUSION = '胃窦中分化腺癌，浸润至黏膜下层。'
const ADVICE = '建议完善增强 CT 分期后行腹腔镜远端胃切除术，并做 HER2 检测。'
const OPINION = '同意主诊意见，影像未见远处转移。'
const RECORD = '会诊顺利进行，已向家属说明结论，拟三日后转上级医院手术。'
const PASSWORD = 'Changed-in-2026!'

const server = new Server({ name: 'story' })
const shots = []
let referrer, admin, lead, phone, files, request, urgent

const at = (testid) => `[data-testid="${testid}"]`
const locate = (b, testid) => b.page.locator(at(testid)).first()
const text = async (b, testid) => (await locate(b, testid).textContent({ timeout: GIVE_UP_MS })).trim()
const seen = (b, testid, seconds = 15) =>
  locate(b, testid).waitFor({ state: 'visible', timeout: Math.max(GIVE_UP_MS, seconds * 1000) })
const state = (b, wanted, seconds = 15) =>
  until(
    `${b.name} seeing the request ${wanted}`,
    async () => (await locate(b, 'detail').getAttribute('data-state', { timeout: 5000 })) === wanted,
    seconds,
  )
const yes = (b) => b.page.locator('.ask .ask-yes').last().click({ timeout: GIVE_UP_MS })
const idOf = (b) => /requests\/([^/?#]+)/.exec(b.page.url())[1]
/** Gone where it belongs by the menu, not by an address. */
const menu = async (b, name) => {
  if (!(await b.visible(`menu-${name}`)) || (await locate(b, 'menu-open').isVisible())) await b.click('menu-open')
  await b.click(`menu-${name}`)
}
const quiet = async (b) => {
  await b.page.evaluate(() => document.fonts.ready)
  await b.page.waitForTimeout(350)
}

/** A picture at both sizes, with `testid` in sight. A phone's page must not be wider than the phone. */
async function shot(b, name, both = true, testid = '') {
  const save = async (size) => {
    if (testid) await locate(b, testid).evaluate((e) => e.scrollIntoView({ block: 'center' }))
    await b.page.screenshot({ path: join(artefacts, `story-${name}-${size.width}x${size.height}.png`) })
    shots.push(name)
  }
  await quiet(b)
  if (!both) return save(b.page.viewportSize())
  await save(WIDE)
  await b.page.setViewportSize(NARROW)
  await quiet(b)
  const wide = await b.page.evaluate(() => document.documentElement.scrollWidth)
  await save(NARROW)
  await b.page.setViewportSize(WIDE)
  assert(wide <= NARROW.width, `${name} is ${wide} pixels wide on a phone of ${NARROW.width}`)
}

async function upload(b, testid, ...paths) {
  const [chooser] = await Promise.all([b.page.waitForEvent('filechooser', { timeout: GIVE_UP_MS }), b.click(testid)])
  await chooser.setFiles(paths)
}
const job = (b) =>
  b.page.evaluate(() => {
    const e = document.querySelector('[data-testid="upload-job"]')
    return (
      e && {
        state: e.dataset.state,
        done: Number(e.dataset.done),
        words: e.querySelector('[data-testid="upload-words"]').textContent,
      }
    )
  })
/** Whether the field of this name says this is wrong with it. */
const fault = async (b, label, words) =>
  words.test(
    (
      await b.page.locator('.el-form-item', { hasText: label }).locator('.el-form-item__error').allTextContents()
    ).join(),
  )
const fileCount = (b, category) => b.page.locator(`${at(`category-${category}`)} ${at('file')}`).count()
const uploaded = (b, category, count, seconds = 30) =>
  until(`${count} files in ${category}`, async () => (await fileCount(b, category)) === count, seconds)

async function fillForm(b, name, identity) {
  await b.fill('patient-name', name)
  if (identity) await b.fill('patient-identity', identity)
  await b.fill('patient-phone', '138 0000 1234')
  await b.fill('diagnosis', DIAGNOSIS)
  await b.fill('question', QUESTION)
}

/** From the list to a request by clicking the patient's name; the phone has cards. */
async function open(b, tab, id) {
  await menu(b, 'requests')
  await b.click(`tab-${tab}`)
  const small = b.page.viewportSize().width < 700
  await b.page
    .locator(`${at(small ? 'request-card' : 'request-open')}[data-request="${id}"]`)
    .click({ timeout: GIVE_UP_MS })
}

async function pick(b, select, name) {
  await b.page
    .locator(`${at(select)} input`)
    .first()
    .click()
  await b.page.locator('.el-select-dropdown__item:visible', { hasText: name }).first().click({ timeout: GIVE_UP_MS })
  await b.page.keyboard.press('Tab')
  await until(
    'the list being closed',
    async () => (await b.page.locator('.el-select-dropdown__item:visible').count()) === 0,
  )
}

const tile = (b, other) => b.probe(`tile(${JSON.stringify(other.participant)}, "camera")`)
const near = (a, c) => a && a.every((v, i) => Math.abs(v - c[i]) < 36)

/* Each step stands on the one before. */
let broken = ''
function step(name, fn, seconds) {
  return check(
    name,
    async () => {
      assert(!broken, `not tried, since "${broken}" failed`)
      try {
        await fn()
      } catch (e) {
        broken = name
        for (const b of [referrer, admin, lead, phone])
          await b?.page
            .screenshot({ path: join(artefacts, `story-failed-${b.name}.png`), timeout: 5000 })
            .catch(() => {})
        throw e
      }
    },
    seconds,
  )
}

async function cleanUp() {
  for (const b of [admin, lead, phone, referrer]) await b?.close().catch(() => {})
  files?.remove()
  await server.stop()
}

await step(
  'the server starts, people open their browsers',
  async () => {
    server.init()
    await server.start()
    files = await papers(server)
    const [one, two, three, four] = await Promise.all([
      Chromium.launch({ name: 'referrer', colour: 'red', tone: 520, camera: CAMERA }),
      Chromium.launch({ name: 'lead', colour: 'green', tone: 760, camera: CAMERA }),
      Chromium.launch({ name: 'phone', colour: 'blue', tone: 1100, camera: CAMERA, viewport: NARROW, mobile: true }),
      Chromium.launch({ name: 'admin' }),
    ])
    Object.assign(one, { colour: 'red' })
    Object.assign(two, { colour: 'green' })
    Object.assign(three, { colour: 'blue' })
    referrer = one
    lead = two
    phone = three
    admin = four
    for (const b of [referrer, lead, phone, admin]) b.page.on('dialog', (d) => d.accept().catch(() => {}))
  },
  60,
)

await step('a wrong password is refused in plain words; the right one opens the list', async () => {
  await referrer.goto(`${server.url}/login`)
  await referrer.fill('login-username', 'doctor01')
  await referrer.fill('login-password', 'not-the-password-1!')
  await referrer.click('login-submit')
  await until('the refusal', async () => /用户名或密码不正确/.test(await text(referrer, 'login-error')))
  await shot(referrer, '01-login')
  await login(referrer, server, 'doctor01')
  await seen(referrer, 'request-table')
  await shot(referrer, '02-list')
})

await step('an urgent request is written, its consent uploaded, and submitted', async () => {
  await referrer.click('create-urgent')
  await referrer.click('form-next')
  await until(
    'the form saying what is missing',
    async () => (await referrer.page.locator('.el-form-item__error').count()) >= 2,
  )
  await fillForm(referrer, '赵秀英')
  await referrer.fill('patient-birth', '1950-01-01')
  await referrer.click('sex-female')
  // what is wrong is said at the field, by the page or by the server
  await referrer.fill('patient-identity', IDENTITY)
  await until('the number being held against the sex', () => fault(referrer, '证件号码', /性别不一致/))
  equal(await locate(referrer, 'patient-birth').inputValue(), '1950-01-01', 'what was typed')
  await referrer.fill('patient-identity', '')
  await referrer.fill('patient-phone', '12')
  await referrer.click('form-next')
  await until('the telephone number being refused', () => fault(referrer, '电话', /电话号码不正确/))
  await referrer.fill('patient-phone', '138 0000 1234')
  await until('the form having saved itself', async () => /\d\d:\d\d/.test(await text(referrer, 'form-status')))
  await referrer.page.reload()
  await seen(referrer, 'form-restored')
  equal(await locate(referrer, 'patient-name').inputValue(), '赵秀英', 'the name after a reload')
  await shot(referrer, '03-restored')
  await referrer.click('form-next')
  await seen(referrer, 'files')
  urgent = idOf(referrer)
  await upload(referrer, 'upload-consent', files.consent)
  await uploaded(referrer, 'consent', 1)
  await referrer.click('form-submit')
  await state(referrer, 'PENDING_REVIEW')
  await shot(referrer, '03-urgent-submitted')
})

await step('an ordinary request: the identity number fills in sex and birth, what is missing is listed', async () => {
  await menu(referrer, 'create')
  await fillForm(referrer, PATIENT, IDENTITY)
  equal(await locate(referrer, 'patient-birth').inputValue(), '1953-12-31', 'the date of birth')
  await shot(referrer, '04-form')
  await referrer.click('form-next')
  await seen(referrer, 'files')
  request = idOf(referrer)
  await referrer.click('form-submit')
  await until('the consent being missed', async () => /知情同意书/.test(await text(referrer, 'missing')))
})

await step('documents are uploaded; one that is not what it says is refused; one is deleted', async () => {
  await upload(referrer, 'upload-consent', files.consent)
  await upload(referrer, 'upload-ecg', files.ecg)
  await upload(referrer, 'upload-admission', files.admission)
  await uploaded(referrer, 'consent', 1)
  await uploaded(referrer, 'ecg', 1)
  await uploaded(referrer, 'admission', 1)
  await upload(referrer, 'upload-lab', files.fake)
  const refused = await until('the refusal', async () => {
    const j = await job(referrer)
    return j?.state === 'failed' && j
  })
  assert(/文件内容与文件名后缀不符/.test(refused.words), `the refusal says: ${refused.words}`)
  await shot(referrer, '05-upload-refused', true, 'upload-job')
  await referrer.click('upload-cancel')
  await upload(referrer, 'upload-other', files.ecg)
  await uploaded(referrer, 'other', 1)
  await referrer.page.locator(`${at('category-other')} ${at('file-delete')}`).click()
  await yes(referrer)
  await uploaded(referrer, 'other', 0)
})

await step(
  'the slide: paused, cut off by a reload, gone on with, cut off by kill -9 of the server, complete and unharmed',
  async () => {
    const offsets = []
    referrer.page.on('request', (r) => {
      if (r.method() === 'PATCH') offsets.push(Number(r.headers()['upload-offset']))
    })
    const devtools = await referrer.context.newCDPSession(referrer.page)
    const slow = (megabytes) =>
      devtools.send('Network.emulateNetworkConditions', {
        offline: false,
        latency: 5,
        downloadThroughput: -1,
        uploadThroughput: megabytes ? megabytes * 1e6 : -1,
      })
    await devtools.send('Network.enable')
    await slow(10)
    await upload(referrer, 'upload-pathology', files.slide)
    await until(
      'some of the slide being sent',
      async () => {
        const j = await job(referrer)
        return j?.state === 'sending' && j.done > 4e6
      },
      40,
      50,
    )
    await shot(referrer, '06-uploading', true, 'upload-job')
    await referrer.click('upload-pause')
    const paused = await job(referrer)
    equal(paused.state, 'paused', 'after a click on pause')
    await sleep(600)
    equal((await job(referrer)).done, paused.done, 'bytes sent while paused')
    await referrer.click('upload-resume')
    await until(
      'more of the slide being sent',
      async () => {
        const j = await job(referrer)
        return j?.state === 'sending' && j.done > paused.done + 2e6
      },
      40,
      50,
    )

    await referrer.page.reload({ waitUntil: 'domcontentloaded' })
    const cut = await until('the cut-off upload being offered', async () => {
      const j = await job(referrer)
      return j?.state === 'interrupted' && j.done > 0 && j
    })
    await shot(referrer, '07-upload-interrupted', true, 'upload-job')
    offsets.length = 0
    await upload(referrer, 'upload-choose', files.slide)
    await until(
      'the upload going on',
      async () => {
        const j = await job(referrer)
        return j?.state === 'sending' && j.done > cut.done + 2e6
      },
      40,
      50,
    )
    assert(offsets[0] === cut.done, `went on at byte ${offsets[0]}, ${cut.done} had arrived`)

    await server.end('SIGKILL')
    await until('the page saying that it waits', async () => (await job(referrer))?.state === 'waiting')
    await shot(referrer, '08-upload-waiting', false)
    const known = offsets.length
    await server.start()
    await slow(0)
    await uploaded(referrer, 'pathology', 1, 60)
    assert(
      offsets.slice(known).some((o) => o > 0),
      'after the restart the upload began anew',
    )
    const api = await server.login('doctor01')
    const stored = (await api.get(`/api/v1/requests/${request}`)).files.find((f) => f.category === 'pathology')
    equal(stored.sha256, await sha256File(files.slide), 'SHA-256 of the slide')
    console.log(
      `        cut off at ${cut.done} of ${stored.size} bytes, then by the kill at ${offsets[known] ?? offsets.at(-1)}`,
    )
    await until(
      "the slide's thumbnail",
      () =>
        referrer.page.evaluate(() => {
          const i = document.querySelector('[data-testid="category-pathology"] [data-testid="file-thumb"] img')
          return i?.complete && i.naturalWidth > 0
        }),
      30,
    )
    await devtools.detach()
  },
  120,
)

await step('the files can be looked at before submitting', async () => {
  await until(
    'Word as PDF',
    async () =>
      (await referrer.page
        .locator(`${at('category-admission')} ${at('file')}`)
        .first()
        .getAttribute('data-state')) === 'ready',
    40,
  )
  await shot(referrer, '09-files', true, 'category-pathology')
  for (const [category, name] of [
    ['pathology', 'slide'],
    ['admission', 'word'],
  ]) {
    await referrer.page
      .locator(`${at(`category-${category}`)} ${at('file-open')}`)
      .first()
      .click()
    await until(
      `the ${name} being open`,
      async () => (await locate(referrer, 'picture').getAttribute('data-state')) === 'open',
      30,
    )
    await shot(referrer, `10-viewer-${name}`)
    await referrer.click('file-viewer-close')
  }
  await referrer.click('form-submit')
  await state(referrer, 'PENDING_REVIEW')
})

await step('the administrator returns it with a reason; the referrer mends it and submits again', async () => {
  await login(admin, server, 'admin01')
  await shot(admin, '11-list-admin')
  await admin.fill('filter-name', '建国')
  await until(
    'the list being filtered',
    async () => (await admin.page.locator(`${at('request-open')}:visible`).count()) === 1,
  )
  await admin.fill('filter-name', '')
  await open(admin, 'pending', request)
  await state(admin, 'PENDING_REVIEW')
  await shot(admin, '12-review')
  await admin.click('act-return')
  await admin.fill('reason-text', '请写明既往史和用药情况')
  await shot(admin, '13-return')
  await admin.click('reason-submit')
  await state(admin, 'RETURNED')
  await open(referrer, 'uploading', request)
  await until('the reason', async () => /既往史和用药情况/.test(await text(referrer, 'returned-reason')))
  await shot(referrer, '14-returned')
  await referrer.fill('question', `${QUESTION}既往高血压，服用氨氯地平。`)
  await referrer.click('form-submit')
  await state(referrer, 'PENDING_REVIEW')
})

await step('the administrator sees what waits for him; the list is as he left it when he comes back', async () => {
  await menu(admin, 'requests')
  await seen(admin, 'desk')
  const waits = admin.page.locator(`${at('desk-mine')}[data-todo="review"]`)
  await until('both requests', async () => (await waits.count()) >= 2)
  const first = await admin.page.locator(at('desk-mine')).first().getAttribute('data-request')
  equal(first, urgent, 'the urgent one is on top')
  await admin.page.selectOption(at('filter-state'), 'PENDING_REVIEW')
  await admin.page.selectOption(at('list-sort'), '-created')
  const row = admin.page.locator(`${at('request-open')}[data-request="${request}"]`)
  await until('the address saying so', () => /state=PENDING_REVIEW.*sort=-created/.test(admin.page.url()))
  const left = admin.page.url()
  for (const back of [() => admin.click('page-back'), () => admin.page.goBack()]) {
    await row.click({ timeout: GIVE_UP_MS })
    await state(admin, 'PENDING_REVIEW')
    await back()
    await row.waitFor({ timeout: GIVE_UP_MS })
    equal(admin.page.url(), left, 'the way back')
  }
  await admin.page.reload()
  await row.waitFor({ timeout: GIVE_UP_MS })
  equal(await locate(admin, 'filter-state').inputValue(), 'PENDING_REVIEW', 'after a reload')
  await waits.and(admin.page.locator(`[data-request="${request}"]`)).click({ timeout: GIVE_UP_MS })
})

await step('the administrator assigns experts and a time', async () => {
  await state(admin, 'PENDING_REVIEW')
  await admin.click('act-schedule')
  await pick(admin, 'schedule-lead', '赵病理')
  await pick(admin, 'schedule-experts', '钱影像')
  await admin.click('quick-soon')
  await admin.click('minutes-45')
  await shot(admin, '15-schedule')
  // both are in the demo's consultation at that time: it is said first, and done when it is meant
  await admin.click('schedule-submit')
  await seen(admin, 'schedule-booked')
  await until('the button saying so', async () => /仍要/.test(await text(admin, 'schedule-submit')))
  await admin.click('schedule-submit')
  await state(admin, 'SCHEDULED')
  equal(await admin.page.locator(at('expert')).count(), 2, 'experts')
  await menu(admin, 'requests')
  await admin.page.locator(`${at('desk-day')}[data-request="${request}"]`).click({ timeout: GIVE_UP_MS })
})

await step('an expert accepts the urgent request on a phone', async () => {
  await login(phone, server, 'expert02')
  await seen(phone, 'urgent-bar')
  const [ink, ground] = await phone.eval(
    `(({ color, backgroundColor }) => [color, backgroundColor])(getComputedStyle(document.querySelector('[data-testid="urgent-bar"]')))`,
  )
  assert(ink === 'rgb(255, 255, 255)' && ground === 'rgb(179, 38, 30)', `the bar is ${ink} on ${ground}`)
  await shot(phone, '16-list-phone', false)
  await open(phone, 'pending', urgent)
  await seen(phone, 'act-accept')
  await phone.click('act-accept')
  await yes(phone)
  await seen(phone, 'room-enter', 20)
  await shot(phone, '17-device-check-phone', false)
  // another one waits: told here, too, beside what is to be pressed, until it is put away
  await phone.click('urgent-later')
  await until('the bar being put away', async () => !(await phone.visible('urgent-bar')))
  await phone.click('check-back')
})

await step(
  'referrer and two experts open the room and see each other',
  async () => {
    await open(referrer, 'pending', request)
    await state(referrer, 'SCHEDULED')
    await shot(referrer, '18-scheduled')
    await referrer.click('act-room')
    await seen(referrer, 'room-enter', 20)
    await until('the preview', () =>
      referrer.eval(
        `document.querySelector('[data-testid="preview"]')?.videoWidth > 0 || document.querySelector('[data-testid="preview"] video')?.videoWidth > 0`,
      ),
    )
    await shot(referrer, '19-device-check')
    await enter(referrer)
    await login(lead, server, 'expert01')
    for (const b of [lead, phone]) {
      await open(b, 'pending', request)
      // the referrer alone has begun nothing: the first expert does, by being there
      await state(b, b === lead ? 'SCHEDULED' : 'IN_SESSION')
      await b.click('act-room')
      await seen(b, 'room-enter', 20)
      await enter(b)
    }
    const people = [referrer, lead, phone]
    for (const b of people)
      for (const o of people)
        if (o !== b)
          await until(
            `${b.name} seeing ${o.name}`,
            async () => {
              const t = await tile(b, o)
              return t?.state === 'live' && t.picture && near(t.picture.colour, colourOf(o.colour))
            },
            30,
          )
    await shot(referrer, '20-room', false)
    await shot(phone, '21-room-phone', false)
  },
  90,
)

await step('the slide is opened for everybody', async () => {
  if (!(await lead.visible('panel'))) await lead.click('control-panel')
  await lead.page.locator(at('room-file'), { hasText: 'demo-slide' }).locator(at('room-show')).click()
  for (const b of [lead, referrer, phone]) {
    await seen(b, 'shared-view', 20)
    await until(
      `${b.name} seeing the slide`,
      async () => (await locate(b, 'picture').getAttribute('data-state')) === 'open',
      30,
    )
  }
  for (let i = 0; i < 3; i++) await lead.click('view-zoom-in')
  const region = async (b) => JSON.parse((await locate(b, 'shared-view').getAttribute('data-region')) || 'null')
  const want = await until('the presenter having zoomed', async () => {
    const r = await region(lead)
    await sleep(300)
    const s = await region(lead)
    return r && s && r.w === s.w && s
  })
  for (const b of [referrer, phone])
    await until(
      `${b.name} following`,
      async () => {
        const r = await region(b)
        return r && Math.abs(r.cx - want.cx) < want.w / 100 && Math.abs(r.cy - want.cy) < want.h / 100
      },
      15,
    )
  await quiet(referrer)
  await sleep(800)
  await shot(referrer, '22-room-slide', false)
  await shot(phone, '23-room-slide-phone', false)
})

await step('the lead expert writes the report beside the slide; another window is told of a conflict', async () => {
  await lead.click('room-report')
  await seen(lead, 'report-editor')
  assert((await text(lead, 'detail-hospital')).length > 2, 'the patient stands beside the report')
  await lead.fill('report-findings', FINDINGS)
  await lead.fill('report-conclusion', '胃窦腺癌。')
  await until(
    'the draft being saved by itself',
    async () =>
      (await locate(lead, 'report-status').getAttribute('data-phase')) === 'clean' &&
      /已自动保存/.test(await text(lead, 'report-status')),
  )
  await shot(lead, '24-room-report', false)
  const other = await lead.context.newPage()
  await other.goto(`${server.url}/requests/${request}/report`)
  await other
    .locator(`textarea${at('report-advice')}, ${at('report-advice')} textarea`)
    .first()
    .fill(ADVICE)
  await other.locator(`${at('report-editor')}[data-phase="clean"]`).waitFor({ timeout: GIVE_UP_MS })
  await other.waitForFunction(() =>
    /已自动保存/.test(document.querySelector('[data-testid="report-status"]').textContent),
  )
  await other.close()
  await lead.fill('report-conclusion', CONCLUSION)
  await seen(lead, 'report-conflict')
  await shot(lead, '25-report-conflict', false)
  await lead.click('report-mine')
  await until(
    'mine being kept',
    async () => (await locate(lead, 'report-editor').getAttribute('data-phase')) === 'clean',
  )
})

await step('the other expert signs an opinion in the room; everybody leaves; the session is finished', async () => {
  await phone.click('control-panel')
  await phone.click('room-report')
  await phone.fill('opinion-text', OPINION)
  await phone.click('opinion-sign')
  await yes(phone)
  await until('the opinion', async () => (await phone.page.locator(at('opinion')).count()) === 1)
  await shot(phone, '26-opinion-phone', false)
  await sleep(1000)
  if (await phone.visible('panel-close')) await phone.click('panel-close')
  for (const b of [phone, referrer, lead]) {
    await b.click('control-leave')
    await seen(b, 'room-ended')
  }
  await shot(lead, '27-left', false)
  await lead.click('room-request')
  await state(lead, 'IN_SESSION')
  await lead.click('act-finish')
  await yes(lead)
  await state(lead, 'AWAITING_REPORT')
})

await step('the report is completed and signed', async () => {
  await lead.click('act-report')
  await seen(lead, 'report-editor')
  equal(
    await lead.page
      .locator(`textarea${at('report-conclusion')}, ${at('report-conclusion')} textarea`)
      .first()
      .inputValue(),
    CONCLUSION,
    'what was written in the room',
  )
  await lead.fill('report-advice', ADVICE)
  await shot(lead, '28-report-editor')
  await lead.click('report-sign')
  await yes(lead)
  await seen(lead, 'report-paper')
  await shot(lead, '29-report')
})

await step('the referrer reads it; the PDF holds Chinese text in embedded fonts', async () => {
  await referrer.click('room-request')
  await state(referrer, 'REPORTED')
  await shot(referrer, '30-reported')
  await referrer.click('see-report')
  await seen(referrer, 'report-paper')
  const [download] = await Promise.all([
    referrer.page.waitForEvent('download', { timeout: GIVE_UP_MS }),
    referrer.click('report-pdf'),
  ])
  const path = join(artefacts, 'story-report.pdf')
  await download.saveAs(path)
  equal(readFileSync(path).subarray(0, 5).toString(), '%PDF-', 'the beginning of the PDF')
  const flat = pdfText(path).replace(/\s+/g, '')
  for (const part of [PATIENT, DIAGNOSIS, FINDINGS, CONCLUSION, ADVICE, OPINION, '赵病理'])
    assert(flat.includes(part.replace(/\s+/g, '')), `the PDF lacks "${part}"`)
  const fonts = pdfFonts(path)
  assert(fonts.length > 0 && fonts.every((f) => f.embedded), `fonts: ${JSON.stringify(fonts)}`)
})

await step('the referrer writes the record and closes', async () => {
  await referrer.click('page-back')
  await referrer.fill('record-text', RECORD)
  await referrer.click('record-save')
  await seen(referrer, 'act-close')
  await until('the record being saved', async () => locate(referrer, 'act-close').isEnabled())
  await shot(referrer, '31-record')
  await referrer.click('act-close')
  await yes(referrer)
  await state(referrer, 'CLOSED')
  await shot(referrer, '32-closed')
  await menu(referrer, 'requests')
  await referrer.click('tab-completed')
  await until(
    'it being among the completed',
    async () => (await referrer.page.locator(`${at('request-open')}[data-request="${request}"]`).count()) === 1,
  )
  await shot(referrer, '33-completed')
})

await step('the administrator sees the minutes, by room and person, and the segments', async () => {
  await menu(admin, 'minutes')
  await seen(admin, 'minutes-total')
  await until('minutes', async () => Number(await locate(admin, 'minutes-total').getAttribute('data-total')) > 0)
  await until('the charts', async () => (await admin.page.locator(`${at('chart')} canvas`).count()) === 2)
  await shot(admin, '34-minutes')
  await admin.click('by-user')
  for (const name of ['李申请', '赵病理', '钱影像'])
    await admin.page.locator(at('minutes-items'), { hasText: name }).waitFor({ timeout: GIVE_UP_MS })
  await admin.page.locator(`${at('minutes-items')} .el-table__row`, { hasText: '赵病理' }).click()
  await until('only his segments', async () => {
    const rows = await admin.page.locator(`${at('segments')} .el-table__row`).allTextContents()
    return rows.length > 0 && rows.every((r) => r.includes('赵病理'))
  })
  await shot(admin, '35-segments', true, 'segments')
  const [download] = await Promise.all([
    admin.page.waitForEvent('download', { timeout: GIVE_UP_MS }),
    admin.click('segments-csv'),
  ])
  const csv = readFileSync(await download.path(), 'utf8')
    .trim()
    .split('\r\n')
  assert(csv.length > 1 && csv.slice(1).every((line) => line.includes('赵病理')), `the CSV: ${csv.slice(0, 3)}`)
})

await step('the directory, and a new password that works', async () => {
  await menu(lead, 'directory')
  await seen(lead, 'doctor')
  await lead.fill('directory-search', '影像')
  await until('the search', async () => (await lead.page.locator(at('doctor')).count()) === 1)
  await lead.fill('directory-search', '')
  await shot(lead, '36-directory')
  await lead.click('user-menu')
  await lead.click('menu-password')
  await lead.fill('password-old', 'wrong-Password-1')
  await lead.fill('password-new', PASSWORD)
  await lead.fill('password-repeat', PASSWORD)
  await lead.click('password-submit')
  await until('the refusal', async () => /当前密码不正确/.test(await text(lead, 'password-error')))
  await shot(lead, '37-password')
  await lead.fill('password-old', server.users.expert01)
  await lead.click('password-submit')
  await until('the change', async () =>
    /密码已修改/.test(await lead.page.locator('.el-message--success').last().textContent()),
  )
  await lead.click('user-menu')
  await lead.click('menu-logout')
  server.users.expert01 = PASSWORD
  await login(lead, server, 'expert01')
  await lead.click('language')
  await lead.page.getByText('Consultations').first().waitFor({ timeout: GIVE_UP_MS })
  await shot(lead, '38-english')
})

await check('no page threw an error', async () => {
  const expected = /Failed to load resource|WebSocket|ERR_CONNECTION|net::/
  for (const b of [referrer, lead, phone, admin]) {
    const bad = (b?.errors ?? []).filter((e) => !expected.test(e))
    assert(bad.length === 0, `${b.name}: ${bad.slice(0, 3).join(' | ')}`)
  }
  console.log(`        ${shots.length} pictures in artefacts/`)
})

await cleanUp()
finish()
