// Owns one look at a server from outside: a fresh connection, GET /healthz, one deadline for all of it.
import { type ClientRequest, request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Clock } from '#base'

/** No answer in a second is no answer: players give up after three. */
const PROBE_MS_MAX = 1000
const BODY_BYTES_MAX = 16 * 1024

/** Whose certificate is expected; empty: what any viewer expects. */
export type TlsClient = { readonly ca?: string; readonly servername?: string }

export interface ProbeResult {
  readonly connectMs: number | null
  readonly httpMs: number | null
  readonly httpStatus: number | null
  readonly error: string | null
}

/** Never rejects: a failed look is a value. */
export function probeOnce(url: string, clock: Clock, tls: TlsClient = {}): Promise<ProbeResult> {
  const startMs = clock.monotonicMs()
  let connectMs: number | null = null
  return new Promise(resolve => {
    let probe: ClientRequest
    const deadline = setTimeout(() => done(null, null, `no answer in ${PROBE_MS_MAX} ms`), PROBE_MS_MAX)
    const done = (httpMs: number | null, httpStatus: number | null, error: string | null): void => {
      clearTimeout(deadline)
      probe?.destroy()
      resolve({ connectMs, httpMs, httpStatus, error })
    }
    try {
      const send = url.startsWith('https:') ? httpsRequest : httpRequest
      // A connection of its own each time, or a server that stopped accepting would look well.
      probe = send(`${url}/healthz`, {
        ...(url.startsWith('https:') ? tls : {}),
        agent: false,
        headers: { 'user-agent': 'vitrine-probe', connection: 'close' },
      })
    } catch (error) {
      clearTimeout(deadline)
      resolve({ connectMs, httpMs: null, httpStatus: null, error: String(error).slice(0, 256) })
      return
    }
    probe.on('socket', socket => {
      socket.once('connect', () => {
        connectMs = clock.monotonicMs() - startMs
      })
    })
    probe.on('error', error => done(null, null, error.message.slice(0, 256)))
    probe.on('response', response => {
      let bytes = 0
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        if (bytes > BODY_BYTES_MAX) done(null, response.statusCode ?? null, 'the answer is too long')
      })
      response.on('error', error => done(null, null, error.message.slice(0, 256)))
      response.on('end', () => {
        const status = response.statusCode ?? null
        const error = status === 200 ? null : `status ${status}, expected 200`
        done(clock.monotonicMs() - startMs, status, error)
      })
    })
    probe.end()
  })
}
