// Owns the stale marker: a NaN of one bit pattern by which a sender says that a series has ended.
// It refuses to be a constant: an optimising compiler may replace a constant NaN by the common one.
// See https://prometheus.io/docs/specs/prw/remote_write_spec/#stale-markers (0x7ff0000000000002)

const scratch = new Float64Array(1)
const words = new Uint32Array(scratch.buffer)
const LOW = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 0 : 1
const HIGH = 1 - LOW

const marker = new Float64Array(1)
const markerWords = new Uint32Array(marker.buffer)
markerWords[HIGH] = 0x7ff00000
markerWords[LOW] = 2

/** The value that ends a series. */
export function staleMarker(): number {
  return marker[0] ?? Number.NaN
}

/** True for the marker, also when a processor has made it a quiet NaN (0x7ff8000000000002) on its way. */
export function isStale(value: number): boolean {
  if (!Number.isNaN(value)) return false
  scratch[0] = value
  return words[LOW] === 2 && ((words[HIGH] ?? 0) & 0x7ff7ffff) === 0x7ff00000
}
