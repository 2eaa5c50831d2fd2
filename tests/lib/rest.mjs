// HTTP without a browser: single calls, bytes as they are, and a login's calls. Node's own modules only.
import http from 'node:http'
import https from 'node:https'
import net from 'node:net'

const ANSWER_SECONDS = 20
const PAGE_SECONDS = 120

/** → {status, headers, body, json}; `url` of a server. A certificate of its own is taken. */
export function call(url, method, path, { headers = {}, body, agent, seconds = ANSWER_SECONDS } = {}) {
  return new Promise((yes, no) => {
    const data = body === undefined ? undefined : Buffer.isBuffer(body) ? body : Buffer.from(body)
    const all = { ...headers }
    if (data) all['Content-Length'] = data.length
    else if (method !== 'GET' && method !== 'HEAD' && !('Content-Length' in all)) all['Content-Length'] = 0
    const { hostname: host, port, protocol } = new URL(url)
    const asked = { host, port, method, path, headers: all, agent, rejectUnauthorized: false }
    const request = (protocol === 'https:' ? https : http).request(asked, (answer) => {
      const parts = []
      answer.on('data', (part) => parts.push(part))
      answer.on('end', () => {
        const bytes = Buffer.concat(parts)
        let json
        try {
          json = JSON.parse(bytes.toString('utf8'))
        } catch {
          json = undefined
        }
        yes({ status: answer.statusCode, headers: answer.headers, body: bytes, json })
      })
      answer.on('error', no)
    })
    request.on('error', no)
    request.setTimeout(seconds * 1000, () => request.destroy(new Error(`no answer within ${seconds} s`)))
    request.end(data)
  })
}

/** Bytes as they are on a fresh connection; what came back until it was closed or quiet. */
export function raw(url, text, quiet = 1500) {
  return new Promise((yes) => {
    const { hostname, port } = new URL(url)
    const socket = net.connect(port, hostname)
    let got = ''
    const done = () => {
      socket.destroy()
      yes(got)
    }
    socket.setTimeout(quiet, done)
    socket.on('data', (part) => {
      got += part.toString('latin1')
    })
    socket.on('error', done)
    socket.on('close', done)
    socket.write(text)
  })
}

const base64 = (text) => Buffer.from(text).toString('base64')

/** What an upload (tus 1.0.0) says of itself. */
export const tus = { 'Tus-Resumable': '1.0.0' }
export const uploadHeaders = (size, request, category, filename) => ({
  ...tus,
  'Upload-Length': size,
  'Upload-Metadata': `request ${base64(request)},category ${base64(category)},filename ${base64(filename)}`,
})
export const partHeaders = (offset) => ({
  ...tus,
  'Upload-Offset': offset,
  'Content-Type': 'application/offset+octet-stream',
})

function failed(answer, what) {
  return Object.assign(new Error(`${what}: ${answer.status} ${answer.body}`), { status: answer.status })
}

/** One login. `page`: it says where its calls come from, as pages do. */
export class Session {
  constructor(url, { page = false } = {}) {
    this.url = url
    this.from = page ? { Origin: url } : {}
    this.seconds = page ? PAGE_SECONDS : ANSWER_SECONDS
  }

  async login(username, password) {
    const site = this.from.Origin ? { 'Sec-Fetch-Site': 'same-origin' } : {}
    const answer = await call(this.url, 'POST', '/api/v1/login', {
      headers: { 'Content-Type': 'application/json', ...this.from, ...site },
      body: JSON.stringify({ username, password }),
      seconds: this.seconds,
    })
    if (answer.status !== 200) throw failed(answer, `login of ${username}`)
    this.cookie = answer.headers['set-cookie'][0].split(';')[0]
    this.csrf = answer.json.csrf
    this.user = answer.json.user
    return this
  }

  /** The whole answer, whatever its status. */
  call(method, path, { json, body, headers = {} } = {}) {
    const changes = method === 'GET' || method === 'HEAD' ? {} : this.from
    const all = { Cookie: this.cookie, 'X-CSRF-Token': this.csrf, ...changes, ...headers }
    if (json !== undefined) all['Content-Type'] = 'application/json'
    const data = json === undefined ? body : JSON.stringify(json)
    return call(this.url, method, path, { headers: all, body: data, seconds: this.seconds })
  }

  /** What it answered, as long as that is a success; otherwise an error with its `status`. */
  async ask(method, path, json) {
    const answer = await this.call(method, path, { json })
    if (answer.status < 200 || answer.status > 299) throw failed(answer, `${method} ${path}`)
    return answer.body.length ? JSON.parse(answer.body.toString()) : null
  }

  get(path) {
    return this.ask('GET', path)
  }
  post(path, json = {}) {
    return this.ask('POST', path, json)
  }
  put(path, json) {
    return this.ask('PUT', path, json)
  }

  /** One upload in tus chunks; gives the file's id. */
  async upload(request, category, filename, bytes, chunk = 4 << 20) {
    const made = await this.call('POST', '/uploads', {
      headers: uploadHeaders(bytes.length, request, category, filename),
    })
    if (made.status !== 201) throw failed(made, 'upload')
    for (let at = 0; at < bytes.length; ) {
      const body = bytes.subarray(at, Math.min(at + chunk, bytes.length))
      const part = await this.call('PATCH', made.headers.location, { body, headers: partHeaders(at) })
      if (part.status !== 204) throw failed(part, 'upload')
      at = Number(part.headers['upload-offset'])
      if (part.headers['x-file-id']) return part.headers['x-file-id']
    }
    throw new Error('the upload ended without a file')
  }
}
