// Owns telling a certificate that is wrong from one that is only not valid at the time that a clock shows: a host whose
// clock is years off refuses everybody, and nobody else is at fault. Pure.
import { X509Certificate } from 'node:crypto'
import { messageOf } from './fault.ts'

/** What OpenSSL says, by code and in words, when nothing is wrong with a chain but its dates. */
const DATES = new Set(['CERT_NOT_YET_VALID', 'CERT_HAS_EXPIRED'])
const DATE_WORDS = /certificate (is not yet valid|has expired)/

/** Of an error of node:tls, or of `authorizationError`, which is a code or an error. */
export function isDateProblem(problem: unknown): boolean {
  const code = problem instanceof Error ? (problem as Error & { readonly code?: unknown }).code : problem
  return (
    (typeof code === 'string' && DATES.has(code)) ||
    DATE_WORDS.test(
      problem instanceof Error ? messageOf(problem) : typeof problem === 'string' ? problem : '',
    )
  )
}

/** From when to when a certificate in DER is valid, ms since 1970; null: it cannot be read. */
export function datesOf(der: Buffer): { readonly fromMs: number; readonly toMs: number } | null {
  try {
    const { validFrom, validTo } = new X509Certificate(der)
    return { fromMs: Date.parse(validFrom), toMs: Date.parse(validTo) }
  } catch {
    return null
  }
}

/** Whether it proves this name by one of these authorities, whatever the dates say. */
export function proves(der: Buffer, name: string, authorityPem: string): boolean {
  try {
    const leaf = new X509Certificate(der)
    if (leaf.checkHost(name) === undefined) return false
    return pemsOf(authorityPem).some(pem => {
      const authority = new X509Certificate(pem)
      return leaf.checkIssued(authority) && leaf.verify(authority.publicKey)
    })
  } catch {
    return false
  }
}

function pemsOf(text: string): string[] {
  return text.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? []
}

const UNITS = [
  [31_557_600, 'years'],
  [86_400, 'days'],
  [3600, 'h'],
  [60, 'min'],
  [1, 's'],
] as const

/** `10.0 years ahead`, `3 h behind`; of the host's clock minus fleet time, in seconds. */
export function clockWords(offsetS: number): string {
  const size = Math.abs(offsetS)
  const [unit, name] = UNITS.find(([seconds]) => size >= 2 * seconds) ?? [1, 's']
  const count = size / unit
  return `${count.toFixed(count < 100 ? 1 : 0).replace(/\.0$/, '')} ${name} ${offsetS < 0 ? 'behind' : 'ahead'}`
}
