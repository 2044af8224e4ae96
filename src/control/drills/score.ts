// Owns the score of a drill: what was wanted, what came, one line each. Pure.
import { type CauseKind, type DrillMark, type DrillView } from '#wire'

/** Targets, in ms after the fault. */
const DETECT_MS_MAX = 10_000
const MOVE_MS_MAX = 60_000
const MEND_MS_MAX = 180_000
/** Nothing of a drill sets the clock; a time daemon that slews may move it by 500 ppm. */
const CLOCK_MS_MAX = 1
const SLEW_PPM = 500

export interface ScoreFacts {
  readonly drill: DrillView
  readonly cause: CauseKind
  /** Rings that went out because of it. */
  readonly rings: number
  /** By server: not within its normal range at the end, in words. */
  readonly out: readonly string[]
  readonly undone: string | null
  readonly viewerMinutesLost: number | null
  readonly clockMovedMs: number | null
  /** A daemon slews the clock. */
  readonly slews: boolean
  readonly tookMs: number
}

export function scoreOf(facts: ScoreFacts): NonNullable<DrillView['score']> {
  const { drill, viewerMinutesLost, clockMovedMs } = facts
  const marks = [
    ...drill.targets.flatMap(targetMarks),
    incidentMark(drill),
    causeMark(facts),
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
  }
}

function targetMarks(target: DrillView['targets'][number]): DrillMark[] {
  const { server, injectedAt, detectedAt, detectedBy, movedAt, returnedAt, runbook, viewers } = target
  const after = (at: number | null): number | null =>
    at === null || injectedAt === null ? null : at - injectedAt
  const marks = [
    within(
      `${server} found`,
      after(detectedAt),
      DETECT_MS_MAX,
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
  if (tookMs === null) return mark(name, false, `never; wanted ${wanted}`)
  return mark(name, tookMs <= maxMs, `after ${(tookMs / 1000).toFixed(1)} s${more}; wanted ${wanted}`)
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
  return mark('diagnosis', false, `wrong: ${said === '' ? 'none' : said}; it was ${cause}`)
}

function ringWords({ drill, rings }: ScoreFacts): string {
  if (rings === 0) return drill.ring ? 'nobody was rung, though it was to ring' : 'nobody was rung'
  return drill.ring ? `rang ${rings} times, as it was to` : `rang ${rings} times: a drill wakes nobody`
}

function clockMark({ clockMovedMs, slews, tookMs }: ScoreFacts): DrillMark {
  if (clockMovedMs === null) return mark('the machine’s clock', false, 'could not be read')
  const allowedMs = CLOCK_MS_MAX + (slews ? (tookMs * SLEW_PPM) / 1e6 : 0)
  const text = `moved by ${Math.abs(clockMovedMs).toFixed(3)} ms${slews ? ', a time daemon slews it' : ''}`
  return mark('the machine’s clock', Math.abs(clockMovedMs) < allowedMs, text)
}

function mark(name: string, ok: boolean, text: string): DrillMark {
  return { name, ok, text }
}
