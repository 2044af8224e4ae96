// Owns the fleet as it was at a moment: the log of states, what people had ordered, and the samples of that moment put
// together in the shapes of the present. What is not stored is null or `unknown`, never what is true now.
import type { PastMoment, ProbeCell, ProbesAnswer, ServerView } from '#wire'
import type { ControlContext } from '../context.ts'
import { controlFaults } from '../faults.ts'
import { CONTROL_ID, THIS_ONE } from '../fleet/fleet.ts'
import type { PastServer } from '../state/past.ts'
import { isOutdated, PLAY_AGE_MS, pastEvidence, playText, probedAt, probesOf } from './past-evidence.ts'
import { type PastFigures, readPastFigures } from './past-figures.ts'

/** Two clocks that agree differ by less. */
const AHEAD_MS_MAX = 1000
const NOT_SEEN = 'enrolled, not seen yet'

export interface PastFleet {
  readonly moment: PastMoment
  readonly servers: readonly ServerView[]
  readonly figures: PastFigures
}

type Parts = Pick<ControlContext, 'state' | 'store' | 'fleetTime' | 'log' | 'region'>

/** Faults: the moment is yet to come. */
export async function fleetAt(parts: Parts, at: number): Promise<PastFleet> {
  checkPast(parts, at)
  const { state, store, log } = parts
  const figures = await readPastFigures(store, Math.floor(at), log)
  const { oldestMs } = store.stats()
  const isKept = oldestMs !== null && at >= oldestMs
  const watched = figures.present.size > 0 ? 'yes' : isKept ? 'no' : 'not-kept'
  const moment: PastMoment = { at, watched }
  const enrolled = await state.past.serversAt(at)
  const servers = enrolled
    .filter(({ id }) => id !== CONTROL_ID)
    .map(server => serverThen(server, moment, figures))
  return { moment, servers: [...servers, controlThen(parts, moment, figures)], figures }
}

export function checkPast({ fleetTime }: Pick<Parts, 'fleetTime'>, at: number): void {
  const aheadMs = at - fleetTime.nowMs()
  if (aheadMs <= AHEAD_MS_MAX) return
  const message = `at lies ${Math.ceil(aheadMs / 1000)} s ahead of fleet time; nothing is known of the future`
  throw controlFaults.fault('control-request-invalid', message)
}

function serverThen(server: PastServer, moment: PastMoment, figures: PastFigures): ServerView {
  const { id, region, role, tags, override, foreign } = server
  const { at } = moment
  const ageS = figures.agentAgeS.get(id)
  return {
    id,
    region,
    role,
    ...stateThen(server, moment, figures.present.has(id)),
    // Not stored moment by moment; the marks tell when they changed.
    version: '',
    url: '',
    hostId: '',
    pid: null,
    tags,
    override,
    foreign,
    watching: figures.watching.get(id) ?? null,
    watchingEstimated: figures.estimated.get(id) ?? null,
    agentSeen: ageS === undefined ? null : at - ageS * 1000,
    weight: figures.weight.get(id) ?? null,
    sharePercent: null,
    evidence: pastEvidence(figures, id, at),
  }
}

function stateThen(
  { change, enrolledAt }: PastServer,
  { at, watched }: PastMoment,
  present: boolean,
): Pick<ServerView, 'state' | 'reason' | 'since'> {
  const last = change ?? { state: 'maintenance' as const, reason: NOT_SEEN, at: enrolledAt }
  if (present || watched === 'not-kept') return { state: last.state, reason: last.reason, since: last.at }
  const why =
    watched === 'no' ? 'the control room did not run then' : 'nothing is stored of it at this moment'
  return { state: 'unknown', reason: `${why}; last known: ${last.state}, ${last.reason}`, since: at }
}

function controlThen({ region }: Parts, { at, watched }: PastMoment, figures: PastFigures): ServerView {
  const ageS = figures.agentAgeS.get(CONTROL_ID)
  const ran = watched === 'yes'
  const reasons = { yes: THIS_ONE, no: 'it did not run then', 'not-kept': 'nothing is stored of it' }
  return {
    id: CONTROL_ID,
    region,
    role: 'control',
    state: ran ? 'healthy' : 'unknown',
    since: at,
    reason: reasons[watched],
    version: '',
    url: '',
    hostId: '',
    pid: null,
    tags: {},
    override: null,
    watching: 0,
    watchingEstimated: 0,
    weight: 0,
    sharePercent: null,
    evidence: [],
    agentSeen: ageS === undefined ? null : at - ageS * 1000,
  }
}

/** Who reached whom then. Above 20 edges pairs have no series: only what the control room saw is named. */
export function probesThen(past: PastFleet, now: number, region: string): ProbesAnswer {
  const { figures, moment } = past
  const servers = past.servers.filter(({ role }) => role !== 'control')
  const named = new Set(figures.probes.flatMap(({ labels }) => labels['observer'] ?? []))
  const edges = servers.filter(({ id, role }) => role === 'edge' && named.has(id))
  const budgets = figures.probes.filter(({ labels }) => labels['__name__'] === 'vitrine_probe_budget_bytes')
  return {
    now,
    mesh:
      edges.length > 0 || servers.filter(({ role }) => role === 'edge').length <= 1 ? 'full' : 'neighbours',
    budgetBytes: Math.max(0, ...budgets.map(({ value }) => value)),
    observers: [{ id: CONTROL_ID, region }, ...edges.map(edge => ({ id: edge.id, region: edge.region }))],
    targets: servers.map(({ id, role, region: place }) => ({
      id,
      role,
      region: place,
      certificateDays: probesOf(figures, id)('certificate_days')[0]?.value ?? null,
      usedBytes: probesOf(figures, id)('used_bytes')[0]?.value ?? null,
    })),
    cells: servers.flatMap(({ id }) => cellsOf(figures, id, moment.at)),
    past: moment,
  }
}

function cellsOf(figures: PastFigures, target: string, at: number): ProbeCell[] {
  const probes = probesOf(figures, target)
  return probes('success', { check: 'http' }).map(({ labels, value }) => {
    const observer = labels['observer'] ?? ''
    const one = (name: string, wanted: object = {}): number | null =>
      probes(name, { observer, ...wanted })[0]?.value ?? null
    const ms = (name: string): number | null => {
      const seconds = one(name)
      return seconds === null ? null : seconds * 1000
    }
    const ok = value === 1
    const stored = one('play_success')
    const played = stored === 1 && isOutdated(probes, observer) ? null : stored
    const refused = one('success', { check: 'tls' }) === 0
    return {
      observer,
      target,
      ok,
      at: probedAt(figures, target, observer) ?? at,
      connectMs: null,
      connected: one('success', { check: 'connect' }) === 1,
      tlsMs: ms('tls_seconds'),
      httpMs: ok ? ms('http_seconds') : null,
      pingMs: ms('ping_seconds'),
      problem: refused ? 'its certificate or its TLS was refused' : null,
      play: played === null ? null : { ok: played === 1, text: playText(played === 1), at: at - PLAY_AGE_MS },
    }
  })
}
