// Owns who may see the wall on an edge: whoever has a token of this fleet, in a header or in a cookie that this edge made
// of one. A cookie holds no token, and ends when its token is taken away.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { hashToken, tokenOf } from '#link'

const COOKIE = 'vitrine-wall'
const COOKIE_S = 12 * 3600
const MAC_BYTES = 32
const SHAPE = /^([0-9a-f]{64})\.(\d{1,12})\.([A-Za-z0-9_-]{43})$/

export interface WallPassOptions {
  /** Whether a person's token has this SHA-256. */
  knows(this: void, sha256: string): boolean
  monotonicMs(this: void): number
}

export class WallPass {
  readonly #options: WallPassOptions
  /** Of this process: a restart asks again. */
  readonly #key: Buffer = randomBytes(32)

  constructor(options: WallPassOptions) {
    this.#options = options
  }

  admits(headers: {
    readonly authorization?: string | undefined
    readonly cookie?: string | undefined
  }): boolean {
    const token = tokenOf(headers.authorization)
    if (token !== null) return this.#options.knows(hashToken(token))
    const value = cookieOf(headers.cookie)
    const [, sha256 = '', untilS = '', mac = ''] = SHAPE.exec(value ?? '') ?? []
    if (sha256 === '') return false
    const given = Buffer.from(mac, 'base64url')
    const isOurs = given.length === MAC_BYTES && timingSafeEqual(given, this.#mac(sha256, untilS))
    return isOurs && Number(untilS) > this.#nowS() && this.#options.knows(sha256)
  }

  /** `Set-Cookie` for whoever gave this token; null: it is nobody's. */
  cookieFor(token: string, isSecure: boolean): string | null {
    const sha256 = hashToken(token)
    if (!this.#options.knows(sha256)) return null
    const until = String(this.#nowS() + COOKIE_S)
    const value = `${sha256}.${until}.${this.#mac(sha256, until).toString('base64url')}`
    return `${COOKIE}=${value}; Path=/wall; Max-Age=${COOKIE_S}; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`
  }

  #nowS(): number {
    return Math.floor(this.#options.monotonicMs() / 1000)
  }

  #mac(sha256: string, until: string): Buffer {
    return createHmac('sha256', this.#key).update(`${sha256}.${until}`).digest()
  }
}

function cookieOf(header: string | undefined): string | null {
  for (const part of (header ?? '').split(';')) {
    const [name, value] = part.trim().split('=')
    if (name === COOKIE && value !== undefined) return value
  }
  return null
}
