// Owns naming the likely cause of an incident from the evidence that there is. Pure.
// It says `cannot tell` where the evidence names nothing: a guess at night is worse than none.
import { clockWords } from '#base'
import type { Cause, CauseKind, MarkView } from '#wire'
import { clock2012, leapAnnounced, notOf2012 } from './cause-clock.ts'
import { diskFull } from './cause-disk.ts'
import { has, names, percent, summaries, told } from './cause-words.ts'
import type { Labels, ServerFacts, ServerFigures } from './facts.ts'

export interface CauseInput {
  /** Those of the incident. */
  readonly servers: readonly ServerFacts[]
  readonly fleet: readonly ServerFacts[]
  /** Of the incident, whether they still fire or not. */
  readonly alerts: readonly { readonly labels: Labels; readonly server: string | null }[]
  readonly figures: ReadonlyMap<string, ServerFigures>
  /** What changed in the 24 hours before. */
  readonly marks: readonly MarkView[]
  readonly openedAt: number
}

/** Changes so shortly before are suspects. */
const RELEASE_MS = 2 * 3_600_000
/** A server says its new version when it is back: the restart that brought it opens the incident before. */
export const RESTART_MS = 60_000
const CLOCK_STEP_S = 0.5
/** No certificate is valid by it any more. */
const CLOCK_FAR_S = 86_400
const STEAL = 0.1
/** Cores of others against all of the host. */
const OTHERS_SHARE = 0.4
/** A host that is busy is no cause while the server itself hardly waits for its turn. */
const STARVED = 0.2
/** The same, so much that a server does not answer at all. */
const KEPT_WAITING = 0.4
const MOST = 0.8
const EVIDENCE_MAX = 8

/** One that the evidence names. */
export type Named = Omit<Cause, 'kind'> & { readonly kind: CauseKind }

/** The first that the evidence names wins. */
export function causeOf(input: CauseInput): Cause {
  return causesOf(input)[0] ?? cannotTell(input)
}

/** All that the evidence names: what explains more stands before what explains less. */
export function causesOf(input: CauseInput): Cause[] {
  const named = [
    cutOff,
    originGone,
    clock2012,
    frozen,
    pathCut,
    hostSilent,
    certificate,
    leapAnnounced,
    clockStepped,
    diskFull,
    // A release that was seen explains which of the edges are ill; a busy CPU does not.
    seenRelease,
    cpuPegged,
    badRelease,
    originSlow,
  ]
  return named.flatMap(name => {
    const cause = name(input)
    if (cause === null) return []
    const cut = { for: cause.for.slice(0, EVIDENCE_MAX), against: cause.against.slice(0, EVIDENCE_MAX) }
    return [{ ...cause, ...cut }]
  })
}

export function cannotTell(input: CauseInput): Cause {
  const alerts = new Set(input.alerts.map(({ labels, server }) => told(labels, server)))
  const seen = [...input.servers.map(({ id, reason }) => `${id}: ${reason}`), ...alerts].slice(
    0,
    EVIDENCE_MAX,
  )
  const text = 'The evidence names no cause; what was seen stands below.'
  return { kind: 'cannot-tell', text, confidence: 0, for: seen, against: [] }
}

function cutOff({ alerts, fleet, servers }: CauseInput): Named | null {
  const measured = fleet.filter(({ role }) => role === 'edge' || role === 'origin')
  const silent = new Set(
    alerts.filter(({ labels }) => labels['alertname'] === 'AgentSilent').map(({ server }) => server),
  )
  const lost = measured.filter(({ id }) => silent.has(id))
  const blind = measured.filter(({ reason }) => reason.startsWith('no observer can judge'))
  const isMost = measured.length >= 2 && lost.length >= MOST * measured.length
  if (!isMost || blind.length < MOST * measured.length) return null
  const gone = servers.filter(({ state }) => state === 'unreachable')
  return {
    kind: 'observer-cut-off',
    text: `The control room itself is cut off: it hears none of ${lost.length} servers at once, so nothing is known of them.`,
    confidence: 0.9,
    for: [
      `${lost.length} of ${measured.length} agents fell silent together`,
      `no observer can judge ${blind.length} of ${measured.length} servers`,
      'steering is left as it was',
    ],
    against: gone.map(({ id, reason }) => `${id}: ${reason}`),
  }
}

function originGone({ servers }: CauseInput): Named | null {
  const origin = servers.find(({ role, state }) => role === 'origin' && state === 'unreachable')
  if (origin === undefined) return null
  const behind = servers.filter(({ role }) => role === 'edge')
  return {
    kind: 'origin-down',
    text: `The origin ${origin.id} does not answer; edges have what they cached and nothing more.`,
    confidence: 0.9,
    for: [`${origin.id}: ${origin.reason}`, ...behind.map(({ id, reason }) => `${id} behind it: ${reason}`)],
    against: behind
      .filter(({ state }) => state === 'unreachable')
      .map(({ id }) => `${id} is unreachable itself`),
  }
}

