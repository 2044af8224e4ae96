// Owns the join string: one line to paste on a new machine. Pure. It refuses what is cut or changed.
import { createHash } from 'node:crypto'
import { trustFaults } from './faults.ts'

export interface JoinString {
  /** The control room as the new machine reaches it. */
  readonly controlUrl: string
  /** Works once, until it expires. */
  readonly token: string
  /** SHA-256 of the authority's public key, base64url; null: the control room has a public certificate. */
  readonly pin: string | null
}

const PREFIX = 'vitrine-join.'
const TEXT_MAX = 2048
const CHECK_CHARACTERS = 8

/** `vitrine-join.<base64url of JSON>.<first characters of its SHA-256>`. */
export function writeJoinString({ controlUrl, token, pin }: JoinString): string {
  const body = Buffer.from(JSON.stringify([controlUrl, token, pin])).toString('base64url')
  return `${PREFIX}${body}.${checkOf(body)}`
}

export function readJoinString(text: string): JoinString {
  const trimmed = text.trim()
  const [body, check, ...rest] = trimmed.startsWith(PREFIX) ? trimmed.slice(PREFIX.length).split('.') : []
  if (body === undefined || check === undefined || rest.length > 0 || trimmed.length > TEXT_MAX) {
    throw invalid(`expected ${PREFIX}... in one piece, found ${JSON.stringify(trimmed.slice(0, 24))}`)
  }
  if (checkOf(body) !== check) throw invalid('it was cut or changed on its way: the check does not match')
  const parts = parseParts(body)
  if (parts === null) throw invalid('it was made by another version')
  const [controlUrl, token, pin] = parts
  return { controlUrl, token, pin }
}

function parseParts(body: string): [string, string, string | null] | null {
  try {
    const parts: unknown = JSON.parse(Buffer.from(body, 'base64url').toString('utf8'))
    if (!Array.isArray(parts) || parts.length !== 3) return null
    const [controlUrl, token, pin] = parts as unknown[]
    const isUrl = typeof controlUrl === 'string' && /^https?:/.test(controlUrl) && URL.canParse(controlUrl)
    if (!isUrl || typeof token !== 'string' || (pin !== null && typeof pin !== 'string')) return null
    return [controlUrl, token, pin]
  } catch {
    return null
  }
}

function checkOf(body: string): string {
  return createHash('sha256').update(body).digest('base64url').slice(0, CHECK_CHARACTERS)
}

function invalid(problem: string): Error {
  return trustFaults.fault('trust-join-string-invalid', `the join string cannot be read: ${problem}`)
}
