// Owns asking other edges about the control room: one POST each, with a deadline, and no more at once than a small
// machine can bear. It refuses redirects and large answers.
import { rootCertificates } from 'node:tls'
import { Agent, request } from 'undici'
import type { Closable } from '#base'
import type { Trust } from '#trust'
import { PROBE_HEADER, type SealedRoute, type WatcherAnswer, type WatcherAsk, watcherAnswer } from '#wire'

const ASK_MS_MAX = 3000
const ANSWER_BYTES_MAX = 8 * 1024
const AT_ONCE_MAX = 64

type Peer = NonNullable<SealedRoute['held']>['peers'][number]

export class Peers implements Closable {
  readonly #agent: Agent
  readonly #waiting: (() => void)[] = []
  #peers: ReadonlyMap<string, Peer> = new Map()
  #underWay = 0

  /** A peer is known by a public certificate, or by one of the fleet's own authority. */
  constructor(trust: Trust) {
    const ca = trust === null ? undefined : [...rootCertificates, trust.authorityPem]
    this.#agent = new Agent({
      connections: 1,
      connect: { timeout: ASK_MS_MAX, ...(ca === undefined ? {} : { ca }) },
      headersTimeout: ASK_MS_MAX,
      bodyTimeout: ASK_MS_MAX,
      keepAliveTimeout: 4000,
    })
  }

  set(peers: readonly Peer[]): void {
    this.#peers = new Map(peers.map(peer => [peer.id, peer]))
  }

  ask = async (id: string, ask: WatcherAsk): Promise<WatcherAnswer | null> => {
    const peer = this.#peers.get(id)
    if (peer === undefined) return null
    if (this.#underWay >= AT_ONCE_MAX) await new Promise<void>(resolve => this.#waiting.push(resolve))
    this.#underWay += 1
    try {
      return await this.#post(peer, ask)
    } catch {
      return null // one that does not answer says nothing; the metric counts those that do
    } finally {
      this.#underWay -= 1
      this.#waiting.shift()?.()
    }
  }

  close(): Promise<void> {
    return this.#agent.destroy()
  }

  async #post({ id, url, credential }: Peer, ask: WatcherAsk): Promise<WatcherAnswer | null> {
    const { statusCode, body } = await request(`${url}/watcher`, {
      method: 'POST',
      dispatcher: this.#agent,
      headers: { 'content-type': 'application/json', [PROBE_HEADER]: credential },
      body: JSON.stringify(ask),
      signal: AbortSignal.timeout(ASK_MS_MAX),
    })
    let text = ''
    for await (const part of body as AsyncIterable<Buffer>) {
      text += part.toString('latin1')
      if (text.length > ANSWER_BYTES_MAX) return null
    }
    if (statusCode !== 200) return null
    const parsed = watcherAnswer.safeParse(JSON.parse(text))
    return parsed.success && parsed.data.id === id ? parsed.data : null
  }
}
