// Owns what a grant must be to prove whose session it is: a short-lived JWT (RFC 7519) that the operator's site signs with
// Ed25519 (EdDSA, RFC 8037) for one session of one stream. What proves nothing is counted by reason; nobody is refused media.
import { z } from 'zod'
import type { GrantRefusal } from '#wire'
import type { GrantKeys } from './grant-keys.ts'

/** An edge keeps no longer strings of a record. */
const CHARACTERS_MAX = 1024
/** The site's clock, and the way of a record. */
const LEEWAY_MS = 60_000
const LIFE_MS_MAX = 86_400_000
/** A signature takes 0.1 ms to check: floods of bad ones may cost a tenth of a core. */
const CHECKS_PER_SECOND = 1000

const header = z.object({ alg: z.literal('EdDSA'), kid: z.string().min(1).max(64) })
const claims = z.object({
  /** The viewer's reference. */
  sub: z.string().min(1).max(128),
  sid: z.string().min(1).max(64),
  /** Id of the title. */
  stream: z.string().min(1).max(128),
  /** Seconds since 1970. */
  exp: z.number().min(0).max(1e11),
})

export interface Granted {
  readonly reference: string
  readonly stream: string
}

export interface GrantUse {
  readonly sid: string
  /** Fleet time at which an edge took it. */
  readonly at: number
}

export class Grants {
  readonly totals: Partial<Record<GrantRefusal | 'proven', number>> = {}
  readonly #keys: GrantKeys
  readonly #monotonicMs: () => number
  #second = 0
  #checks = 0

  constructor(keys: GrantKeys, monotonicMs: () => number) {
    this.#keys = keys
    this.#monotonicMs = monotonicMs
  }

  /** What it grants, or why it proves nothing, which is counted. */
  check(text: string, use: GrantUse): Granted | GrantRefusal {
    const found = this.#read(text, use)
    if (typeof found === 'string') this.count(found)
    return found
  }

  count(result: GrantRefusal | 'proven'): void {
    this.totals[result] = (this.totals[result] ?? 0) + 1
  }

  #read(text: string, { sid, at }: GrantUse): Granted | GrantRefusal {
    const parts = text.split('.', 4)
    const [head = '', body = '', signature = ''] = parts
    if (text.length > CHARACTERS_MAX || parts.length !== 3) return 'malformed'
    const [read, claimed] = [header.safeParse(fromBase64(head)), claims.safeParse(fromBase64(body))]
    if (!read.success || !claimed.success) return 'malformed'
    const { sub, stream, exp, sid: granted } = claimed.data
    // Cheap ones first: what is refused here costs no signature.
    if (!this.#keys.has(read.data.kid)) return 'unknown-key'
    if (granted !== sid) return 'wrong-session'
    if (exp * 1000 + LEEWAY_MS < at) return 'expired'
    if (exp * 1000 > at + LIFE_MS_MAX + LEEWAY_MS) return 'lives-too-long'
    if (!this.#mayCheck()) return 'too-many'
    const isSigned = this.#keys.verify(read.data.kid, `${head}.${body}`, Buffer.from(signature, 'base64url'))
    return isSigned ? { reference: sub, stream } : 'bad-signature'
  }

  #mayCheck(): boolean {
    const second = Math.floor(this.#monotonicMs() / 1000)
    if (second !== this.#second) {
      this.#second = second
      this.#checks = 0
    }
    this.#checks += 1
    return this.#checks <= CHECKS_PER_SECOND
  }
}

function fromBase64(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
  } catch {
    return null
  }
}
