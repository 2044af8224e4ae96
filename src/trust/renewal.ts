// Owns keeping a joined server's certificate fresh: a new key and certificate at two thirds of its life. Both
// replace the old ones in one file, in one moment; whoever listens with it notices.
import { readFileSync } from 'node:fs'
import { request as httpsRequest } from 'node:https'
import { type Closable, type FleetTime, type Log, messageOf, writeFileAtomic } from '#base'
import { certificateAnswer } from '#wire'
import { tlsClient } from './client.ts'
import { trustFaults } from './faults.ts'
import type { Identity } from './identity.ts'
import { newKeyPem, newRequestPem, validityOf } from './x509.ts'

const CERTIFICATE_PATH = '/api/v1/certificate'
const LOOK_EVERY_MS = 3_600_000
const RENEW_AT = 2 / 3
const ANSWER_MS_MAX = 15_000
const ANSWER_BYTES_MAX = 64 * 1024

/** True from two thirds of its life on. */
export function isDue(certPem: string, nowMs: number): boolean {
  const { fromMs, toMs } = validityOf(certPem)
  return nowMs >= fromMs + (toMs - fromMs) * RENEW_AT
}

export interface RenewalOptions {
  readonly identity: Identity
  readonly fleetTime: FleetTime
  readonly log: Log
}

/** Looks now and each hour. A failure is logged and tried again. */
export function startRenewal(options: RenewalOptions): Closable {
  const { identity, fleetTime, log } = options
  const turn = async (): Promise<void> => {
    const { tls } = identity
    // A wrong clock must not renew each hour: fleet time counts, once it is known.
    if (tls === null || !fleetTime.known()) return
    try {
      if (!isDue(readFileSync(tls.file, 'utf8'), fleetTime.nowMs())) return
      await renew(identity)
      log.info('certificate-renewed', { server: identity.id })
    } catch (error) {
      log.warn('certificate-not-renewed', { server: identity.id, problem: messageOf(error) })
    }
  }
  const timer = setInterval(() => void turn(), LOOK_EVERY_MS)
  timer.unref()
  return {
    close: () => {
      clearInterval(timer)
      return Promise.resolve()
    },
  }
}

/** Asks for a certificate for a new key, and keeps both. */
export async function renew(identity: Identity): Promise<void> {
  const { tls } = identity
  if (tls === null) return
  const keyPem = await newKeyPem()
  const requestPem = await newRequestPem(keyPem, identity.id)
  const { certificatePem } = certificateAnswer.parse(JSON.parse(await post(identity, { requestPem })))
  writeFileAtomic(tls.file, `${keyPem}${certificatePem}`)
}

function post(identity: Identity, body: unknown): Promise<string> {
  const url = `${identity.controlUrl.replace(/\/+$/, '')}${CERTIFICATE_PATH}`
  const text = JSON.stringify(body)
  return new Promise((resolve, reject) => {
    const fail = (problem: string): void => {
      reject(trustFaults.fault('trust-control-unreachable', `${url}: ${problem}`))
    }
    const request = httpsRequest(url, {
      ...tlsClient(identity.trust, url, { role: 'control' }),
      method: 'POST',
      agent: false,
      timeout: ANSWER_MS_MAX,
      headers: {
        authorization: `Bearer ${identity.credential.reveal()}`,
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(text),
      },
    })
    request.on('timeout', () => request.destroy(new Error(`no answer in ${ANSWER_MS_MAX} ms`)))
    request.on('error', error => fail(messageOf(error)))
    request.on('response', response => {
      let answer = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        answer += chunk
        if (answer.length > ANSWER_BYTES_MAX) request.destroy(new Error('the answer is too long'))
      })
      response.on('end', () => {
        if (response.statusCode === 200) resolve(answer)
        else fail(`status ${response.statusCode}: ${answer.slice(0, 300)}`)
      })
    })
    request.end(text)
  })
}
