// Owns the score of a drill: what was wanted, what came, one line each. Pure.
import type { CauseKind, DrillFelt, DrillMark, DrillView } from '#wire'

/** Targets, in ms after the fault. */
const DETECT_MS_MAX = 10_000
/** An agent asks a time server once in 64 s, and its rule is looked at each 10 s. */
const DETECT_FLAG_MS_MAX = 90_000
const MOVE_MS_MAX = 60_000
const MEND_MS_MAX = 180_000
/** Nothing of a drill sets the clock; a time daemon that slews may move it by 500 ppm. */
const CLOCK_MS_MAX = 1
const SLEW_PPM = 500
/** Per cent: a drill that hurts nobody rehearses nothing, and who was moved is well. */
const POINTS_MIN = 5
const AFTER_PERCENT_MAX = 0.5

export interface ScoreFacts {
  readonly drill: DrillView
  readonly cause: CauseKind
  /** Rings that went out because of it; of one that is not to ring, whatever went out. */
  readonly rings: number
  /** By server: not within its normal range at the end, in words. */
  readonly out: readonly string[]
  readonly undone: string | null
  readonly viewerMinutesLost: number | null
  /** Null: nobody watched, or nothing was to be felt. */
  readonly felt: DrillFelt | null
  /** Runbooks that were offered though there is nothing to mend. */
  readonly offered: readonly string[]
  readonly clockMovedMs: number | null
  /** A daemon slews the clock. */
  readonly slews: boolean
  readonly tookMs: number
}

export function scoreOf(facts: ScoreFacts): NonNullable<DrillView['score']> {
  const { drill, viewerMinutesLost, clockMovedMs } = facts
  const marks = [
    ...drill.targets.flatMap(targetMarks),
    ...canaryMarks(drill),
    ...feltMarks(facts.felt),
    incidentMark(drill),
    causeMark(facts),
    ...refusedMarks(facts),
    mark('ringing', drill.ring ? facts.rings > 0 : facts.rings === 0, ringWords(facts)),
    mark(
      'normal ranges',
      facts.out.length === 0,
      facts.out.length === 0 ? 'every server is within its normal ranges' : facts.out.join('; '),
    ),
    mark('undone', facts.undone === null, facts.undone ?? 'nothing of the drill is left'),
    clockMark(facts),
  ]
  return {
    points: marks.filter(({ ok }) => ok).length,
    of: marks.length,
    marks,
    viewerMinutesLost,
    clockMovedMs,
    ...(facts.felt === null ? {} : { felt: facts.felt }),
  }
}

function targetMarks(target: DrillView['targets'][number]): DrillMark[] {
  const { server, fault, injectedAt, detectedAt, detectedBy, movedAt, returnedAt, runbook, viewers } = target
  const after = (at: number | null): number | null =>
    at === null || injectedAt === null ? null : at - injectedAt
  const marks = [
    within(
      `${server} found`,
      after(detectedAt),
      fault === 'leap-flag' ? DETECT_FLAG_MS_MAX : DETECT_MS_MAX,
      detectedBy === null ? '' : ` by ${detectedBy}`,
    ),
  ]
  if (runbook === null) return marks
  if (viewers > 0) marks.push(within(`${server} viewers moved`, after(movedAt), MOVE_MS_MAX, ` (${viewers})`))
  marks.push(within(`${server} mended and back`, after(returnedAt), MEND_MS_MAX, ` by ${runbook}`))
  return marks
}

function within(name: string, tookMs: number | null, maxMs: number, more: string): DrillMark {
  const wanted = `at most ${maxMs / 1000} s`
  if (tookMs === null) return mark(name, false, 'never', wanted)
  return mark(name, tookMs <= maxMs, `after ${(tookMs / 1000).toFixed(1)} s${more}`, wanted)
}

function feltMarks(felt: DrillFelt | null): DrillMark[] {
  if (felt === null) return []
  const { sick, elsewhere, after } = felt
  return [
    mark(
      'viewers felt it',
      elsewhere !== null && sick - elsewhere >= POINTS_MIN,
      feltWords({ ...felt, after: null }),
      `at least ${POINTS_MIN} points apart`,
    ),
    mark(
      'viewers after the move',
      after !== null && after < AFTER_PERCENT_MAX,
      after === null ? 'nobody was moved' : `waited ${after.toFixed(2)} % of the time they wanted to watch`,
      `less than ${AFTER_PERCENT_MAX} %`,
    ),
  ]
}

