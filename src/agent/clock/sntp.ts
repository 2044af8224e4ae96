// Owns asking time servers over SNTP: one packet a server each 64 s at most, the sample with the least delay of the last
// eight, and a server that asks to be left alone is. It asks nobody whom it was not told to ask.
import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import type { Clock, Log } from '#base'
import { NTP_PACKET_BYTES, readNtpAnswer, writeNtpRequest } from './ntp-packet.ts'
import type { SourceReading } from './time-source.ts'

/** RFC 4330 section 10 forbids less than 15 s; pools ask for 64. */
const POLL_MS_MIN = 64_000
/** A name of a pool stands for many servers: one of them is kept for so long, or samples could not be compared. */
const ADDRESS_MS_MAX = 3_600_000
const POLL_MS_MAX = 36 * 60_000
const SAMPLES_MAX = 8
const DEADLINE_MS = 2000
/** Four unanswered polls. */
const SILENT_MS_MAX = 5 * POLL_MS_MIN
const NTP_PORT = 123

interface Sample extends SourceReading {
  readonly atMs: number
}

interface Source {
  readonly server: string
  readonly host: string
  readonly port: number
  dueMs: number
  pollMs: number
  address: string | null
  resolvedMs: number
  /** DENY or RSTR: never again (RFC 5905 section 7.4). */
  denied: boolean
  samples: Sample[]
}

export interface SntpOptions {
  /** `host`, or `host:port`. */
  readonly servers: readonly string[]
  readonly clock: Clock
  readonly log: Log
}

export class Sntp {
  readonly #options: SntpOptions
  readonly #sources: Source[]
  #turning = false

  constructor(options: SntpOptions) {
    this.#options = options
    const nowMs = options.clock.monotonicMs()
    this.#sources = options.servers.map((server, index) => ({
      server,
      ...hostPort(server),
      // Not all in one moment.
      dueMs: nowMs + index * 1000,
      pollMs: POLL_MS_MIN,
      address: null,
      resolvedMs: 0,
      denied: false,
      samples: [],
    }))
  }

  /** Asks those that are due. Never rejects. */
  async turn(): Promise<void> {
    if (this.#turning) return
    this.#turning = true
    try {
      const nowMs = this.#options.clock.monotonicMs()
      const due = this.#sources.filter(source => !source.denied && source.dueMs <= nowMs)
      await Promise.all(due.map(source => this.#ask(source)))
    } finally {
      this.#turning = false
    }
  }

  /** Best samples of the servers that answer; nothing of those that fell silent. */
  readings(): SourceReading[] {
    const sinceMs = this.#options.clock.monotonicMs() - SILENT_MS_MAX
    return this.#sources.flatMap(({ samples }) => {
      const newest = samples.at(-1)
      if (newest === undefined || newest.atMs < sinceMs) return []
      const best = samples.reduce((a, b) => ((b.rttS ?? 0) < (a.rttS ?? 0) ? b : a))
      // The bits are news at once, the offset is best where the packet was quick.
      return [{ ...best, leap: newest.leap, stratum: newest.stratum }]
    })
  }

  async #ask(source: Source): Promise<void> {
    const { clock, log } = this.#options
    source.dueMs = clock.monotonicMs() + source.pollMs
    const address = await this.#addressOf(source)
    if (address === null) return
    const asked = await ask(address, source.port, clock)
    if (asked === null) {
      source.resolvedMs = 0
      return
    }
    const { answer, offsetS, rttS } = asked
    if (answer.kiss !== null) {
      log.warn('time-source-refuses', { server: source.server, kiss: answer.kiss })
      if (answer.kiss === 'RATE') source.pollMs = Math.min(POLL_MS_MAX, source.pollMs * 2)
      else source.denied = answer.kiss === 'DENY' || answer.kiss === 'RSTR'
      return
    }
    const { leap, stratum, rootDelayS, rootDispersionS } = answer
    const known = { server: source.server, leap, stratum, rootDelayS, rootDispersionS }
    source.samples.push({ ...known, offsetS, rttS, atMs: clock.monotonicMs() })
    if (source.samples.length > SAMPLES_MAX) source.samples.shift()
  }

  async #addressOf(source: Source): Promise<string | null> {
    const nowMs = this.#options.clock.monotonicMs()
    if (source.address !== null && nowMs - source.resolvedMs < ADDRESS_MS_MAX) return source.address
    try {
      const { address } = await lookup(source.host)
      if (address !== source.address) source.samples = []
      source.address = address
      source.resolvedMs = nowMs
      return address
    } catch {
      return null
    }
  }
}

export interface Asked {
  readonly answer: NonNullable<ReturnType<typeof readNtpAnswer>>
  /** This host's clock minus the server's. */
  readonly offsetS: number
  readonly rttS: number
}

/** One packet, one answer; null: none that is an answer to it in time. */
export async function ask(address: string, port: number, clock: Clock): Promise<Asked | null> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
  try {
    return await new Promise<Asked | null>(resolve => {
      const nonce = randomBytes(8)
      const end = setTimeout(resolve, DEADLINE_MS, null)
      let [sentWallMs, sentMs] = [0, 0]
      socket.on('error', () => {
        clearTimeout(end)
        resolve(null)
      })
      socket.on('message', packet => {
        const rttMs = clock.monotonicMs() - sentMs
        const answer = readNtpAnswer(packet, nonce, sentWallMs / 1000)
        if (answer === null || packet.length < NTP_PACKET_BYTES) return
        clearTimeout(end)
        // RFC 5905 section 8, the other way round; the time of receipt comes from the monotonic clock.
        const [t1, t4] = [sentWallMs / 1000, (sentWallMs + rttMs) / 1000]
        const offsetS = -(answer.receivedS - t1 + (answer.sentS - t4)) / 2
        const rttS = Math.max(0, rttMs / 1000 - (answer.sentS - answer.receivedS))
        resolve({ answer, offsetS, rttS })
      })
      socket.connect(port, address, () => {
        sentWallMs = clock.wallMs()
        sentMs = clock.monotonicMs()
        socket.send(writeNtpRequest(nonce))
      })
    })
  } finally {
    socket.close()
  }
}

export function hostPort(server: string): { host: string; port: number } {
  const match = /^\[?([^\]]+?)\]?:(\d{1,5})$/.exec(server)
  const isBareV6 = !server.startsWith('[') && server.split(':').length > 2
  if (match === null || isBareV6) return { host: server, port: NTP_PORT }
  return { host: match[1] ?? server, port: Number(match[2]) }
}
