// Owns since when each server is within its normal ranges, signal by signal: it looks all the time, also when nobody
// does. It refuses to change a word for one look alone: a value that crosses a border for a moment is no news.
import type { NormalAnswer, SignalWord, WallNormal } from '#wire'
import type { Fleet, ServerRecord } from '../fleet/fleet.ts'
import type { BandKeeper } from './band-keeper.ts'

/** A turn comes each 5 s: three edges and an origin are looked at in each, 200 edges in three minutes. */
const SERVERS_A_TURN = 6

type Word = 'ok' | 'out' | 'cannot-tell'
type Standing = NormalAnswer['servers'][number]

/** A word that holds, since when, and the one that was seen once since. */
class Settled<Value> {
  value: Value
  since: number
  #next: { readonly value: Value; readonly at: number } | null = null

  constructor(value: Value, at: number) {
    this.value = value
    this.since = at
  }

  see(value: Value, at: number): void {
    if (value === this.value) this.#next = null
    else if (this.#next?.value === value) {
      this.value = value
      this.since = this.#next.at
      this.#next = null
    } else this.#next = { value, at }
  }
}

interface Kept {
  readonly word: Settled<Word>
  readonly signals: Map<string, Settled<SignalWord>>
  standing: Standing
}

export interface NormalKeeperOptions {
  readonly bands: Pick<BandKeeper, 'check'>
  readonly fleet: Pick<Fleet, 'all' | 'get'>
  nowMs(this: void): number
}

export class NormalKeeper {
  readonly #options: NormalKeeperOptions
  readonly #kept = new Map<string, Kept>()
  #turn: readonly ServerRecord[] = []

  constructor(options: NormalKeeperOptions) {
    this.#options = options
  }

  async turn(): Promise<void> {
    const { fleet } = this.#options
    const wanted = fleet.all().filter(({ role }) => role === 'edge' || role === 'origin')
    const ids = new Set(wanted.map(({ id }) => id))
    for (const id of this.#kept.keys()) if (!ids.has(id)) this.#kept.delete(id)
    if (this.#turn.length === 0) this.#turn = wanted
    const now = this.#turn.slice(0, SERVERS_A_TURN)
    this.#turn = this.#turn.slice(SERVERS_A_TURN)
    for (const record of now) if (ids.has(record.id)) await this.look(record)
  }

  /** Looks at it now, and says since when it is so. */
  async look(record: ServerRecord): Promise<Standing> {
    const { bands, nowMs } = this.#options
    const standing = await bands.check(record, null)
    const at = nowMs()
    const kept = this.#kept.get(record.id)
    if (kept === undefined) {
      const signals = new Map(standing.signals.map(({ signal, word }) => [signal, new Settled(word, at)]))
      this.#kept.set(record.id, { word: new Settled<Word>(standing.word, at), signals, standing })
    } else {
      kept.word.see(standing.word, at)
      kept.standing = standing
      for (const { signal, word } of standing.signals) kept.signals.get(signal)?.see(word, at)
    }
    return this.#withSince(standing)
  }

  /** As it holds: for the wall. Null: not looked at yet. */
  wallOf(id: string): WallNormal | null {
    const kept = this.#kept.get(id)
    if (kept === undefined) return null
    const signals = kept.standing.signals.flatMap(({ signal, text }) => {
      const settled = kept.signals.get(signal)
      return settled === undefined ? [] : [{ signal, word: settled.value, since: settled.since, text }]
    })
    const short = kept.standing.signals.some(({ basis, word }) => basis === 'short baseline' && word === 'ok')
    return { word: kept.word.value, since: kept.word.since, short, signals }
  }

  #withSince(standing: Standing): Standing {
    const kept = this.#kept.get(standing.id)
    return {
      ...standing,
      ...(kept?.word.value === standing.word ? { since: kept.word.since } : {}),
      signals: standing.signals.map(view => {
        const settled = kept?.signals.get(view.signal)
        return settled?.value === view.word ? { ...view, since: settled.since } : view
      }),
    }
  }
}
