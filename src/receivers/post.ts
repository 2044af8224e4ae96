// Owns one HTTP request to somebody else's server: a deadline for all of it, no redirects, little of the answer, and
// what went wrong in words.
import { readFileSync } from 'node:fs'
import { Agent, request } from 'undici'
import { messageOf } from '#base'
import { receiverFaults } from './faults.ts'
import { oneLine } from './message.ts'
import type { Outcome } from './receiver.ts'

const POST_MS_MAX = 10_000
const ANSWER_BYTES_MAX = 16 * 1024
const ANSWER_SHOWN = 200
const WAIT_MS_MAX = 3_600_000
/** These say that the message itself is wrong: it will be so the next time. */
const FINAL = new Set([400, 413, 422])
const CONNECTIONS_MAX = 2

interface Post {
  readonly url: string
  readonly method?: 'GET' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string | null
}

export interface Poster {
  send(this: void, post: Post): Promise<Outcome>
  close(this: void): Promise<void>
}

/** `deadlineMs` is for tests. */
export function createPoster(
  caFile: string | undefined,
  what: string,
  deadlineMs: number = POST_MS_MAX,
): Poster {
  const agent = new Agent({
    connections: CONNECTIONS_MAX,
    pipelining: 1,
    connect: { timeout: deadlineMs, ...(caFile === undefined ? {} : { ca: readCa(caFile, what) }) },
    headersTimeout: deadlineMs,
    bodyTimeout: deadlineMs,
    keepAliveTimeout: 4000,
  })
  return { send: post => send(agent, post, deadlineMs), close: () => agent.destroy() }
}

export function readCa(file: string, what: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw receiverFaults.fault('receivers-invalid', `${what}: caFile: ${messageOf(error)}`, {
      cause: error,
    })
  }
}

async function send(
  dispatcher: Agent,
  { url, method = 'POST', headers = {}, body }: Post,
  deadlineMs: number,
): Promise<Outcome> {
  // One for all of it: a server that sends a byte now and again is not waited for.
  const deadline = new AbortController()
  const timer = setTimeout(() => deadline.abort(), deadlineMs)
  try {
    const answer = await request(url, {
      method,
      dispatcher,
      headers: {
        'user-agent': 'vitrine',
        ...(body === null ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      body,
      signal: deadline.signal,
    })
    const text = await firstOf(answer.body)
    return judge(answer.statusCode, answer.headers, text)
  } catch (error) {
    const problem = deadline.signal.aborted
      ? `no answer within ${deadlineMs / 1000} s`
      : connectionWords(error)
    return { ok: false, problem, waitMs: null, final: false }
  } finally {
    clearTimeout(timer)
  }
}

async function firstOf(body: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of body) {
    parts.push(part)
    bytes += part.length
    if (bytes >= ANSWER_BYTES_MAX) break // leaving the loop closes the connection
  }
  return Buffer.concat(parts).toString('utf8')
}

function judge(
  status: number,
  headers: Readonly<Record<string, string | string[] | undefined>>,
  text: string,
): Outcome {
  const said = oneLine(text).slice(0, ANSWER_SHOWN)
  if (status >= 200 && status < 300)
    return { ok: true, answer: said === '' ? String(status) : `${status}: ${said}` }
  if (status >= 300 && status < 400) {
    const to = oneLine(String(headers['location'] ?? 'nowhere')).slice(0, ANSWER_SHOWN)
    const problem = `answered ${status}, a redirect to ${to}: redirects are not followed; if that is right, put it into the configuration`
    return { ok: false, problem, waitMs: null, final: false }
  }
  const problem = `answered ${status}${said === '' ? '' : `: ${said}`}`
  return { ok: false, problem, waitMs: waitOf(headers['retry-after']), final: FINAL.has(status) }
}

/** RFC 9110 section 10.2.3, in seconds; dates are taken as nothing said. */
function waitOf(header: string | string[] | undefined): number | null {
  if (typeof header !== 'string' || !/^\d{1,7}$/.test(header)) return null
  return Math.min(Number(header) * 1000, WAIT_MS_MAX)
}

function connectionWords(error: unknown): string {
  const code = codeOf(error)
  const words: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'nobody listens there (connection refused)',
    ECONNRESET: 'the connection was closed before an answer came',
    UND_ERR_SOCKET: 'the connection was closed before an answer came',
    ENOTFOUND: 'its name does not exist in DNS',
    EAI_AGAIN: 'DNS does not answer',
    UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
    UND_ERR_HEADERS_TIMEOUT: 'no answer in time',
    UND_ERR_BODY_TIMEOUT: 'the answer did not end in time',
    CERT_HAS_EXPIRED: 'TLS: its certificate has expired',
    DEPTH_ZERO_SELF_SIGNED_CERT: 'TLS: its certificate is signed by itself; name it as caFile if it is yours',
    SELF_SIGNED_CERT_IN_CHAIN: 'TLS: its authority is not known here; name it as caFile if it is yours',
    UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'TLS: its authority is not known here; name it as caFile if it is yours',
    ERR_TLS_CERT_ALTNAME_INVALID: 'TLS: its certificate is for another name',
  }
  return words[code] ?? oneLine(messageOf(error))
}

/** Of the error, or of what caused it. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return ''
  if ('code' in error && typeof error.code === 'string') return error.code
  return codeOf(error.cause)
}
