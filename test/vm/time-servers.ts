// Owns two time servers outside the guest with a time of their own that nobody sets, which announce a leap second and make
// it: NTP as chronyd and the agent ask it, on loopback.
import { createSocket, type Socket } from 'node:dgram'
import type { AddressInfo } from 'node:net'

const PACKET_BYTES = 48
/** Between 1900 and 1970. */
const ERA_S = 2_208_988_800
const SECOND_MS = 1000
const VERSION_4_SERVER = (4 << 3) | 4
const INSERT = 1 << 6

export class LeapTime {
  readonly #leapAtMs: number
  readonly #zeroMs: number

  /** `leapAtMs`: the midnight before which a second is inserted; it is `leadMs` away. */
  constructor(leapAtMs: number, leadMs: number) {
    this.#leapAtMs = leapAtMs
    this.#zeroMs = leapAtMs - leadMs - performance.now()
  }

  get isBefore(): boolean {
    return this.nowMs < this.#leapAtMs && !this.#isOver
  }

  /** UTC as clocks show it: the last second of the day twice. */
  get nowMs(): number {
    const ms = this.#zeroMs + performance.now()
    return this.#isOver ? ms - SECOND_MS : ms
  }

  /** Without the leap second. */
  get #isOver(): boolean {
    return this.#zeroMs + performance.now() >= this.#leapAtMs
  }

  /** By how much this time stands from the machine's, before the leap second. */
  get fromHereMs(): number {
    return this.#zeroMs + performance.now() - Date.now()
  }
}

export interface TimeServer {
  readonly port: number
  readonly answered: () => number
  close(): Promise<void>
}

export async function startTimeServer(time: LeapTime, stratum: number): Promise<TimeServer> {
  const socket = createSocket('udp4')
  let answered = 0
  socket.on('message', (packet, from) => {
    const receivedMs = time.nowMs
    if (packet.length < PACKET_BYTES) return
    answered += 1
    socket.send(answerTo(packet, receivedMs, time, stratum), from.port, from.address)
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject)
    socket.bind(0, '127.0.0.1', resolve)
  })
  const address: AddressInfo = socket.address()
  return { port: address.port, answered: () => answered, close: () => closed(socket) }
}

function closed(socket: Socket): Promise<void> {
  return new Promise(resolve => socket.close(() => resolve()))
}

/** RFC 5905, figure 8. */
function answerTo(request: Buffer, receivedMs: number, time: LeapTime, stratum: number): Buffer {
  const answer = Buffer.alloc(PACKET_BYTES)
  answer[0] = VERSION_4_SERVER | (time.isBefore ? INSERT : 0)
  answer[1] = stratum
  answer[2] = request[2] ?? 0
  answer.writeInt8(-20, 3)
  answer.writeUInt32BE(Math.round(0.001 * 65_536), 8)
  answer.write('TEST', 12, 'latin1')
  stamp(answer, 16, receivedMs - SECOND_MS)
  request.copy(answer, 24, 40, 48)
  stamp(answer, 32, receivedMs)
  stamp(answer, 40, time.nowMs)
  return answer
}

function stamp(packet: Buffer, at: number, ms: number): void {
  const seconds = Math.floor(ms / SECOND_MS)
  packet.writeUInt32BE((seconds + ERA_S) % 2 ** 32, at)
  packet.writeUInt32BE(Math.floor(((ms / SECOND_MS) % 1) * 2 ** 32), at + 4)
}
