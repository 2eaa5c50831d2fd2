// Servers that tiles are measured beside, each pinned to one core, on ports of its own, in a folder of its own. Node's own modules only.
import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import { until } from '../../tests/lib/check.mjs'

/** Whether such a program is installed. */
export const has = (program) => existsSync(program)

/** Debian's version of a package. */
export function version(name) {
  return `${name} ${execFileSync('dpkg-query', ['-W', '-f=${Version}', name], { encoding: 'utf8' })}`
}

export async function freePort() {
  const server = net.createServer()
  await new Promise((r) => server.listen(0, '127.0.0.1', r))
  const { port } = server.address()
  await new Promise((r) => server.close(r))
  return port
}

const answers = (port) =>
  new Promise((r) => {
    const socket = net.connect(port, '127.0.0.1')
    socket.on('connect', () => r(socket.destroy() && true))
    socket.on('error', () => r(false))
  })

/** A key and a certificate for 127.0.0.1. */
export function certificate(dir) {
  const [key, cert] = ['key.pem', 'cert.pem'].map((name) => join(dir, name))
  const subject = [
    '-subj',
    '/CN=127.0.0.1',
    '-days',
    '2',
    '-nodes',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
  ]
  execFileSync('openssl', ['req', '-x509', ...subject, '-keyout', key, '-out', cert], { stdio: 'ignore' })
  return { key, cert }
}

/** None outlives us. */
const running = new Set()
process.on('exit', () => running.forEach((child) => child.kill('SIGTERM')))

/** Processor time of a process and those it started, in µs. */
export function cpuMicros(pid) {
  let sum = 0
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    sum += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]) / 1000
    const children = readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean)
    for (const child of children) sum += cpuMicros(child)
  }
  return sum
}

async function start(core, command, args, ready) {
  const child = spawn('taskset', ['-c', String(core), command, ...args], { stdio: 'ignore' })
  let ended
  running.add(child)
  child.on('exit', (code, signal) => (ended = `${command} ended: ${code ?? signal}`))
  await until(`${command} being ready`, () => {
    if (ended) throw new Error(ended)
    return ready(child.pid)
  })
  return {
    pid: child.pid,
    stop: async () => {
      child.kill('SIGTERM')
      await until(`${command} having ended`, () => ended)
    },
  }
}

/** Debian's nginx over the files of `root`: → {port, tlsPort, stop}. */
export async function nginx(dir, root, core, { key, cert }) {
  const [port, tlsPort] = [await freePort(), await freePort()]
  const config = join(dir, 'nginx.conf')
  writeFileSync(
    config,
    `daemon off; user root; worker_processes 1; pid ${dir}/nginx.pid; error_log ${dir}/nginx.err;
events { worker_connections 768; }
http {
  sendfile on; tcp_nopush on; types { image/jpeg jpeg; } access_log off; keepalive_requests 1000000;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${dir}/${name};`).join(' ')}
  ssl_certificate ${cert}; ssl_certificate_key ${key}; ssl_protocols TLSv1.2 TLSv1.3;
  server { listen 127.0.0.1:${port}; listen 127.0.0.1:${tlsPort} ssl; root ${root}; }
}
`,
  )
  return { port, tlsPort, ...(await start(core, '/usr/sbin/nginx', ['-p', dir, '-c', config], () => answers(port))) }
}

/** iipsrv (FastCGI) under lighttpd: → {port, path(level, column, row, columns)}. IIP counts levels from the smallest. */
export async function iipsrv(dir, slide, levels, core) {
  const port = await freePort(),
    config = join(dir, 'lighttpd.conf')
  writeFileSync(
    config,
    `server.document-root = "${dir}"
server.port = ${port}
server.bind = "127.0.0.1"
server.modules = ("mod_fastcgi")
server.max-keep-alive-requests = 1000000
fastcgi.server = ("/iip" => (("socket" => "${dir}/iip.sock", "check-local" => "disable", "max-procs" => 1,
  "bin-path" => "/usr/lib/iipimage-server/iipsrv.fcgi",
  "bin-environment" => ("LOGFILE" => "${dir}/iip.log", "VERBOSITY" => "0", "MAX_IMAGE_CACHE_SIZE" => "10", "JPEG_QUALITY" => "80"))))
