// A certificate that a server gives itself, for two days.
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

/** {key, cert}: two files in `dir`. `address`: an IP address that it stands for besides. */
export function certificate(dir, { name = 'localhost', address } = {}) {
  const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')]
  const curve = 'ec_paramgen_curve:P-256'
  const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', curve, '-nodes', '-keyout', key, '-out', cert]
  const about = ['-days', '2', '-subj', `/CN=${name}`, ...(address ? ['-addext', `subjectAltName=IP:${address}`] : [])]
  execFileSync('openssl', [...made, ...about], { stdio: 'ignore' })
  return { key, cert }
}
