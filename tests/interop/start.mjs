// How an installation starts: ./run in a folder of its own, twice beside each other, with real servers; what it says instead of breaking what runs.
// Nothing is built: the programs are copies of those built already, and what would build or install is a script that does nothing.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync } from 'node:fs'
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { assert, check, equal, finish, until } from '../lib/check.mjs'
import { call } from '../lib/rest.mjs'
import { isFree, root, sanitized } from '../lib/server.mjs'

const built = join(root, 'build', sanitized)
const tree = mkdtempSync(join(tmpdir(), 'consilium-test-'))
const inside = (...parts) => join(tree, ...parts)
const text = (...parts) => readFileSync(inside(...parts), 'utf8')
const servers = []

function put(path, content, mode = 0o644) {
  mkdirSync(join(inside(path), '..'), { recursive: true })
  writeFileSync(inside(path), content)
  chmodSync(inside(path), mode)
}
const script = (path, body) => put(path, `#!/bin/bash\n${body}\n`, 0o755)
const env = {
  ...process.env,
  PATH: `${inside('bin')}:${process.env.PATH}`,
}

/** A tree as it is after the first build. */
function plant() {
  for (const path of ['run', 'cmake/setup.sh']) {
    mkdirSync(join(inside(path), '..'), { recursive: true })
    copyFileSync(join(root, path), inside(path))
  }
  script('bin/cmake', 'exit 0')
  mkdirSync(inside('build/release'), { recursive: true })
  for (const name of [
    'consilium',
    'consilium-decoder',
    'consilium-dicom',
    'consilium-dicom-listener',
    'consilium-printer',
    'consilium-painter',
    'consilium-unpacker',
    'consilium-demo-dicom',
    'consilium-demo-ecg',
    'consilium-ecg',
  ])
    copyFileSync(join(built, name), inside('build/release', name))
  script('build/release/consilium-demo-slide', `exec '${join(built, 'consilium-demo-slide')}' "$1" 1024 768 1`)
  put('viewer/web/package.json', '{}')
  put('viewer/web/dist/index.html', '<!doctype html><title>index</title>')
  const hash = execFileSync('bash', ['-c', '. cmake/setup.sh; web_hash'], { cwd: tree, encoding: 'utf8' })
  put('viewer/web/node_modules/.built', hash.trim())
}

/** N, of which N, N + 1, N + 1920 and N + 1921 are free. */
async function freeFour(...taken) {
  for (;;) {
    const port = 15000 + 2 * Math.floor(Math.random() * 7000)
    const four = [port, port + 1, port + 1920, port + 1921]
    if (taken.some((other) => four.some((p) => [0, 1, 1920, 1921].includes(p - other)))) continue
    if ((await Promise.all(four.map(isFree))).every(Boolean)) return port
  }
}

/** ./run that goes on: {said(), end()}. */
function run(...args) {
  const child = spawn(inside('run'), args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => (said += part))
  const ended = new Promise((r) => child.on('exit', r))
  const server = {
    said: () => said,
    pid: child.pid,
    gone: () => child.exitCode !== null || child.signalCode !== null,
    end: async () => {
      child.kill('SIGTERM')
      await ended
    },
  }
  servers.push(server)
  return server
}

/** ./run that says why not: {status, said}. */
function refused(...args) {
  const { status, stdout, stderr } = spawnSync(inside('run'), args, {
    env,
    input: '',
    encoding: 'utf8',
    timeout: 60000,
  })
  return { status, said: stdout + stderr }
}

const serves = (server, port) =>
  until(
    `port ${port} being served`,
    async () => {
      if (server.gone()) throw new Error(`it ended: ${server.said()}`)
      return (await call(`http://127.0.0.1:${port}`, 'GET', '/readyz').catch(() => ({}))).status === 200
    },
    40,
  )
const passwords = (server) => [...server.said().matchAll(/^\s+[a-z]+0\d\s+(\S{10,})/gm)].map((m) => m[1])
const says = (answer, pattern, status = 1) =>
  assert(pattern.test(answer.said) && answer.status === status, `${answer.status}: ${answer.said}`)

plant()
const first = await freeFour(),
  second = await freeFour(first),
  third = await freeFour(first, second)
let one, two, config

await check('a second instance starts beside the first, with ports and users of its own', async () => {
  one = run('--port', String(first))
  await serves(one, first)
  config = text('var/consilium.ini')
  two = run('--port', String(second))
  await serves(two, second)
  await serves(one, first)
  equal(text('var/consilium.ini'), config, 'the configuration of the first')
  assert(
    text(`var/port-${second}/consilium.ini`).includes(`[media]\nlisten = 127.0.0.1\nport = ${second + 1920}\n`),
    'media',
  )
  equal([passwords(one).length, passwords(two).length], [5, 5], 'demo users')
  assert(two.said().includes(`var/port-${second}`), two.said())
})

await check('ports that somebody has are named, with the option that helps; nothing is touched', async () => {
  says(refused('--port', String(first)), /port \d+ is in use.*\.\/run --port N/)
  says(refused('--port', String(third), '--media-port', String(first + 1920)), /for picture and sound.*--media-port M/)
  says(refused('--port', String(third), '--media-port', String(third + 1)), /must not meet/, 2)
  for (const wrong of [['--port'], ['--port', '0'], ['--port', '08080'], ['--media-port', 'x']])
    says(refused(...wrong), /wants a number from 1 to 65534/, 2)
  equal(text('var/consilium.ini'), config, 'the configuration of the first')
  assert(!existsSync(inside(`var/port-${third}`)), 'a folder was made for nothing')
})

