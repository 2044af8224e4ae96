// Owns what one observer saw of one server lately. It remembers ten looks and when the last answer came.

import type { ProbeReport } from '#wire'

/** One attempt to reach a server. `atMs` is the control room's monotonic clock. */
export interface Look {
  readonly atMs: number
  /** TCP connect; null when it failed or was not tried (an agent looks from inside). */
  readonly connectMs: number | null
  /** To the last byte of GET /healthz; null without a 200 in time. */
  readonly httpMs: number | null
  readonly error: string | null
  /** Null: plain HTTP, or not come so far. */
  readonly tls?: ProbeReport['tls']
  readonly icmp?: ProbeReport['icmp']
  /** Its clock minus fleet time, to the second. */
  readonly clockOffsetS?: number | undefined
}

/** DESIGN judges over the last ten probes: ten seconds. */
const LOOKS_MAX = 10

export class ProbeLog {
  readonly #looks: Look[] = []
  #firstAtMs: number | null = null
  #okAtMs: number | null = null
  /** Undefined: not known since the last look. */
  #medianMs: number | null | undefined

  add(look: Look): void {
    this.#medianMs = undefined
    this.#firstAtMs ??= look.atMs
    if (look.httpMs !== null) this.#okAtMs = Math.max(look.atMs, this.#okAtMs ?? look.atMs)
    this.#looks.push(look)
    if (this.#looks.length > LOOKS_MAX) this.#looks.shift()
  }

  last(): Look | null {
    return this.#looks.at(-1) ?? null
  }

  okAtMs(): number | null {
    return this.#okAtMs
  }

  /** How long it has had no answer; since the first look when there never was one. */
  silentMs(nowMs: number): number {
    const since = this.#okAtMs ?? this.#firstAtMs
    return since === null ? 0 : Math.max(0, nowMs - since)
  }

  /** Of all answered looks that it remembers. */
  medianMs(): number | null {
    this.#medianMs ??= median(this.#looks.flatMap(({ httpMs }) => (httpMs === null ? [] : [httpMs])))
    return this.#medianMs
  }

  /** Those after `fromMs`: looks from before a recovery say nothing about the present. */
  looksSince(fromMs: number): readonly Look[] {
    return this.#looks.filter(look => look.atMs >= fromMs)
  }
}

/** Middle value; of an even number the higher one of the two: a server that is slow half of the time is slow. */
export function median(values: readonly number[]): number | null {
  if (values.length === 0) return null
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? null
}