`,
  )
  const served = await start(core, '/usr/sbin/lighttpd', ['-D', '-f', config], () => answers(port))
  const path = (level, column, row, columns) => `/iip?FIF=${slide}&JTL=${levels - 1 - level},${row * columns + column}`
  return { port, path, ...served }
}

/** What runs in the network namespace of a process. */
const within = (pid) => ['nsenter', '-t', String(pid), '-n']

const curl = (pid, ...args) => {
  const [command, ...rest] = [...within(pid), 'curl', '-sf', '--noproxy', '*', ...args]
  return execFileSync(command, rest, { encoding: 'utf8', maxBuffer: 64 << 20 })
}

/** DICOM files of a slide with the slide's own tiles, made once: → folder. */
function dicomOf(slide) {
  const folder = `${slide}.dicom`,
    own = `${folder}.${process.pid}`
  if (existsSync(folder)) return folder
  mkdirSync(own)
  execFileSync('OrthancWSIDicomizer', ['--folder', own, '--threads', '2', slide], { stdio: 'ignore' })
  renameSync(own, folder)
  return folder
}

/**
 * Orthanc with a plugin. It listens on every address: it has a network namespace of its own (root), and so has who asks it (`within`).
 * → {pid, port, within, curl(...arguments)}
 */
export async function orthancWith(dir, plugin, core, more = {}) {
  const port = 8042,
    config = join(dir, 'orthanc.json'),
    base = `http://127.0.0.1:${port}`
  const settings = { Plugins: [`/usr/share/orthanc/plugins/${plugin}`], StorageDirectory: join(dir, 'orthanc') }
  Object.assign(settings, { AuthenticationEnabled: false, HttpPort: port, KeepAlive: true, DicomServerEnabled: false })
  settings.HttpThreadsCount = 80 // it has a thread per connection
  mkdirSync(settings.StorageDirectory)
  writeFileSync(config, JSON.stringify({ ...settings, IndexDirectory: settings.StorageDirectory, ...more }))
  const alone = ['-n', 'bash', '-c', 'ip link set lo up && exec Orthanc "$0"', config]
  const served = await start(core, 'unshare', alone, (pid) => {
    try {
      return curl(pid, `${base}/system`)
    } catch {
      return false
    }
  })
  const { pid } = served
  return { port, base, within: within(pid), curl: (...args) => curl(pid, ...args), ...served }
}

/**
 * Orthanc with its WSI plugin and the slide as DICOM.
 * → {port, within, path(width of the level, column, row), hashes(paths)}: of the answers that are then to come again.
 */
export async function orthanc(dir, slide, core) {
  const dicom = dicomOf(slide),
    peer = await orthancWith(dir, 'libOrthancWSI.so', core),
    { base } = peer
  for (const name of readdirSync(dicom))
    peer.curl('-o', '/dev/null', '--data-binary', `@${join(dicom, name)}`, `${base}/instances`)
  const [series] = JSON.parse(peer.curl(`${base}/series`))
  const { Sizes } = JSON.parse(peer.curl(`${base}/wsi/pyramids/${series}`))
  const path = (width, column, row) => `/wsi/tiles/${series}/${Sizes.findIndex(([w]) => w === width)}/${column}/${row}`
  const hashes = (paths) => {
    const list = join(dir, 'orthanc.curl'),
      file = (i) => join(dir, `orthanc-${i}`)
    writeFileSync(list, paths.map((path, i) => `url = ${base}${path}\noutput = ${file(i)}\n`).join(''))
    peer.curl('-K', list)
    return paths.map((_, i) =>
      createHash('sha256')
        .update(readFileSync(file(i)))
        .digest('hex'),
    )
  }
  return { ...peer, path, hashes }
}
