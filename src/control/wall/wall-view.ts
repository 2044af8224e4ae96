// Owns what one server's row of the wall says of it, put together from its record and its newest figures. Pure.
import type { Evidence, ServerView, WallNormal, WallRebuffering, WallRow, WallWitness } from '#wire'

const KINDS = ['inside', 'outside', 'viewers'] as const

/** Of one server; null: not measured. */
export interface WallFigures {
  readonly throughputBps: number | null
  readonly clockOffsetS: number | null
  readonly rebuffering: WallRebuffering | null
  readonly cpu: readonly (number | null)[]
}

export function wallRowOf(server: ServerView, figures: WallFigures, normal: WallNormal | null): WallRow {
  const { id, region, state, reason, since, watching, tags, evidence } = server
  return {
    id,
    name: tags.name ?? id,
    region,
    state,
    reason,
    since,
    watching,
    watchingEstimated: server.watchingEstimated ?? 0,
    watchingSimulated: server.watchingSimulated ?? 0,
    throughputBps: figures.throughputBps,
    capacityBps: tags.capacityBps ?? null,
    rebuffering: figures.rebuffering,
    cpu: [...figures.cpu],
    clockOffsetS: figures.clockOffsetS,
    normal,
    witnesses: KINDS.map(kind =>
      together(
        kind,
        evidence.filter(word => (word.kind === 'playing' ? 'outside' : word.kind) === kind),
      ),
    ),
  }
}

/** Three dots a row: what all witnesses of a kind say together; where one stands alone, in its own words. */
export function together(kind: WallWitness['kind'], words: readonly Evidence[]): WallWitness {
  const [first] = words
  if (first === undefined) return { kind, says: 'unknown', text: nobody(kind), at: null }
  const at = Math.max(...words.map(word => word.at))
  if (words.every(({ unsure }) => unsure)) return { kind, says: 'unknown', text: first.text, at }
  const against = words.filter(word => !word.ok)
  const says = against.length === 0 ? 'for' : against.length === words.length ? 'against' : 'divided'
  if (words.length === 1) return { kind, says, text: first.text, at }
  const doubt = against[0] === undefined ? '' : `; ${against[0].witness}: ${against[0].text}`
  return { kind, says, text: `${words.length - against.length} of ${words.length} speak for it${doubt}`, at }
}

function nobody(kind: WallWitness['kind']): string {
  if (kind === 'inside') return 'its agent has not been heard'
  return kind === 'outside' ? 'nobody has looked at it from outside' : 'nothing is known from its viewers'
}
