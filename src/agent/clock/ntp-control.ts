// Owns asking ntpd or ntpsec for its system variables: mode 6, operation READVAR (RFC 9327, appendix of RFC 1305).
import { createSocket } from 'node:dgram'
import { type DaemonReading, leapIndicator } from './time-source.ts'

const VERSION_2_MODE_6 = 0x16
const READVAR = 2
const RESPONSE_BIT = 0x80
const ERROR_BIT = 0x40
const MORE_BIT = 0x20
const HEADER_BYTES = 12
const FRAGMENTS_MAX = 8
const TEXT_BYTES_MAX = 8 * 1024
const DEADLINE_MS = 1000

/** One part of an answer: its place in the text, and whether more follow. Null: none to this request. */
export function readControlPart(
  packet: Buffer,
  sequence: number,
): { readonly offset: number; readonly data: Buffer; readonly more: boolean } | null {
  if (packet.length < HEADER_BYTES || ((packet[0] ?? 0) & 7) !== 6) return null
  const operation = packet.readUInt8(1)
  if ((operation & RESPONSE_BIT) === 0 || (operation & ERROR_BIT) !== 0 || (operation & 0x1f) !== READVAR)
    return null
  if (packet.readUInt16BE(2) !== sequence) return null
  const [offset, count] = [packet.readUInt16BE(8), packet.readUInt16BE(10)]
  if (packet.length < HEADER_BYTES + count || offset + count > TEXT_BYTES_MAX) return null
  return {
    offset,
    data: packet.subarray(HEADER_BYTES, HEADER_BYTES + count),
    more: (operation & MORE_BIT) !== 0,
  }
}

/** `stratum=2, offset=0.123, leap=00, ...`: offsets and delays in milliseconds. Null: what matters is missing. */
export function readNtpVariables(text: string): DaemonReading | null {
  const values = new Map<string, string>()
  for (const [, name, quoted, plain] of text.matchAll(/([a-z_]{1,32})=(?:"([^"]{0,256})"|([^,\s]{0,64}))/g)) {
    if (name !== undefined) values.set(name, quoted ?? plain ?? '')
  }
  const number = (name: string): number => Number.parseFloat(values.get(name) ?? '')
  const [stratum, offset, delay, dispersion] = ['stratum', 'offset', 'rootdelay', 'rootdisp'].map(number) as [
    number,
    number,
    number,
    number,
  ]
  if (![stratum, offset, delay, dispersion].every(Number.isFinite)) return null
  const leapText = values.get('leap') ?? ''
  const frequency = number('frequency')
  return {
    daemon: 'ntp',
    stratum,
    // Two binary digits.
    leap: leapIndicator(Number.parseInt(leapText, 2)),
    // ntpd tells what it has to add: the other way round.
    offsetS: -offset / 1000,
    rootDelayS: delay / 1000,
    rootDispersionS: dispersion / 1000,
    frequencyPpm: Number.isFinite(frequency) ? frequency : null,
  }
}

/** Asks the daemon of this host. Null: none answers in time, or not in this way. Never rejects. */
export async function askNtpDaemon(port = 123, host = '127.0.0.1'): Promise<DaemonReading | null> {
  const socket = createSocket('udp4')
  const sequence = 1
  try {
    return await new Promise<DaemonReading | null>(resolve => {
      const end = setTimeout(resolve, DEADLINE_MS, null)
      const text = Buffer.alloc(TEXT_BYTES_MAX)
      let [parts, length, wanted] = [0, 0, -1]
      const finish = (reading: DaemonReading | null): void => {
        clearTimeout(end)
        resolve(reading)
      }
      socket.on('error', () => finish(null))
      socket.on('message', packet => {
        const part = readControlPart(packet, sequence)
        parts += 1
        if (part === null || parts > FRAGMENTS_MAX) return
        part.data.copy(text, part.offset)
        length += part.data.length
        if (!part.more) wanted = part.offset + part.data.length
        if (length === wanted) finish(readNtpVariables(text.toString('latin1', 0, length)))
      })
      const request = Buffer.alloc(HEADER_BYTES)
      request[0] = VERSION_2_MODE_6
      request[1] = READVAR
      request.writeUInt16BE(sequence, 2)
      socket.connect(port, host, () => socket.send(request))
    })
  } finally {
    socket.close()
  }
}
