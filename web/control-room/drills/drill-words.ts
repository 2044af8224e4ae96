// Owns how a drill is put into words and figures on its page. Pure.
import type { DrillKind, DrillState, DrillTarget, DrillView, ShownState } from '#wire'

export const drillTitles: Readonly<Record<DrillKind, { readonly title: string; readonly text: string }>> = {
  'leap-second-2012': {
    title: 'The night of 30 June 2012',
    text: 'One edge freezes; on another, timers fire early and programs spin. The third carries everybody. About three minutes.',
  },
  'edge-frozen': {
    title: 'A frozen edge',
    text: 'One edge freezes and is mended by restart-edge. About two minutes.',
  },
  'clock-step': {
    title: 'A clock that jumps',
    text: 'The clock of one agent is put forward by 1.5 s, and back once it was found.',
  },
  'leap-flag-bogus': {
    title: 'A leap second that nobody plans',
    text: 'A time source of one agent announces one. It has to be found, explained and refused; nobody is moved.',
  },
}

/** As servers look: a shape and a word beside the colour. */
export const drillIcons: Readonly<Record<DrillState, ShownState>> = {
  running: 'draining',
  passed: 'healthy',
  failed: 'unreachable',
  stopped: 'maintenance',
  'broken-off': 'degraded',
}

export interface DrillFigure {
  readonly label: string
  readonly value: string
  /** Of whom, or of what. */
  readonly note: string
}

/** What a drill is judged by, at a glance; the slowest server stands for all. */
export function drillFigures({ targets, score }: DrillView): DrillFigure[] {
  const hurt = targets.filter(({ injectedAt }) => injectedAt !== null)
  const mended = hurt.filter(({ runbook }) => runbook !== null)
  const watched = mended.filter(({ viewers }) => viewers > 0)
  return [
    slowest('Found after', hurt, 'detectedAt', 'nothing was hurt'),
    slowest('Viewers moved after', watched, 'movedAt', 'nobody had to be moved'),
    slowest('Mended and back after', mended, 'returnedAt', 'nothing to mend'),
    ...(score === null ? [] : scoreFigures(score, targets)),
  ]
}

function slowest(
  label: string,
  targets: readonly DrillTarget[],
  key: 'detectedAt' | 'movedAt' | 'returnedAt',
  none: string,
): DrillFigure {
  if (targets.length === 0) return { label, value: '–', note: none }
  const took = targets.map(target => ({ server: target.server, s: secondsTo(target, key) }))
  const late = took.some(({ s }) => s === null)
  const value = late ? 'never' : `${Math.max(...took.map(({ s }) => s ?? 0)).toFixed(1)} s`
  const words = took.map(({ server, s }) => `${server} ${s === null ? 'never' : `${s.toFixed(1)} s`}`)
  return { label, value, note: took.length === 1 ? (took[0]?.server ?? '') : words.join(', ') }
}

function scoreFigures(
  score: NonNullable<DrillView['score']>,
  targets: readonly DrillTarget[],
): DrillFigure[] {
  const isSlow = targets.some(({ fault }) => fault === 'early-timers')
  const { viewerMinutesLost: lost, felt, clockMovedMs: moved } = score
  const apart = felt?.elsewhere == null ? null : felt.sick - felt.elsewhere
  return [
    {
      label: 'Viewer-minutes lost',
      value: lost === null ? '–' : lost.toFixed(2),
      note: lost === null ? 'not measured' : 'that viewers waited',
    },
    {
      label: 'Rebuffering apart',
      value: apart === null ? '–' : `${apart.toFixed(1)} points`,
      note:
        felt === undefined || apart === null
          ? isSlow
            ? 'nobody watched on both sides'
            : 'no edge of this drill is slow'
          : `${felt.server} ${felt.sick.toFixed(1)} %, others ${(felt.elsewhere ?? 0).toFixed(1)} %`,
    },
    {
      label: 'Machine’s clock moved',
      value: moved === null ? '–' : `${Math.abs(moved).toFixed(3)} ms`,
      note: moved === null ? 'could not be read' : 'against its monotonic clock',
    },
  ]
}

function secondsTo(target: DrillTarget, key: 'detectedAt' | 'movedAt' | 'returnedAt'): number | null {
  const at = target[key]
  return at === null || target.injectedAt === null ? null : Math.max(0, (at - target.injectedAt) / 1000)
}

export interface DrillStage {
  readonly title: string
  /** Null: not yet. */
  readonly at: number | null
}

/** How far a server is on its way from the fault to being back. */
export function stagesOf({
  injectedAt,
  detectedAt,
  movedAt,
  mendedAt,
  returnedAt,
  runbook,
  viewers,
  detectedBy,
}: DrillTarget): DrillStage[] {
  return [
    { title: 'Hurt', at: injectedAt },
    { title: detectedBy === null ? 'Found' : `Found by ${detectedBy}`, at: detectedAt },
    ...(runbook === null || (injectedAt !== null && viewers === 0)
      ? []
      : [{ title: 'Viewers moved', at: movedAt }]),
    ...(runbook === null ? [] : [{ title: `Mended by ${runbook}`, at: mendedAt }]),
    { title: runbook === null ? 'Explained and undone' : 'Back in service', at: returnedAt },
  ]
}
