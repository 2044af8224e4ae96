// Owns the bytes of box headers and integers for writing. It refuses integers that do not fit.
import { mediaFaults } from '../faults.ts'

export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}

export function u16Bytes(value: number): Uint8Array {
  return Uint8Array.of((value >>> 8) & 0xff, value & 0xff)
}

export function u32Bytes(value: number): Uint8Array {
  if (!Number.isInteger(value) || value < 0 || value > 0xffffffff) {
    throw mediaFaults.fault('media-cmaf-unwritable', `${value} does not fit 32 bits`)
  }
  return Uint8Array.of(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff)
}

/** Unsigned below 2^53. */
export function u64Bytes(value: number): Uint8Array {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw mediaFaults.fault('media-cmaf-unwritable', `${value} does not fit 53 bits`)
  }
  return joinBytes([u32Bytes(Math.floor(value / 2 ** 32)), u32Bytes(value % 2 ** 32)])
}

/** Characters up to U+00FF, one byte each. */
export function fourccBytes(type: string): Uint8Array {
  return Uint8Array.from(type, char => char.charCodeAt(0))
}

/** A box around its parts. */
export function boxOf(type: string, ...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = parts.reduce((sum, part) => sum + part.length, 8)
  return joinBytes([u32Bytes(bytes), fourccBytes(type), ...parts])
}

/** A full box: version and flags, then its parts. */
export function fullBoxOf(
  type: string,
  version: number,
  flags: number,
  ...parts: readonly Uint8Array[]
): Uint8Array {
  return boxOf(type, u32Bytes(version * 2 ** 24 + flags), ...parts)
}