/** What has nothing to be mended: nothing is done to it. */
function refusedMarks({ drill, offered }: ScoreFacts): DrillMark[] {
  return drill.targets
    .filter(({ fault }) => fault === 'leap-flag')
    .flatMap(({ server, movedAt, viewers }) => [
      mark(
        'refused',
        offered.length === 0,
        offered.length === 0 ? 'no runbook was offered, no clock was set' : `offered: ${offered.join(', ')}`,
      ),
      mark(
        `${server} keeps its viewers`,
        viewers === 0 || movedAt === null,
        viewers === 0 ? 'nobody watched' : movedAt === null ? `${viewers} stayed` : 'they were moved',
      ),
    ])
}

/** What viewers felt, in one sentence. */
export function feltWords({ server, sick, elsewhere, after }: DrillFelt): string {
  const apart =
    elsewhere === null
      ? 'nobody watched elsewhere'
      : `those of other edges ${elsewhere.toFixed(1)} %: ${(sick - elsewhere).toFixed(1)} points apart`
  const rest = after === null ? '' : `; after the move all viewers waited ${after.toFixed(2)} %`
  return `while ${server} was sick, its viewers waited ${sick.toFixed(1)} % of the time they wanted to watch, ${apart}${rest}`
}

function incidentMark({ incidents }: DrillView): DrillMark {
  const ids = incidents.map(({ id }) => id).join(', ')
  if (incidents.length === 1) return mark('one incident', true, ids)
  return mark(
    'one incident',
    false,
    incidents.length === 0 ? 'none was opened' : `${incidents.length} were opened: ${ids}`,
  )
}

function causeMark({ drill, cause }: ScoreFacts): DrillMark {
  const right = drill.incidents.find(one => one.cause === cause)
  if (right !== undefined) return mark('diagnosis', true, right.causeText)
  const said = drill.incidents.map(one => `${one.cause}: ${one.causeText}`).join('; ')
  return mark('diagnosis', false, said === '' ? 'none' : said, cause)
}

function ringWords({ drill, rings }: ScoreFacts): string {
  if (rings === 0) return drill.ring ? 'nobody was rung, though it was to ring' : 'nobody was told'
  const times = `${rings} ${rings === 1 ? 'time' : 'times'}`
  return drill.ring ? `rang ${times}, as it was to` : `people were told ${times}: a drill tells nobody`
}

function clockMark({ clockMovedMs, slews, tookMs }: ScoreFacts): DrillMark {
  if (clockMovedMs === null) return mark('the machine’s clock', false, 'could not be read')
  const allowedMs = CLOCK_MS_MAX + (slews ? (tookMs * SLEW_PPM) / 1e6 : 0)
  const text = `moved by ${Math.abs(clockMovedMs).toFixed(3)} ms${slews ? ', a time daemon slews it' : ''}`
  return mark(
    'the machine’s clock',
    Math.abs(clockMovedMs) < allowedMs,
    text,
    `less than ${Number(allowedMs.toFixed(3))} ms`,
  )
}

/** Several servers of one runbook: the first is back before the next is touched. One server has no canary. */
function canaryMarks({ targets, runs = [] }: DrillView): DrillMark[] {
  return runs.flatMap(({ runbook, servers, canary }) => {
    if (canary === null) return []
    const back = targets.find(({ server }) => server === canary)?.returnedAt ?? null
    const others = servers.filter(id => id !== canary)
    const firstMs = Math.min(
      ...targets.flatMap(({ server, mendedAt }) => (others.includes(server) ? (mendedAt ?? []) : [])),
    )
    const ok = back !== null && back <= firstMs
    const text = ok
      ? `${canary} was back before ${others.join(', ')} was mended`
      : `${canary} was not back before ${others.join(', ')}`
    return [mark(`canary of ${runbook}`, ok, text, `${canary} back first`)]
  })
}

function mark(name: string, ok: boolean, text: string, wanted?: string): DrillMark {
  return { name, ok, text, ...(wanted === undefined ? {} : { wanted }) }
}

/** What came and what was wanted, as the command says it. */
export function markWords({ name, text, wanted }: DrillMark): string {
  return `${name}: ${text}${wanted === undefined ? '' : `; wanted ${wanted}`}`
}
