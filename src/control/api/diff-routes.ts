// Owns how two servers differ, as an answer; and the facts that agents tell, from which it is put together.
import type { FastifyInstance } from 'fastify'
import { type DiffAnswer, type DiffSide, diffAnswer, factsAnswer, factsRequest } from '#wire'
import type { ControlContext } from '../context.ts'
import { type Behaviour, compareBehaviour } from '../diff/behaviour.ts'
import { pairFacts } from '../diff/pair-facts.ts'
import { controlFaults } from '../faults.ts'
import { CONTROL_ID, type ServerRecord } from '../fleet/fleet.ts'
import type { StoredFacts } from '../state/facts.ts'
import { addRoute } from './route.ts'

/** 20,000 packages with long names. */
const FACTS_BYTES_MAX = 4 * 1024 * 1024
/** Pages of several people ask again and again: their hour moves by minutes. */
const BEHAVIOURS_KEPT = 64
const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const EVENTS_READ_MAX = 1000

export function addDiffRoutes(app: FastifyInstance, context: ControlContext): void {
  addRoute(app, {
    method: 'POST',
    url: '/api/v1/facts',
    access: 'writer',
    summary: 'All facts of a host, told by the agent on it as its server',
    body: factsRequest,
    answer: factsAnswer,
    bodyBytesMax: FACTS_BYTES_MAX,
    handle: (request, _reply, body) => {
      const { principal } = request
      if (principal.kind !== 'server') {
        throw controlFaults.fault('control-role-too-low', 'this is for agents, with their server’s own token')
      }
      const hostId = context.fleet.get(principal.id)?.hostId ?? ''
      return context.state.facts.tell({ id: principal.id, hostId }, body)
    },
  })
  const behaviours = new BehaviourCache(context)
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/servers/:a/diff/:b',
    access: 'viewer',
    summary: 'How two servers differ: facts and since when, and how they behaved over the last hour',
    answer: diffAnswer,
    handle: request => {
      const { a, b } = request.params as { readonly a: string; readonly b: string }
      return diffOf(context, behaviours, known(context, a), known(context, b))
    },
  })
}

function known({ fleet }: ControlContext, id: string): ServerRecord {
  const record = id === CONTROL_ID ? null : fleet.get(id)
  if (record !== null) return record
  const message = `no server ${JSON.stringify(id.slice(0, 64))} that could be compared is enrolled`
  throw controlFaults.fault('control-server-unknown', message)
}

async function diffOf(
  context: ControlContext,
  behaviours: BehaviourCache,
  a: ServerRecord,
  b: ServerRecord,
): Promise<DiffAnswer> {
  const { facts } = context.state
  const [ofA, ofB] = [await facts.of(a.id), await facts.of(b.id)]
  const [startsA, startsB] = [await startsOf(context, a), await startsOf(context, b)]
  const { fromMs, toMs, metrics } = await behaviours.of(a.id, b.id)
  return {
    now: context.fleetTime.nowMs(),
    a: sideOf(a, ofA, startsA),
    b: sideOf(b, ofB, startsB),
    sameHost: a.hostId !== '' && a.hostId === b.hostId,
    ...pairFacts({ ...a, facts: ofA }, { ...b, facts: ofB }),
    behaviour: { from: fromMs, to: toMs, metrics },
  }
}

type Starts = Pick<DiffSide, 'processStartedAt' | 'bootedAt'>

/** The newest of each; those that nobody saw are not known. */
async function startsOf({ state, fleetTime }: ControlContext, record: ServerRecord): Promise<Starts> {
  const marks = await state.marks.list({
    fromMs: fleetTime.nowMs() - 30 * DAY_MS,
    toMs: fleetTime.nowMs(),
    server: { id: record.id, hostId: record.hostId },
    nearMs: null,
    limit: EVENTS_READ_MAX,
  })
  const process = marks.find(({ kind, server }) => kind === 'process' && server === record.id)
  const boot = marks.find(({ kind }) => kind === 'boot')
  return { processStartedAt: process?.at ?? null, bootedAt: boot?.at ?? null }
}

function sideOf(record: ServerRecord, facts: StoredFacts | null, starts: Starts): DiffSide {
  const { id, role, region, tags } = record
  const told =
    facts === null
      ? null
      : {
          version: facts.version,
          sha256: facts.sha256,
          at: facts.at,
          toldAt: facts.toldAt,
          firstAt: facts.firstAt,
          total: facts.facts.filter(([, , value]) => value !== null).length,
        }
  return { id, name: tags.name ?? id, role, region, tags, facts: told, ...starts }
}

/** One answer a pair and minute, for all who look. */
class BehaviourCache {
  readonly #context: ControlContext
  readonly #kept = new Map<string, { readonly minute: number; readonly answer: Promise<Behaviour> }>()

  constructor(context: ControlContext) {
    this.#context = context
  }

  of(a: string, b: string): Promise<Behaviour> {
    const { store, log, fleetTime } = this.#context
    const nowMs = fleetTime.nowMs()
    const minute = Math.floor(nowMs / MINUTE_MS)
    const key = `${a} ${b}`
    const kept = this.#kept.get(key)
    if (kept?.minute === minute) return kept.answer
    const answer = compareBehaviour({ store, log }, [a, b], nowMs)
    this.#kept.delete(key)
    this.#kept.set(key, { minute, answer })
    const [oldest] = this.#kept.keys()
    if (this.#kept.size > BEHAVIOURS_KEPT && oldest !== undefined) this.#kept.delete(oldest)
    return answer
  }
}
