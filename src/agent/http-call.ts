// Owns one HTTP request with a deadline for all of it, over connections that are kept.
// It refuses answers larger than the caller allows, and gives failures as values.
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { type Closable, messageOf } from '#base'

const SOCKETS_MAX = 2 // one request at a time, and one that is about to be given up
const IDLE_MS_MAX = 4000 // below Node's keep-alive limit of 5 s, so that no request meets a closing connection

export interface HttpRequest {
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | null
  readonly deadlineMs: number
  readonly answerBytesMax: number
}

export type HttpAnswer =
  | { readonly kind: 'answer'; readonly status: number; readonly body: Buffer }
  | { readonly kind: 'failed'; readonly problem: string }

/** What a TLS connection to a URL needs beside the defaults. */
export type TlsFor = (url: string) => { readonly ca?: string; readonly servername?: string }

export class HttpCalls implements Closable {
  readonly #tlsFor: TlsFor
  readonly #http = new HttpAgent({ keepAlive: true, maxSockets: SOCKETS_MAX, timeout: IDLE_MS_MAX })
  readonly #https = new HttpsAgent({ keepAlive: true, maxSockets: SOCKETS_MAX, timeout: IDLE_MS_MAX })

  constructor(tlsFor: TlsFor = () => ({})) {
    this.#tlsFor = tlsFor
  }

  /** Never rejects. */
  send(call: HttpRequest): Promise<HttpAnswer> {
    return new Promise(resolve => {
      const secure = call.url.startsWith('https:')
      const options = {
        method: call.method,
        headers: { ...call.headers, ...(call.body === null ? {} : { 'content-length': call.body.length }) },
        agent: secure ? this.#https : this.#http,
        ...(secure ? this.#tlsFor(call.url) : {}),
      }
      const request = (secure ? httpsRequest : httpRequest)(call.url, options)
      const deadline = setTimeout(
        () => request.destroy(new Error(`no answer within ${call.deadlineMs} ms`)),
        call.deadlineMs,
      )
      const settle = (answer: HttpAnswer): void => {
        clearTimeout(deadline)
        resolve(answer)
      }
      request.once('error', error => settle({ kind: 'failed', problem: messageOf(error) }))
      request.once('response', response => {
        collect(response, call.answerBytesMax).then(
          body => settle({ kind: 'answer', status: response.statusCode ?? 0, body }),
          (error: unknown) => {
            request.destroy()
            settle({ kind: 'failed', problem: messageOf(error) })
          },
        )
      })
      request.end(call.body ?? undefined)
    })
  }

  close(): void {
    this.#http.destroy()
    this.#https.destroy()
  }
}

async function collect(response: IncomingMessage, bytesMax: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > bytesMax) throw new Error(`expected at most ${bytesMax} bytes of answer`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
