// Owns the RFC 6381 strings that CODECS carries, from the configuration boxes. It refuses configurations too short
// to name a codec.
import type { Cursor } from './cursor.ts'

/** `avc1.64001f` (ISO 14496-15 annex E.2). */
export function avcCodec(format: string, avcC: Cursor): string {
  avcC.skip(1)
  return `${format}.${[avcC.u8(), avcC.u8(), avcC.u8()].map(hex2).join('')}`
}

/** `hvc1.1.6.L93.B0` (ISO 14496-15 annex E.3). */
export function hevcCodec(format: string, hvcC: Cursor): string {
  hvcC.skip(1)
  const profile = hvcC.u8()
  const compatibility = hvcC.u32()
  const constraints = Array.from(hvcC.bytes(6))
  const level = hvcC.u8()
  while (constraints.at(-1) === 0) constraints.pop()
  const space = ['', 'A', 'B', 'C'][profile >>> 6] ?? ''
  const tier = (profile & 0x20) === 0 ? 'L' : 'H'
  return [
    format,
    `${space}${profile & 31}`,
    reverseBits(compatibility).toString(16).toUpperCase(),
    `${tier}${level}`,
    ...constraints.map(byte => byte.toString(16).toUpperCase()),
  ].join('.')
}

/** `av01.0.04M.08` (AV1 in ISOBMFF section 5). */
export function av1Codec(av1C: Cursor): string {
  av1C.skip(1)
  const profile = av1C.u8()
  const flags = av1C.u8()
  const level = String(profile & 31).padStart(2, '0')
  const tier = (flags & 0x80) === 0 ? 'M' : 'H'
  const depth = (flags & 0x40) === 0 ? '08' : (flags & 0x20) !== 0 && profile >>> 5 === 2 ? '12' : '10'
  return `av01.${profile >>> 5}.${level}${tier}.${depth}`
}

/** `vp09.00.31.08` (VP codec ISOBMFF binding; the first three fields are mandatory). */
export function vp9Codec(vpcC: Cursor): string {
  vpcC.fullBox()
  const two = (value: number): string => String(value).padStart(2, '0')
  const profile = vpcC.u8()
  const level = vpcC.u8()
  const depth = vpcC.u8() >>> 4
  // Level 0 means that the writer did not know it; players refuse it, so the lowest one stands in.
  return `vp09.${two(profile)}.${two(level === 0 ? 10 : level)}.${two(depth === 0 ? 8 : depth)}`
}

/** `mp4a.40.2`, or `mp4a.6b` for MP3. */
export function mp4aCodec(objectType: number, audioObjectType: number | null): string {
  const suffix = audioObjectType === null ? '' : `.${audioObjectType}`
  return `mp4a.${hex2(objectType)}${suffix}`
}

function hex2(byte: number): string {
  return byte.toString(16).padStart(2, '0')
}

function reverseBits(word: number): number {
  let reversed = 0
  for (let bit = 0; bit < 32; bit += 1) reversed = (reversed << 1) | ((word >>> bit) & 1)
  return reversed >>> 0
}
