// Owns what the latency of alerts is measured with: values that cross a threshold at a known moment, a page from which
// a Prometheus reads them, a sender that writes them as an agent does, and a receiver of notifications.
// It refuses to guess: what was not seen in time is left out, and counted.
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { encodeRemoteWrite } from '#metrics'
import { ask } from '../metrics/client.ts'
import { type Target, writeTo } from '../metrics/targets.ts'
import { PROBES, probeAlert } from './rules.ts'

const LOOK_MS = 50
const SENT_EVERY_MS = 1000 // an agent's interval

/** One server under test. All moments are of this process' monotonic clock, in ms. */
export interface Watched {
  readonly name: string
  readonly target: Target
  /** Where the values come from: written each second as by an agent, or read by itself. */
  readonly isWritten: boolean
}

export interface Moments {
  readonly crossed: number
  /** Answered by the store; not known of one that reads by itself. */
  readonly taken: number | null
  readonly firing: number | null
  readonly told: number | null
}

export class Probes {
  /** When each value crossed; null: not yet. */
  readonly #crossed: (number | null)[] = Array.from({ length: PROBES }, () => null)
  readonly #told = new Map<string, number>()
  readonly #server: Server
  #port = 0

  constructor() {
    this.#server = createServer((request, response) => {
      const parts: Buffer[] = []
      request.on('data', (part: Buffer) => parts.push(part))
      request.on('end', () => {
        const { url = '' } = request
        if (url === '/metrics') response.end(this.#page())
        else {
          this.#take(url.slice(1), Buffer.concat(parts).toString('utf8'))
          response.end()
        }
      })
    })
  }

  async start(): Promise<this> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    const address = this.#server.address()
    this.#port = typeof address === 'object' && address !== null ? address.port : 0
    return this
  }

  get exporter(): string {
    return `127.0.0.1:${this.#port}`
  }

  receiver(name: string): string {
    return `http://127.0.0.1:${this.#port}/${name}`
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  /** Lets all values cross, one after the other at moments by chance, and follows what becomes of them. */
  async run(
    servers: readonly Watched[],
    spreadMs: number,
    waitMs: number,
  ): Promise<ReadonlyMap<string, Moments[]>> {
    this.#crossed.fill(null)
    this.#told.clear()
    const startedMs = performance.now()
    const endMs = startedMs + spreadMs + waitMs
    const followers = servers.map(server => new Follower(server, this.#crossed))
    const following = followers.map(follower => follower.run(endMs, name => this.#allTold(name)))
    const each = spreadMs / PROBES
    for (let at = 0; at < PROBES; at += 1) {
      const dueMs = startedMs + each * (at + Math.random())
      await pause(Math.max(0, dueMs - performance.now()))
      this.#crossed[at] = performance.now()
    }
    await Promise.all(following)
    return new Map(
      followers.map(({ name, taken, firing }) => [
        name,
        this.#crossed.map((crossed, at) => ({
          crossed: crossed ?? 0,
          taken: taken[at] ?? null,
          firing: firing[at] ?? null,
          told: this.#told.get(`${name} ${probeAlert(at)}`) ?? null,
        })),
      ]),
    )
  }

  #allTold(name: string): boolean {
    return this.#crossed.every((_, at) => this.#told.has(`${name} ${probeAlert(at)}`))
  }

  #page(): string {
    return this.#crossed
      .map((crossed, at) => `bench_probe{instance="probe-${at}"} ${crossed === null ? 0 : 100}\n`)
      .join('')
  }

  /** Alertmanager's webhook, of whoever sends it. */
  #take(name: string, body: string): void {
    const message = JSON.parse(body) as { alerts: { status: string; labels: Record<string, string> }[] }
    for (const { status, labels } of message.alerts) {
      const key = `${name} ${labels['alertname']}`
      if (status === 'firing' && !this.#told.has(key)) this.#told.set(key, performance.now())
    }
  }
}

class Follower {
  readonly name: string
  readonly taken: (number | null)[] = []
  readonly firing: (number | null)[] = []
  readonly #server: Watched
  readonly #crossed: readonly (number | null)[]

  constructor(server: Watched, crossed: readonly (number | null)[]) {
    this.name = server.name
    this.#server = server
    this.#crossed = crossed
  }

  async run(endMs: number, allTold: (name: string) => boolean): Promise<void> {
    let isOver = false
    const writing = this.#server.isWritten ? this.#write(() => isOver) : Promise.resolve()
    try {
      while (performance.now() < endMs && !(this.#isComplete() && allTold(this.name))) {
        if (this.#waits()) await this.#look()
        await pause(LOOK_MS)
      }
    } finally {
      isOver = true
      await writing
    }
  }

  #isComplete(): boolean {
    return this.#crossed.every((_, at) => typeof this.firing[at] === 'number')
  }

  #waits(): boolean {
    return this.#crossed.some((crossed, at) => crossed !== null && typeof this.firing[at] !== 'number')
  }

  async #look(): Promise<void> {
    const query = 'ALERTS{alertname=~"BenchProbe.*",alertstate="firing"}'
    const text = await ask(this.#server.target, `query?query=${encodeURIComponent(query)}`)
    const nowMs = performance.now()
    for (let at = 0; at < PROBES; at += 1) if (text.includes(`"${probeAlert(at)}"`)) this.firing[at] ??= nowMs
  }

  /** The values as they are, once a second and at a moment of its own, as an agent writes. */
  async #write(isOver: () => boolean): Promise<void> {
    let dueMs = performance.now() + Math.random() * SENT_EVERY_MS
    while (!isOver()) {
      await pause(Math.max(0, dueMs - performance.now()))
      dueMs += SENT_EVERY_MS
      const sent = this.#crossed.map(crossed => (crossed === null ? 0 : 100))
      await writeTo(
        this.#server.target,
        encodeRemoteWrite(
          sent.map((value, at) => ({
            labels: { __name__: 'bench_probe', instance: `probe-${at}` },
            samples: [{ timestampMs: Date.now(), value }],
          })),
        ),
      )
      const nowMs = performance.now()
      for (const [at, value] of sent.entries()) if (value > 0) this.taken[at] ??= nowMs
    }
  }
}
