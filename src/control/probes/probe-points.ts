// Owns the series that looks at one server become. Pure. Above 20 edges a pair of edges has none: sums stand for them.
import type { Labels } from '#base'
import { CONTROL_ID, type ServerRecord } from '../fleet/fleet.ts'
import type { Look } from './probe-log.ts'

/** An older look is not told again as if it were new. */
const PROBE_AGE_MS_MAX = 3000

export interface ProbePoint {
  readonly name: string
  readonly value: number
  readonly labels: Labels
}

/** `pairs`: edges that look are named, each a label; else only the control room is. */
export function probePoints(
  { outside }: Pick<ServerRecord, 'outside'>,
  nowMs: number,
  pairs: boolean,
): ProbePoint[] {
  const points: ProbePoint[] = []
  const fresh = [...outside].flatMap(([observer, log]) => {
    const last = log.last()
    return last === null || nowMs - last.atMs > PROBE_AGE_MS_MAX ? [] : [{ observer, last }]
  })
  if (fresh.length === 0) return []
  for (const { observer, last } of fresh) {
    if (pairs || observer === CONTROL_ID) points.push(...lookPoints(observer, last))
  }
  const answered = fresh.filter(({ last }) => last.httpMs !== null).length
  points.push({ name: 'vitrine_probe_observers', value: answered, labels: { result: 'answered' } })
  points.push({
    name: 'vitrine_probe_observers',
    value: fresh.length - answered,
    labels: { result: 'failed' },
  })
  const days = fresh.flatMap(({ last }) => last.tls?.daysLeft ?? [])
  if (days.length > 0) {
    points.push({ name: 'vitrine_probe_certificate_days', value: Math.min(...days), labels: {} })
  }
  return points
}

function lookPoints(observer: string, { connectMs, tls, httpMs, icmp, clockOffsetS }: Look): ProbePoint[] {
  const points: ProbePoint[] = []
  const success = (check: string, is: boolean): void => {
    points.push({ name: 'vitrine_probe_success', value: Number(is), labels: { observer, check } })
  }
  const seconds = (name: string, ms: number | null | undefined): void => {
    if (ms != null) points.push({ name, value: ms / 1000, labels: { observer } })
  }
  success('connect', connectMs !== null)
  if (tls != null) success('tls', tls.ms !== null && tls.problem === null)
  success('http', httpMs !== null)
  // Not permitted is no answer about the server: there is no sample.
  if (icmp !== undefined && icmp.result !== 'not-permitted') success('icmp', icmp.result === 'answered')
  seconds('vitrine_probe_tls_seconds', tls?.ms)
  seconds('vitrine_probe_http_seconds', httpMs)
  seconds('vitrine_probe_ping_seconds', icmp?.ms)
  // Whose clock may be wrong itself says nothing of others' clocks.
  if (clockOffsetS !== undefined && observer === CONTROL_ID)
    points.push({ name: 'vitrine_probe_clock_offset_seconds', value: clockOffsetS, labels: { observer } })
  return points
}

/** A look at a stream comes every 10 to 30 s; older ones say nothing about now. */
const PLAY_AGE_MS_MAX = 60_000

export function playPoints(
  { plays }: Pick<ServerRecord, 'plays'>,
  nowMs: number,
  pairs: boolean,
): ProbePoint[] {
  const fresh = [...plays].flatMap(([observer, log]) => {
    const last = log.last()
    return last === null || nowMs - last.atMs > PLAY_AGE_MS_MAX ? [] : [{ observer, log, last }]
  })
  if (fresh.length === 0) return []
  const played = fresh.filter(({ last }) => last.ok).length
  const sums = [
    { name: 'vitrine_probe_players', value: played, labels: { result: 'played' } },
    { name: 'vitrine_probe_players', value: fresh.length - played, labels: { result: 'failed' } },
  ]
  const named = fresh.filter(({ observer }) => pairs || observer === CONTROL_ID)
  const each = named.flatMap(({ observer, log, last }) => {
    const labels = { observer }
    const speedRatio = log.speedRatio()
    return [
      { name: 'vitrine_probe_play_success', value: Number(last.ok), labels },
      ...(last.startMs === null
        ? []
        : [{ name: 'vitrine_probe_play_start_seconds', value: last.startMs / 1000, labels }]),
      ...(speedRatio === null ? [] : [{ name: 'vitrine_probe_play_speed_ratio', value: speedRatio, labels }]),
    ]
  })
  return [...sums, ...each]
}
