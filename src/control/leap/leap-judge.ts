// Owns the judgement whether the fleet's hosts took a leap second together, so that fleet time has to follow. Pure: it is
// given what hosts say, and says by how much. It refuses to move for a minority, for a flag alone, for a host that nobody
// keeps, for less or more than a second, and for more than a second in a day.

/** What one host says; servers that share it say it once. */
export interface HostSays {
  readonly host: string
  /** Its wall clock minus fleet time; null: not known, or its servers contradict each other. */
  readonly offsetS: number | null
  /** Whether a time daemon keeps it. */
  readonly kept: boolean
  /** Its kernel, its daemon or one of its time servers announces: 1 a second is inserted, -1 one is left out, 0 none. */
  readonly announced: -1 | 0 | 1
}

export interface Follow {
  /** What fleet time goes by: -1000 after an inserted second. */
  readonly byMs: -1000 | 1000
  readonly agree: readonly string[]
  readonly of: number
  readonly announced: boolean
}

/** As TimeSourcesDisagree. */
const NEAR_S = 0.1
/** With fewer a majority may be one host; then only a second that was announced is believed, and by all of them. */
const HOSTS_MIN = 3
const HOLD_MS = 30_000
const HOLD_ANNOUNCED_MS = 10_000
/** A look that came late proves nothing of the time between. */
const LOOK_MS_MAX = 15_000
const DAY_MS = 86_400_000
/** Flags stand for a day before, and some servers repeat them for hours after. */
const ANNOUNCED_MS = 26 * 3_600_000
const FOLLOWED_MAX = 2

export class LeapJudge {
  #since: { readonly byMs: number; readonly ms: number } | null = null
  #lookedMs: number | null = null
  #announced = new Map<string, { readonly by: -1 | 1; readonly ms: number }>()
  #followed: { readonly byMs: number; readonly ms: number }[] = []

  /** `nowMs` by a monotonic clock. Not to be asked while fleet time is on its way. */
  look(nowMs: number, hosts: readonly HostSays[]): Follow | null {
    const isLate = this.#lookedMs === null || nowMs - this.#lookedMs > LOOK_MS_MAX
    this.#lookedMs = nowMs
    this.#remember(nowMs, hosts)
    const follow = this.#agreement(hosts)
    if (follow === null || !this.#mayGo(follow.byMs)) {
      this.#since = null
      return null
    }
    if (isLate || this.#since?.byMs !== follow.byMs) this.#since = { byMs: follow.byMs, ms: nowMs }
    const heldMs = nowMs - (this.#since?.ms ?? nowMs)
    if (heldMs < (follow.announced ? HOLD_ANNOUNCED_MS : HOLD_MS)) return null
    this.#since = null
    this.#followed.push({ byMs: follow.byMs, ms: nowMs })
    return follow
  }

  #remember(nowMs: number, hosts: readonly HostSays[]): void {
    for (const { host, announced } of hosts)
      if (announced !== 0) this.#announced.set(host, { by: announced, ms: nowMs })
    for (const [host, { ms }] of this.#announced) if (nowMs - ms > ANNOUNCED_MS) this.#announced.delete(host)
    this.#followed = this.#followed.filter(({ ms }) => nowMs - ms <= DAY_MS)
  }

  #agreement(hosts: readonly HostSays[]): Follow | null {
    const voters = hosts.filter(({ offsetS, kept }) => offsetS !== null && kept)
    for (const byMs of [-1000, 1000] as const) {
      const agree = voters.filter(({ offsetS }) => Math.abs((offsetS ?? 0) - byMs / 1000) <= NEAR_S)
      if (agree.length * 2 <= voters.length) continue
      // Back from a flag that was false, too, it may go as it came.
      const isBack = this.#followed.some(one => one.byMs === -byMs)
      const told = agree.filter(({ host }) => this.#announced.get(host)?.by === -Math.sign(byMs)).length
      const announced = isBack || told * 2 > agree.length
      const isEnough = voters.length >= HOSTS_MIN || (announced && agree.length === voters.length)
      if (isEnough) return { byMs, agree: agree.map(({ host }) => host), of: voters.length, announced }
    }
    return null
  }

  /** A second each way in a day: who has a majority of clocks in hand moves fleet time by no more. */
  #mayGo(byMs: number): boolean {
    const sum = this.#followed.reduce((all, one) => all + one.byMs, byMs)
    return Math.abs(sum) <= 1000 && this.#followed.length < FOLLOWED_MAX
  }
}