/** Servers whose reason says so, if they are the greater part of those that are ill. */
function saying(
  servers: readonly ServerFacts[],
  pattern: RegExp,
): { those: ServerFacts[]; others: ServerFacts[] } | null {
  const ill = servers.filter(({ state }) => state === 'unreachable' || state === 'degraded')
  const those = ill.filter(server => pattern.test(server.reason))
  if (those.length === 0 || those.length * 2 < ill.length) return null
  return { those, others: ill.filter(server => !those.includes(server)) }
}

function proof(servers: readonly ServerFacts[]): string[] {
  return servers.flatMap(({ id, reason, evidence }) => [
    `${id}: ${reason}`,
    ...evidence
      .filter(({ ok }) => !ok)
      .map(({ witness, text }) => `${witness} of ${id}: ${text}`)
      .slice(0, 3),
  ])
}

function dissent(servers: readonly ServerFacts[], others: readonly ServerFacts[]): string[] {
  return [
    ...others.map(({ id, reason }) => `${id} differs: ${reason}`),
    ...servers.flatMap(({ id, evidence }) =>
      evidence
        .filter(({ ok, kind }) => ok && kind === 'outside')
        .map(({ witness, text }) => `${witness} of ${id}: ${text}`),
    ),
  ]
}

function frozen({ servers, figures }: CauseInput): Named | null {
  const found = saying(servers, /process (frozen|gone|runs but does not answer)/)
  if (found === null) return null
  const { those, others } = found
  const sure = those.every(({ reason }) => /process (frozen|gone), host alive/.test(reason))
  // One that hangs by itself wants no CPU; one that waits for it most of the time would answer if it got some.
  const waiting = those.filter(({ id }) => (figures.get(id)?.cpuWait ?? 0) >= KEPT_WAITING)
  if (!sure && waiting.length * 2 >= those.length) return null
  const gone = those.every(({ reason }) => reason.includes('process gone'))
  const what = gone
    ? 'is gone'
    : those.every(({ reason }) => reason.includes('frozen, host'))
      ? 'is frozen'
      : 'hangs'
  return {
    kind: 'edge-frozen',
    text: `The server process of ${names(those)} ${what}; ${sure ? 'its host is alive' : 'its host still takes connections'}.`,
    confidence: sure ? 0.95 : 0.7,
    for: proof(those),
    against: dissent(those, others),
  }
}

function hostSilent({ servers, fleet }: CauseInput): Named | null {
  const found = saying(servers, /^host silent/)
  if (found === null) return null
  const { those, others } = found
  const [first] = those
  const region = fleet.filter(server => server.region === first?.region && server.role === 'edge')
  const whole = region.length > 1 && those.length > 1 && region.every(server => those.includes(server))
  const where = whole ? `, all of region ${first?.region ?? ''}` : ''
  return {
    kind: 'host-silent',
    text: `${those.length === 1 ? 'The host of' : 'The hosts of'} ${names(those)}${where} ${those.length === 1 ? 'is' : 'are'} silent: no ping, no connection, no agent.`,
    confidence: 0.85,
    for: proof(those),
    against: dissent(those, others),
  }
}

function pathCut({ servers }: CauseInput): Named | null {
  const found = saying(servers, /path sick/)
  if (found === null) return null
  const { those, others } = found
  return {
    kind: 'path-cut',
    text: `The path to ${names(those)} is cut for some: others still reach ${those.length === 1 ? 'it' : 'them'}.`,
    confidence: 0.85,
    for: proof(those),
    against: dissent(those, others).filter(text => !text.includes('HTTP answers')),
  }
}

function certificate(input: CauseInput): Named | null {
  const refused = saying(input.servers, /certificate/)
  if (refused === null && !has(input, 'certificate')) return null
  const those = refused?.those ?? input.servers
  return {
    kind: 'certificate',
    text:
      refused === null
        ? `The certificate of ${names(those)} ends soon.`
        : `Viewers refuse the certificate of ${names(those)}.`,
    confidence: 0.95,
    for: [...proof(refused?.those ?? []), ...summaries(input, 'certificate')],
    against: (refused?.others ?? []).map(({ id, reason }) => `${id} differs: ${reason}`),
  }
}

function clockStepped(input: CauseInput): Named | null {
  const off = input.servers.filter(
    ({ id }) => Math.abs(input.figures.get(id)?.clockOffsetS ?? 0) > CLOCK_STEP_S,
  )
  const small = off.length === 0
  if (small && !has(input, 'clock')) return null
  const those = small ? input.servers : off
  const offsetOf = (id: string): number => Math.abs(input.figures.get(id)?.clockOffsetS ?? 0)
  const only = off.length === 1 ? (input.figures.get(off[0]?.id ?? '')?.clockOffsetS ?? null) : null
  const sources = input.marks
    .filter(({ kind }) => kind === 'time-source')
    .map(({ server, text }) => `${server ?? 'fleet'}: ${text}`)
  return {
    kind: 'clock-stepped',
    text: `The clock of ${names(those)} ${only === null ? 'is off fleet time' : `is wrong: ${clockWords(only)}`}.`,
    // So far off that TLS fails: silent agents and bad answers follow from it.
    confidence: small ? 0.8 : off.some(({ id }) => offsetOf(id) >= CLOCK_FAR_S) ? 0.97 : 0.9,
    for: [
      ...off.map(
        ({ id, reason }) =>
          `${id}: ${(input.figures.get(id)?.clockOffsetS ?? 0).toFixed(2)} s off fleet time; ${reason}`,
      ),
      ...summaries(input, 'clock'),
      ...sources,
    ],
    against: [],
  }
}

