// Owns what viewers of each edge felt while an incident lasted, and of those that it did not concern: the share of the
// time they wanted to watch that they waited. Read from the store; a store that cannot answer costs the words.
import type { ControlContext } from '../context.ts'

/** What viewers went through is told in batches. */
const WINDOW_S = 30
const STEPS_MAX = 240
const STEP_S_MIN = 5
/** What is still felt, or told late. */
const AFTER_MS = 15_000
const BEFORE_MS = 15_000
const EDGES_MAX = 12

export interface Felt {
  readonly server: string
  /** Per cent of the time that its viewers wanted to watch, in the worst half minute. */
  readonly worst: number
  /** Seconds that they waited in all. */
  readonly waitedS: number
  /** Per cent of the time that they wanted to watch that is estimated: those players tell nothing themselves. */
  readonly estimated: number
}

export async function feltIn(
  context: ControlContext,
  { openedAt, endAt }: { readonly openedAt: number; readonly endAt: number },
): Promise<Felt[]> {
  const to = Math.min(context.fleetTime.nowMs(), endAt + AFTER_MS)
  const spanS = Math.ceil((to - openedAt + BEFORE_MS) / 1000)
  const stepS = Math.max(STEP_S_MIN, Math.ceil(spanS / STEPS_MAX))
  const rate = (name: string): string =>
    `sum by (instance) (rate(vitrine_viewers_${name}_seconds_total[${WINDOW_S}s]))`
  const worst = await askAt(
    context,
    `max_over_time((100 * ${rate('rebuffering')} / (${rate('asked')} > 0))[${spanS}s:${stepS}s])`,
    to,
  )
  const waited = await askAt(
    context,
    `sum by (instance) (increase(vitrine_viewers_rebuffering_seconds_total[${spanS}s]))`,
    to,
  )
  const asked = (only: string): Promise<Map<string, number>> =>
    askAt(context, `sum by (instance) (increase(vitrine_viewers_asked_seconds_total${only}[${spanS}s]))`, to)
  const [all, estimated] = [await asked(''), await asked('{estimate="yes"}')]
  return [...worst]
    .filter(([server]) => server !== 'none')
    .map(([server, percent]) => ({
      server,
      worst: percent,
      waitedS: waited.get(server) ?? 0,
      estimated: share(estimated.get(server), all.get(server)),
    }))
    .toSorted((a, b) => b.worst - a.worst || a.server.localeCompare(b.server))
    .slice(0, EDGES_MAX)
}

function share(part = 0, whole = 0): number {
  return whole > 0 ? Math.min(100, (100 * part) / whole) : 0
}

/** By edge; what cannot be asked is not known. */
export async function askAt(
  { store, log }: Pick<ControlContext, 'store' | 'log'>,
  text: string,
  atMs: number,
): Promise<Map<string, number>> {
  const at = Math.floor(atMs)
  try {
    const { value } = await store.ask({ text, fromMs: at, toMs: at, stepMs: null })
    if (value.kind !== 'vector') return new Map()
    const known = value.items.filter(item => Number.isFinite(item.value))
    return new Map(known.map(item => [item.labels['instance'] ?? '', item.value]))
  } catch (error) {
    log.warn('incident-felt-missing', { error })
    return new Map()
  }
}