await check('who was given a folder finds the same users in it again', async () => {
  await two.end()
  two = run('--port', String(second), '--media-port', String(third))
  await serves(two, second)
  equal(passwords(two).length, 0, 'demo users made anew')
  assert(text(`var/port-${second}/consilium.ini`).includes(`port = ${third}\n`), 'the port of media')
  await two.end()
})

await check('--fresh deletes only when a person says yes', async () => {
  const place = ['--port', String(second)]
  const key = () => text(`var/port-${second}/keys/master.key`)
  const before = key()
  says(refused(...place, '--fresh'), /--fresh --yes/, 2)
  const typed = (answer) =>
    spawnSync('script', ['-qec', `${inside('run')} ${place.join(' ')} --fresh`, '/dev/null'], {
      env,
      input: `${answer}\n`,
      encoding: 'utf8',
      timeout: 60000,
    }).stdout
  assert(/deletes everything[^]*Nothing was deleted/.test(typed('no')), 'no was taken for yes')
  equal(key(), before, 'the key')
  two = run(...place, '--fresh', '--yes')
  await serves(two, second)
  assert(key() !== before && passwords(two).length === 5, 'nothing was made anew')
  await two.end()
})

await check('a server that was started by hand keeps its configuration too', async () => {
  await one.end()
  rmSync(inside(`var/port-${second}`), { recursive: true })
  const byHand = spawn(inside('build/release/consilium'), ['serve'], { cwd: tree, stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  byHand.stderr.on('data', (part) => (said += part))
  servers.push({ end: () => byHand.kill('SIGTERM') })
  await serves({ gone: () => byHand.exitCode !== null, said: () => said }, first)
  assert(said.startsWith('consilium: the configuration is var/consilium.ini\n'), said)
  two = run('--port', String(second))
  await serves(two, second)
  equal(text('var/consilium.ini'), config, 'the configuration of the first')
  await two.end()
})

await check('the configuration is found, and named', async () => {
  const ask = (cwd, ...args) => {
    const { status, stderr } = spawnSync(inside('build/release/consilium'), args, { cwd, encoding: 'utf8' })
    return { status, said: stderr }
  }
  const empty = inside('empty')
  mkdirSync(empty)
  says(ask(empty, 'verify', 'audit'), /no consilium\.ini and no var\/consilium\.ini.*--config FILE/)
  says(ask(tree, 'verify', 'audit', '--config'), /--config wants a file/, 2)
  says(ask(tree, 'verify', 'audit', '--config='), /--config wants a file/, 2)
  says(ask(tree, 'verify', 'audit'), /^consilium: the configuration is var\/consilium\.ini\n/, 0)
  says(ask(tree, 'verify', 'audit', '--config=var/consilium.ini'), /^(?!.*the configuration is)/, 0)
  put('consilium.ini', '[server]\nlog_level = nonsense-key\nno_such_key = 1\n')
  says(ask(tree, 'verify', 'audit'), /^consilium: the configuration is consilium\.ini\n.*no such key/)
})

await check('apt is waited for while another program installs', async () => {
  script(
    'bin/apt-get',
    `echo x >>'${inside('asked')}'
[ "$(wc -l <'${inside('asked')}')" -gt 2 ] && exit 0
echo 'E: Could not get lock /var/lib/apt/lists/lock. It is held by process 4711 (apt-get)' >&2
exit 100`,
  )
  const patiently = () =>
    spawnSync('bash', ['-c', '. cmake/setup.sh; apt_patiently update -q'], {
      cwd: tree,
      env: { ...env, APT_ASK_AGAIN: '0.1' },
      encoding: 'utf8',
    })
  const waited = patiently()
  equal(waited.status, 0, waited.stderr)
  equal(waited.stderr.match(/waiting for it.*held by process 4711/g)?.length, 1, 'said once')
  script('bin/apt-get', 'echo "E: Unable to locate package" >&2; exit 100')
  equal(patiently().status, 100, 'what waiting does not mend')
})

await check('a tree that was moved or copied is built anew', async () => {
  put(
    'old/CMakeLists.txt',
    'cmake_minimum_required(VERSION 3.20)\nproject(moved LANGUAGES NONE)\nadd_custom_target(thing)\n',
  )
  const preset = { name: 'release', generator: 'Ninja', binaryDir: '${sourceDir}/build/release' }
  const presets = {
    version: 3,
    configurePresets: [preset],
    buildPresets: [{ name: 'release', configurePreset: 'release' }],
  }
  put('old/CMakePresets.json', JSON.stringify(presets))
  const build = (folder) =>
    spawnSync('bash', ['-c', `. '${inside('cmake/setup.sh')}'; build_program release thing`], {
      cwd: inside(folder),
      encoding: 'utf8',
    })
  const plain = build('old')
  equal(plain.status, 0, plain.stderr)
  cpSync(inside('old'), inside('copy'), { recursive: true })
  renameSync(inside('old'), inside('moved'))
  for (const folder of ['copy', 'moved']) {
    const answer = build(folder)
    assert(answer.status === 0 && /making it anew/.test(answer.stderr), `${folder}: ${answer.stderr}`)
    assert(!/making it anew/.test(build(folder).stderr), `${folder}: again without need`)
  }
})

for (const server of servers) await server.end()
rmSync(tree, { recursive: true, force: true })
finish()
