// Owns the part of the incidents bench that injects ten faults into a real fleet and asks what their cause is called.
// What a fault is called is decided by the product alone; a fault that opens no incident counts as wrong.
import { writeFileSync } from 'node:fs'
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
  begin(world: World, at: number): Promise<void>
  end(world: World, at: number): Promise<void>
}

const stop = (signal: NodeJS.Signals) => (world: World, at: number) => {
  process.kill(world.fleet.pid(`e${at}`), signal)
  return Promise.resolve()
}
/** Two of its four observers no longer reach it. */
const lostTo = (world: World, at: number): string[] =>
  [1, 2].map(step => world.network((at + step) % EDGES).address)

const faults: readonly Fault[] = [
  { name: 'edge frozen', kind: 'edge-frozen', how: 'SIGSTOP', begin: stop('SIGSTOP'), end: stop('SIGCONT') },
  {
    name: 'host silent',
    kind: 'host-silent',
    how: 'the link of its network is down',
    begin: (world, at) => world.network(at).down(),
    end: (world, at) => world.network(at).up(),
  },
  {
    name: 'path cut',
    kind: 'path-cut',
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
    how: 'a tmpfs of its own, filled',
    begin: (world, at) => world.fillDisk(at),
    end: async (world, at) => world.emptyDisk(at),
  },
  {
    name: 'certificate expired',
    kind: 'certificate',
    how: 'its file replaced by an expired one',
    begin: world => world.certificate('expired'),
    end: world => world.certificate('good'),
  },
  {
    name: 'clock stepped',
    kind: 'clock-stepped',
    how: `the clock of its processes alone, ${SHIFT_S} s`,
    begin: async (world, at) => world.believe(at, { shiftS: SHIFT_S }),
    end: async (world, at) => world.believe(at, {}),
  },
  {
    name: 'CPU pegged by a neighbour',
    kind: 'cpu-pegged',
    how: 'busy processes on its core, it yields to them',
    begin: (world, at) => world.starve(at),
    end: (world, at) => world.feed(at),
  },
  {
    name: 'bad release on half',
    kind: 'bad-release',
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
  for (const edge of [at, (at + 1) % (EDGES - 1)]) {
    world.believe(edge, what)
    await world.fleet.restart(`e${edge}`)
  }
}

interface Outcome {
  readonly fault: Fault
  readonly named: CauseKind | 'no incident'
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
      await calm(world)
      // The certificate is the last edge's.
      const at = fault.kind === 'certificate' ? EDGES - 1 : round % (EDGES - 1)
      outcomes.push({ fault, named: await once(world, fault, at) })
    }
  }
  printTable(outcomes)
  const right = outcomes.filter(({ fault, named }) => named === fault.kind).length
  const silent = outcomes.filter(({ named }) => named === 'cannot-tell').length
  const share = { ours: (100 * right) / outcomes.length, goal: 100 * GOAL }
  console.log(`causes: ${right} of ${outcomes.length} right, ${silent} \`cannot tell\``)
  return [againstGoal('causes named right', '%', share, 'higher')]
}

/** One fault: from its beginning to what is read of its incident. */
async function once(world: World, fault: Fault, at: number): Promise<Outcome['named']> {
  const startedMs = performance.now()
  const since = (): string => `${((performance.now() - startedMs) / 1000).toFixed(0)} s`
  await fault.begin(world, at)
  let named: Outcome['named'] = 'no incident'
  try {
    await world.fleet.until(async () => (await open(world)).length > 0, OPEN_MS_MAX, fault.name)
    const opened = since()
    await pause(READ_MS)
    const [incident, ...others] = (await open(world)).toSorted((a, b) => a.openedAt - b.openedAt)
    if (incident !== undefined) named = incident.cause.kind
    console.log(
      `  ${fault.name} (e${at}): ${named}, opened after ${opened}, ${others.length} more: ${incident?.title}; ${incident?.cause.text}`,
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

async function ill(world: World): Promise<string[]> {
  const servers = await world.fleet.servers()
  return servers.map(({ id, state, reason }) => `${id} ${state}: ${reason}`)
}

async function open(world: World): Promise<IncidentView[]> {
  const { incidents } = await world.fleet.get<{ incidents: IncidentView[] }>('/api/v1/incidents')
  return incidents.filter(({ resolvedAt }) => resolvedAt === null)
}

/** All well, nothing fires; what is left open is over by hand, so that the next fault is an incident of its own. */
/** A machine without a time daemon says so all the time, and rightly. */
const HOSTS_OWN = 'NoTimeDaemon'

async function calm(world: World): Promise<void> {
  const isCalm = async (): Promise<boolean> => {
    for (const { id } of await open(world)) await world.fleet.post(`/api/v1/incidents/${id}/resolve`, {})
    const { alerts } = await world.fleet.get<{ alerts: AlertView[] }>('/api/v1/alerts')
    const fires = alerts.some(({ state, rule }) => state !== 'resolved' && rule !== HOSTS_OWN)
    return !fires && (await world.fleet.servers()).every(({ state }) => state === 'healthy')
  }
  await world.fleet.until(isCalm, CALM_MS_MAX, 'all is calm').catch(async (error: unknown) => {
    console.log(`  not calm: ${String(error)} ${JSON.stringify(await ill(world))}`)
  })
}

function printTable(outcomes: readonly Outcome[]): void {
  console.log('\n| injected | how | named (times) | right |\n|---|---|---|---|')
  for (const fault of faults) {
    const own = outcomes.filter(one => one.fault === fault)
    if (own.length === 0) continue
    const names = new Map<string, number>()
    for (const { named } of own) names.set(named, (names.get(named) ?? 0) + 1)
    const text = [...names].map(([name, times]) => `${name} (${times})`).join(', ')
    const right = own.filter(({ named }) => named === fault.kind).length
    console.log(`| ${fault.name} | ${fault.how} | ${text} | ${right} of ${own.length} |`)
  }
}
