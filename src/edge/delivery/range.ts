// Owns byte ranges and validators of requests (RFC 9110 sections 13 and 14). Pure. More than one range is
// not worth a multipart answer: section 14.2 lets a server ignore it, and players never ask.

export type RangeAnswer =
  | { readonly kind: 'whole' }
  /** Both ends included. */
  | { readonly kind: 'part'; readonly first: number; readonly last: number }
  | { readonly kind: 'unsatisfiable' }

/** What part of `bytes` a Range field asks for. A field that is not understood is ignored. */
export function readRange(field: string | undefined, bytes: number): RangeAnswer {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(field?.trim() ?? '')
  if (match === null) return { kind: 'whole' }
  const [, from = '', to = ''] = match
  if (from === '') {
    // The last N bytes.
    if (to === '') return { kind: 'whole' }
    const suffix = Number(to)
    if (suffix === 0 || bytes === 0) return { kind: 'unsatisfiable' }
    return { kind: 'part', first: Math.max(0, bytes - suffix), last: bytes - 1 }
  }
  const first = Number(from)
  if (to !== '' && Number(to) < first) return { kind: 'whole' } // section 14.1.1: invalid, so ignored
  if (first >= bytes) return { kind: 'unsatisfiable' }
  return { kind: 'part', first, last: to === '' ? bytes - 1 : Math.min(Number(to), bytes - 1) }
}

/** Section 13.1.5: the range counts only while the validator is ours; a date never is. */
export function rangeStillHolds(ifRange: string | undefined, etag: string | null): boolean {
  return ifRange === undefined || (etag !== null && ifRange.trim() === etag)
}

/** Section 13.1.2, weak comparison: true when the client has what we would send. */
export function isUnchanged(ifNoneMatch: string | undefined, etag: string | null): boolean {
  if (ifNoneMatch === undefined || etag === null) return false
  if (ifNoneMatch.trim() === '*') return true
  return ifNoneMatch.split(',').some(tag => tag.trim().replace(/^W\//, '') === etag)
}
