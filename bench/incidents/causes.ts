// Owns the part of the incidents bench that injects ten faults into a real fleet and asks what their cause is called.
// What a fault is called is decided by the product alone; a fault that opens no incident counts as wrong.
import { writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import type { AlertView, CauseKind, IncidentView } from '#wire'
import { insideNetwork, openNetworks, resultFile, whyNoNetworks } from '../fleet/networks.ts'
import { againstGoal, type BenchResult } from '../result.ts'
import { EDGES, World } from './causes-world.ts'

const REPEATS = { quick: 3, full: 10 }
const GOAL = 0.9
const OPEN_MS_MAX = 75_000
/** From the first alert: what a person who was rung reads. */
const READ_MS = 12_000
const CALM_MS_MAX = 120_000
const SHIFT_S = 30
/** Each way; a handshake and a question are two ways there and back. */
const ORIGIN_LATE_MS = 160
const SLOW_MS = 450

interface Fault {
  readonly name: string
  readonly kind: CauseKind
  readonly how: string
  /** Servers that it is about; left out: any. */
  about?(at: number): readonly string[]
  begin(world: World, at: number): Promise<void>
  end(world: World, at: number): Promise<void>
}

const stop = (signal: NodeJS.Signals) => (world: World, at: number) => {
  process.kill(world.fleet.pid(`e${at}`), signal)
  return Promise.resolve()
}
const itself = (at: number): readonly string[] => [`e${at}`]
/** Those that get the bad release. */
const half = (at: number): readonly number[] => [at, (at + 1) % (EDGES - 1)]
/** Two of its four observers no longer reach it. */
const lostTo = (world: World, at: number): string[] =>
  [1, 2].map(step => world.network((at + step) % EDGES).address)

const faults: readonly Fault[] = [
  {
    name: 'edge frozen',
    kind: 'edge-frozen',
    how: 'SIGSTOP',
    about: itself,
    begin: stop('SIGSTOP'),
    end: stop('SIGCONT'),
  },
  {
    name: 'host silent',
    kind: 'host-silent',
    about: itself,
    how: 'the link of its network is down',
    begin: (world, at) => world.network(at).down(),
    end: (world, at) => world.network(at).up(),
  },
  {
    name: 'path cut',
    kind: 'path-cut',
    about: itself,
    how: 'no route to two of its observers',
    begin: (world, at) => world.routes(at, 'add', lostTo(world, at)),
    end: (world, at) => world.routes(at, 'del', lostTo(world, at)),
  },
  {
    name: 'origin slow',
    kind: 'origin-slow',
    how: `a proxy before it, ${ORIGIN_LATE_MS} ms each way`,
    begin: async world => void (world.proxy.delayMs = ORIGIN_LATE_MS),
    end: async world => void (world.proxy.delayMs = 0),
  },
  {
    name: 'disk full',
    kind: 'disk-full',
    about: itself,
    how: 'the disk of its cache is filled, then a new title is asked for',
    begin: (world, at) => world.fillDisk(at),
    end: async (world, at) => world.emptyDisk(at),
  },
  {
    name: 'certificate expired',
    kind: 'certificate',
    about: itself,
    how: 'its file replaced by an expired one',
    begin: world => world.certificate('expired'),
    end: world => world.certificate('good'),
  },
  {
    name: 'clock stepped',
    kind: 'clock-stepped',
    about: itself,
    how: `the clock of its processes alone, ${SHIFT_S} s`,
    begin: async (world, at) => world.believe(at, { shiftS: SHIFT_S }),
    end: async (world, at) => world.believe(at, {}),
  },
  {
    name: 'CPU pegged by a neighbour',
    kind: 'cpu-pegged',
    about: itself,
    how: 'busy processes on its core, it yields to them',
    begin: (world, at) => world.starve(at),
    end: (world, at) => world.feed(at),
  },
  {
    name: 'bad release on half',
    kind: 'bad-release',
    about: at => half(at).map(edge => `e${edge}`),
    how: 'two edges restarted with another version that is slow',
    begin: (world, at) => release(world, at, { version: '9.9.9', slowMs: SLOW_MS }),
    end: (world, at) => release(world, at, {}),
  },
  {
    name: 'control room cut off',
    kind: 'observer-cut-off',
    how: 'it has no route to any server',
    begin: world => world.controlRoutes('add'),
    end: world => world.controlRoutes('del'),
  },
]

async function release(world: World, at: number, what: { version?: string; slowMs?: number }): Promise<void> {
  for (const edge of half(at)) {
    world.believe(edge, what)
    await world.fleet.restart(`e${edge}`)
  }
}

interface Outcome {
  readonly fault: Fault
  /** `machine busy`: it was not calm before the fault; nothing was injected, and nothing is counted. */
  readonly named: CauseKind | 'no incident' | 'machine busy'
}

export async function benchCauses({ full }: { readonly full: boolean }): Promise<BenchResult[]> {
  const reason = whyNoNetworks()
  if (reason !== null) {
    console.log(`causes: skipped; ${reason}`)
    return []
  }
  if (resultFile === null) return insideNetwork('causes', full ? ['--full'] : [], 'incidents')
  const networks = await openNetworks(EDGES)
  try {
    const world = await World.open(networks)
    try {
      const results = await measure(world, full ? REPEATS.full : REPEATS.quick)
      writeFileSync(resultFile, JSON.stringify(results))
      return results
    } finally {
      await world.close()
    }
  } finally {
    await networks.close()
  }
}

async function measure(world: World, repeats: number): Promise<BenchResult[]> {
  const outcomes: Outcome[] = []
  // For whoever looks into one fault: its kinds, and how often.
  const only = process.env['VITRINE_FAULTS']?.split(',')
  const rounds = Number(process.env['VITRINE_ROUNDS'] ?? repeats)
  for (let round = 0; round < rounds; round += 1) {
    for (const fault of faults) {
      if (only !== undefined && !only.includes(fault.kind)) continue
      // The certificate is the last edge's.
      const at = fault.kind === 'certificate' ? EDGES - 1 : round % (EDGES - 1)
      outcomes.push({
        fault,
        named: (await calm(world, fault)) ? await once(world, fault, at) : 'machine busy',
      })
    }
  }
  printTable(outcomes)
  const counted = outcomes.filter(({ named }) => named !== 'machine busy')
  const right = counted.filter(({ fault, named }) => named === fault.kind).length
  const silent = counted.filter(({ named }) => named === 'cannot-tell').length
  const busy = outcomes.length - counted.length
  console.log(
    `causes: ${right} of ${counted.length} right, ${silent} \`cannot tell\`; ${busy} not injected, for the machine was busy; load ${loadNow()}`,
  )
  if (counted.length === 0) return []
  const share = { ours: (100 * right) / counted.length, goal: 100 * GOAL }
  return [againstGoal('causes named right', '%', share, 'higher')]
}

/** One fault: from its beginning to what is read of its incident. */
async function once(world: World, fault: Fault, at: number): Promise<Outcome['named']> {
  const startedMs = performance.now()
  const since = (): string => `${((performance.now() - startedMs) / 1000).toFixed(0)} s`
  await fault.begin(world, at)
  let named: Outcome['named'] = 'no incident'
  try {
    const isOpen = async (): Promise<boolean> => ofFault(await open(world), fault, at) !== undefined
    await world.fleet.until(isOpen, OPEN_MS_MAX, fault.name)
    const opened = since()
    await pause(READ_MS)
    const all = await open(world)
    const incident = ofFault(all, fault, at)
    const others = all.filter(one => one !== incident)
    if (incident !== undefined) named = incident.cause.kind
    const beside = others.map(({ title }) => title).join(' | ')
    console.log(
      `  ${fault.name} (e${at}, load ${loadNow()}): ${named}, opened after ${opened}, ${others.length} more${beside && ` (${beside})`}: ${incident?.title}; ${incident?.cause.text}`,
    )
    if (named !== fault.kind)
      console.log(`    ${JSON.stringify([incident?.cause, others.map(one => one.title), await ill(world)])}`)
  } catch (error) {
    console.log(`  ${fault.name} (e${at}): ${String(error)}; ${JSON.stringify(await ill(world))}`)
  }
  for (const { id } of await open(world))
    await world.fleet.post(`/api/v1/incidents/${id}/resolve`, {}).catch(() => undefined)
  await fault.end(world, at)
  return named
}

/** The first that is about the fault's own servers: what the machine does to others meanwhile is not the fault. */
function ofFault(incidents: readonly IncidentView[], fault: Fault, at: number): IncidentView | undefined {
  const about = fault.about?.(at)
  const isAbout = ({ servers, title }: IncidentView): boolean =>
    (about === undefined || servers.some(id => about.includes(id))) &&
    (fault.kind === 'cpu-pegged' || !overloaded.test(title))
  return incidents.toSorted((a, b) => a.openedAt - b.openedAt).find(isAbout)
}

function loadNow(): string {
  return (loadavg()[0] ?? 0).toFixed(1)
}

async function ill(world: World): Promise<string[]> {
  const servers = await world.fleet.servers()
  return servers.map(({ id, state, reason }) => `${id} ${state}: ${reason}`)
}

async function open(world: World): Promise<IncidentView[]> {
  const { incidents } = await world.fleet.get<{ incidents: IncidentView[] }>('/api/v1/incidents')
  return incidents.filter(({ resolvedAt }) => resolvedAt === null)
}

async function firing(world: World): Promise<string[]> {
  const { alerts } = await world.fleet.get<{ alerts: AlertView[] }>('/api/v1/alerts')
  const those = alerts.filter(({ state }) => state !== 'resolved')
  return those.map(({ rule, labels }) => `${rule} ${labels['instance'] ?? ''}`)
}

/** A machine without a time daemon, and one with a full disk of its own, say so all the time, and rightly. */
const hostsOwn: ReadonlySet<string> = new Set(['NoTimeDaemon', 'DiskFilling'])

/** What a busy machine brings upon all its servers: only the fault that is about the CPU has to wait for its end. */
const overload: ReadonlySet<string> = new Set(['HostCpuHigh', 'EventLoopDelay', 'HighCpu'])
/** An incident that such alerts alone lead; their summaries stand in config/rules/vitrine.yaml. */
const overloaded = /overloaded|has no CPU left| uses [0-9.]+ cores/

/** All well, nothing fires; what is left open is over by hand, so that the next fault is an incident of its own. */
async function calm(world: World, { kind }: Fault): Promise<boolean> {
  const isCalm = async (): Promise<boolean> => {
    for (const { id } of await open(world)) await world.fleet.post(`/api/v1/incidents/${id}/resolve`, {})
    const { alerts } = await world.fleet.get<{ alerts: AlertView[] }>('/api/v1/alerts')
    const isOwn = (rule: string): boolean =>
      hostsOwn.has(rule) || (kind !== 'cpu-pegged' && overload.has(rule))
    const fires = alerts.some(({ state, rule }) => state !== 'resolved' && !isOwn(rule))
    return !fires && (await world.fleet.servers()).every(({ state }) => state === 'healthy')
  }
  try {
    await world.fleet.until(isCalm, CALM_MS_MAX, 'all is calm')
    return true
  } catch (error) {
    console.log(
      `  not calm (load ${loadNow()}): ${String(error)} ${JSON.stringify([await ill(world), await firing(world)])}`,
    )
    return false
  }
}

function printTable(outcomes: readonly Outcome[]): void {
  console.log('\n| injected | how | named (times) | right |\n|---|---|---|---|')
  for (const fault of faults) {
    const own = outcomes.filter(one => one.fault === fault)
    if (own.length === 0) continue
    const names = new Map<string, number>()
    for (const { named } of own) names.set(named, (names.get(named) ?? 0) + 1)
    const text = [...names].map(([name, times]) => `${name} (${times})`).join(', ')
    const counted = own.filter(({ named }) => named !== 'machine busy')
    const right = counted.filter(({ named }) => named === fault.kind).length
    console.log(`| ${fault.name} | ${fault.how} | ${text} | ${right} of ${counted.length} |`)
  }
}
