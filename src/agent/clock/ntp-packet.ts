// Owns NTP's packets as a client needs them: a request, and the answer with its four timestamps (RFC 5905 section 7.3).
import { type LeapIndicator, leapIndicator } from './time-source.ts'

export const NTP_PACKET_BYTES = 48
const CLIENT_V4 = 0x23 // LI 0, version 4, mode 3
const SERVER_MODE = 4
const NTP_EPOCH_S = 2_208_988_800 // 1970 in seconds since 1900
const ERA_S = 2 ** 32
const SHORT = 65_536

export interface NtpAnswer {
  readonly leap: LeapIndicator
  readonly stratum: number
  /** Four letters of a kiss-o'-death (RFC 5905 section 7.4); null: it is none. */
  readonly kiss: string | null
  readonly rootDelayS: number
  readonly rootDispersionS: number
  /** The server's clock at receipt and at sending, seconds since 1970. */
  readonly receivedS: number
  readonly sentS: number
}

/** `nonce`: eight bytes that the answer repeats, in place of our time, which is nobody's business. */
export function writeNtpRequest(nonce: Buffer): Buffer {
  const packet = Buffer.alloc(NTP_PACKET_BYTES)
  packet[0] = CLIENT_V4
  nonce.copy(packet, 40, 0, 8)
  return packet
}

/** Null: not the answer to this request. `nearS`: what the era of the timestamps is chosen by, seconds since 1970. */
export function readNtpAnswer(packet: Buffer, nonce: Buffer, nearS: number): NtpAnswer | null {
  if (packet.length < NTP_PACKET_BYTES || ((packet[0] ?? 0) & 7) !== SERVER_MODE) return null
  if (!packet.subarray(24, 32).equals(nonce.subarray(0, 8))) return null
  const stratum = packet.readUInt8(1)
  const receivedS = readStamp(packet, 32, nearS)
  const sentS = readStamp(packet, 40, nearS)
  return {
    leap: leapIndicator(packet.readUInt8(0) >> 6),
    stratum,
    kiss: stratum === 0 ? packet.toString('latin1', 12, 16).replaceAll(/[^A-Z]/g, '') : null,
    rootDelayS: packet.readUInt32BE(4) / SHORT,
    rootDispersionS: packet.readUInt32BE(8) / SHORT,
    receivedS,
    sentS,
  }
}

/** 32 bits of seconds since 1900 turn over in 2036: the era that lies nearest is meant (RFC 5905 section 6). */
function readStamp(packet: Buffer, at: number, nearS: number): number {
  const seconds = packet.readUInt32BE(at) - NTP_EPOCH_S
  const era = Math.round((nearS - seconds) / ERA_S)
  return seconds + era * ERA_S + packet.readUInt32BE(at + 4) / ERA_S
}