function cpuPegged(input: CauseInput): Named | null {
  const pegged = input.servers.flatMap(server => {
    const figures = input.figures.get(server.id) ?? {}
    const { steal = 0, otherCores = 0, cores = 0, ownCores = 0, cpuWait = null } = figures
    const busy = cores > 0 && otherCores / cores >= OTHERS_SHARE && otherCores > ownCores
    const others = busy && (cpuWait === null || cpuWait >= STARVED)
    const waits = cpuWait === null ? '' : `, and it waits for a CPU ${percent(cpuWait)} of the time`
    if (steal >= STEAL)
      return [{ server, text: `${server.id}: ${percent(steal)} of its time is stolen by the hypervisor` }]
    return others
      ? [
          {
            server,
            text: `${server.id}: other processes use ${otherCores.toFixed(1)} of ${cores} cores, it uses ${ownCores.toFixed(1)}${waits}`,
          },
        ]
      : []
  })
  if (pegged.length === 0 || !has(input, 'load', 'ill', 'gone')) return null
  const those = pegged.map(({ server }) => server)
  return {
    kind: 'cpu-pegged',
    text: isOneHost(those)
      ? `The host of ${names(those)} is overloaded: they and others on it want more CPU than it has.`
      : `The CPU of ${names(those)} is taken by others.`,
    confidence: has(input, 'load') ? 0.85 : 0.75,
    for: [...pegged.map(({ text }) => text), ...summaries(input, 'load')],
    against: [
      notOf2012(input),
      ...input.servers
        .filter(server => !pegged.some(one => one.server === server))
        .map(({ id }) => `${id} has CPU to spare, or its CPU is not measured`),
    ].filter(text => text !== ''),
  }
}

/** Several, and what others take from one of them the rest of them may have: it is their host that has too little. */
function isOneHost(servers: readonly ServerFacts[]): boolean {
  const [first] = servers
  return servers.length > 1 && first?.hostId !== '' && servers.every(({ hostId }) => hostId === first?.hostId)
}

/** With the change of version among the evidence, which says what is ill by more than chance. */
function seenRelease(input: CauseInput): Named | null {
  const cause = badRelease(input)
  return cause !== null && cause.against.length === 0 ? cause : null
}

/** Those that are ill have a version that those that are well do not have, since a short while. */
function badRelease({ servers, fleet, marks, openedAt }: CauseInput): Named | null {
  const edges = fleet.filter(({ role }) => role === 'edge')
  const ill = servers.filter(({ role }) => role === 'edge')
  const well = edges.filter(edge => edge.state === 'healthy' && !ill.includes(edge))
  const [version] = [...new Set(ill.map(one => one.version))].toSorted(
    (a, b) => count(ill, b) - count(ill, a),
  )
  if (ill.length < 2 || well.length === 0 || version === undefined || version === '') return null
  if (count(ill, version) < MOST * ill.length || count(well, version) > (1 - MOST) * well.length) return null
  const recent = marks.filter(
    ({ kind, at, server }) =>
      (kind === 'version' || kind === 'deployment') &&
      openedAt - at <= RELEASE_MS &&
      (at <= openedAt || (at <= openedAt + RESTART_MS && ill.some(({ id }) => id === server))),
  )
  return {
    kind: 'bad-release',
    text: `Version ${version} is bad: ${count(ill, version)} of ${ill.length} ill edges run it, ${count(well, version)} of ${well.length} well ones do.`,
    confidence: recent.length > 0 ? 0.9 : 0.65,
    for: recent.map(({ server, text }) => `${server ?? 'the fleet'}: ${text}`),
    against: recent.length > 0 ? [] : ['no change of version was seen in the two hours before'],
  }
}

function count(servers: readonly ServerFacts[], version: string): number {
  return servers.filter(server => server.version === version).length
}

function originSlow(input: CauseInput): Named | null {
  // One witness lowers no origin's weight, but what it saw is evidence.
  const origin = input.fleet.find(
    ({ role, state, reason }) =>
      role === 'origin' && (state === 'degraded' || /answers take|probes failed|path sick/.test(reason)),
  )
  const behind = input.servers.filter(({ role }) => role === 'edge')
  if (origin === undefined || !(input.servers.includes(origin) || behind.length >= 2)) return null
  return {
    kind: 'origin-slow',
    text: `The origin ${origin.id} serves badly: ${origin.reason}.`,
    confidence: 0.8,
    for: [...proof([origin]), ...behind.map(({ id, reason }) => `${id} behind it: ${reason}`)],
    against: [],
  }
}
