// Owns the first request to a control room that nobody here knows yet: the pin in the join string decides whether
// anything is sent. It refuses to believe names, dates and public authorities.
import { X509Certificate } from 'node:crypto'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect, type TLSSocket } from 'node:tls'
import { messageOf } from '#base'
import { refusePlain } from './client.ts'
import { trustFaults } from './faults.ts'
import { dnsName } from './names.ts'
import { pinOf } from './pin.ts'

const CONNECT_MS_MAX = 10_000
const ANSWER_MS_MAX = 15_000
const ANSWER_BYTES_MAX = 64 * 1024
/** A leaf and its root; more is not ours. */
const CHAIN_MAX = 4

export interface FirstAnswer {
  readonly status: number
  readonly body: string
}

/** POSTs JSON. Without a pin the certificate must be one that the operating system trusts. */
export async function postPinned(
  controlUrl: string,
  pin: string | null,
  path: string,
  body: unknown,
): Promise<FirstAnswer> {
  const url = new URL(path, `${controlUrl.replace(/\/+$/, '')}/`)
  refusePlain(url.href)
  const isTls = url.protocol === 'https:'
  const socket = isTls && pin !== null ? await connectPinned(url, pin) : null
  const text = JSON.stringify(body)
  return await new Promise<FirstAnswer>((resolve, reject) => {
    const fail = (problem: string): void => {
      clearTimeout(deadline)
      request.destroy()
      reject(unreachable(url, problem))
    }
    const deadline = setTimeout(() => fail(`no answer in ${ANSWER_MS_MAX} ms`), ANSWER_MS_MAX)
    const send = isTls && socket === null ? httpsRequest : httpRequest
    const request = send(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) },
      ...(socket === null ? { agent: false } : { createConnection: () => socket, protocol: 'http:' }),
    })
    request.on('error', error => fail(messageOf(error)))
    request.on('response', response => {
      readAll(response).then(
        answer => {
          clearTimeout(deadline)
          socket?.destroy()
          resolve({ status: response.statusCode ?? 0, body: answer })
        },
        (error: unknown) => fail(messageOf(error)),
      )
    })
    request.end(text)
  })
}

/** A TLS connection to whoever holds the authority's key; nothing has been sent on it. */
async function connectPinned(url: URL, pin: string): Promise<TLSSocket> {
  const servername = dnsName({ role: 'control' })
  const socket = await new Promise<TLSSocket>((resolve, reject) => {
    const opened = connect({
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: Number(url.port) || 443,
      servername,
      minVersion: 'TLSv1.2',
      // The chain is checked below, against the pin instead of a list of authorities.
      rejectUnauthorized: false,
      timeout: CONNECT_MS_MAX,
    })
    opened.once('secureConnect', () => resolve(opened))
    opened.once('timeout', () => opened.destroy(new Error(`no TLS in ${CONNECT_MS_MAX} ms`)))
    opened.once('error', error => reject(unreachable(url, messageOf(error))))
  })
  const problem = checkChain(socket, servername, pin)
  if (problem === null) return socket
  socket.destroy()
  const message = `${url.host} is not the control room that made this join string: ${problem}; nothing was sent`
  throw trustFaults.fault('trust-control-not-pinned', message)
}

/** Null when the leaf is for us and signed by the pinned key. */
function checkChain(socket: TLSSocket, servername: string, pin: string): string | null {
  const chain = chainOf(socket)
  const leaf = chain[0]
  if (leaf === undefined) return 'it has no certificate'
  const authority = chain.find(certificate => pinOf(certificate) === pin)
  if (authority === undefined) return 'its certificate comes from another authority'
  if (leaf.checkHost(servername) === undefined) return `its certificate is not for ${servername}`
  // The handshake proved that the other side holds the leaf's key; this proves who signed the leaf.
  if (!leaf.checkIssued(authority) || !leaf.verify(authority.publicKey))
    return 'its certificate is not signed by that authority'
  return null
}

/** Read once: Node gives the issuers with the first reading only. */
function chainOf(socket: TLSSocket): X509Certificate[] {
  const chain: X509Certificate[] = []
  let next = socket.getPeerCertificate(true)
  while (chain.length < CHAIN_MAX && next?.raw !== undefined) {
    chain.push(new X509Certificate(next.raw))
    if (next.issuerCertificate === next || next.issuerCertificate === undefined) break
    next = next.issuerCertificate
  }
  return chain
}

async function readAll(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > ANSWER_BYTES_MAX) throw new Error(`more than ${ANSWER_BYTES_MAX} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function unreachable(url: URL, problem: string): Error {
  const message = `the control room at ${url.origin} cannot be reached: ${problem}`
  return trustFaults.fault('trust-control-unreachable', message)
}
