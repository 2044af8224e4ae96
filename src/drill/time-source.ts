// Owns a time server of a drill: it tells this machine's own time, and announces a leap second when it is told to. It
// answers on loopback only, and sets no clock: who asks it only looks.
import { createSocket, type Socket } from 'node:dgram'
import { readClockNs } from '#base'

const PACKET_BYTES = 48
const NTP_EPOCH_S = 2_208_988_800n // 1970 in seconds since 1900
const NS_PER_S = 1_000_000_000n
/** Version 4, mode 4 (RFC 5905 section 7.3); the leap indicator stands in the two bits above. */
const SERVER_V4 = 0x24
const STRATUM = 2

export class DrillTimeSource {
  readonly #socket: Socket
  #announces = false

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('message', (request, { address, port }) => {
      if (request.length < PACKET_BYTES) return
      socket.send(answerTo(request, this.#announces), port, address, () => undefined)
    })
    // A client that has gone is no problem of a drill.
    socket.on('error', () => undefined)
    socket.unref()
  }

  static async open(): Promise<DrillTimeSource> {
    const socket = createSocket('udp4')
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject)
      socket.bind(0, '127.0.0.1', () => resolve())
    })
    return new DrillTimeSource(socket)
  }

  /** `host:port`, as agents are told of time servers. */
  get address(): string {
    return `127.0.0.1:${this.#socket.address().port}`
  }

  /** Whether it says that the last minute of this UTC day has 61 seconds (LI 1). */
  announce(on: boolean): void {
    this.#announces = on
  }

  close(): void {
    this.#socket.close()
  }
}

function answerTo(request: Buffer, announces: boolean): Buffer {
  const answer = Buffer.alloc(PACKET_BYTES)
  answer.writeUInt8(SERVER_V4 | (announces ? 0x40 : 0), 0)
  answer.writeUInt8(STRATUM, 1)
  answer.writeInt8(-20, 3)
  const now = readClockNs('realtime') ?? 0n
  writeStamp(answer, 16, now)
  request.copy(answer, 24, 40, 48)
  writeStamp(answer, 32, now)
  writeStamp(answer, 40, readClockNs('realtime') ?? now)
  return answer
}

function writeStamp(packet: Buffer, at: number, ns: bigint): void {
  packet.writeUInt32BE(Number((ns / NS_PER_S + NTP_EPOCH_S) % 2n ** 32n), at)
  packet.writeUInt32BE(Number(((ns % NS_PER_S) * 2n ** 32n) / NS_PER_S), at + 4)
}
