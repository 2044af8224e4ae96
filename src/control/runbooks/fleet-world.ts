// Owns what steps of runs do to this fleet. Each can be asked again at any time: what it did is read from where it is
// kept, not remembered.
import { messageOf, unreachable } from '#base'
import type { BandKeeper } from '../bands/band-keeper.ts'
import type { ControlContext } from '../context.ts'
import type { IncidentMemo } from '../state/incidents.ts'
import { capacityWithout } from './capacity.ts'
import type { ReturnKeeper } from './return-keeper.ts'
import { placeKey, type RunPlan, type StepPlace } from './run-events.ts'
import type { RunWorld, StepResult } from './run-keeper.ts'
import { fillIn, type RunbookStep } from './runbook.ts'
import type { StepBook } from './step-book.ts'

export interface FleetWorldOptions
  extends Pick<
    ControlContext,
    'fleet' | 'state' | 'store' | 'steering' | 'demand' | 'fleetTime' | 'options'
  > {
  readonly steps: StepBook
  readonly bands: BandKeeper
  readonly returns: ReturnKeeper
  /** Orders have changed. */
  readonly onOrders: () => Promise<void>
}

/** Who the orders of a run are by. */
export function runName({ id }: RunPlan): string {
  return `run ${id}`
}

export class FleetWorld implements RunWorld {
  readonly #options: FleetWorldOptions
  /** Since when a verify holds without a break, by run and place. */
  readonly #since = new Map<string, number>()

  constructor(options: FleetWorldOptions) {
    this.#options = options
  }

  preconditions = async (plan: RunPlan, servers: readonly string[]): Promise<string | null> => {
    for (const { text, expr } of plan.runbook.preconditions) {
      for (const id of servers) {
        const answer = await this.#holds(fillIn(expr, this.#server(plan, id)))
        if (answer !== true) return `${text}: ${answer === false ? 'does not hold' : answer} (${id})`
      }
    }
    return null
  }

  isWanted = (plan: RunPlan, server: string, when: string): Promise<boolean | string> =>
    this.#holds(fillIn(when, this.#server(plan, server)))

  carryOut = async (
    plan: RunPlan,
    place: StepPlace,
    step: RunbookStep,
    _beganAt: number,
  ): Promise<StepResult> => {
    const gone = this.#gone(place, step)
    if (gone !== null) return gone
    switch (step.kind) {
      case 'drain':
        return await this.#drain(plan, place, step.maxMs)
      case 'run':
        return this.#run(plan, place, step)
      case 'wait-until': {
        const answer = await this.#holds(fillIn(step.expr, this.#server(plan, place.server)))
        return answer === true
          ? { kind: 'done', text: 'it holds' }
          : { kind: 'pending', text: answer === false ? 'does not hold yet' : answer }
      }
      case 'verify':
        return await this.#verify(plan, place, step)
      case 'undrain':
        return await this.#undrain(plan, place, step.stageMs)
      case 'notify':
        return await this.#notify(plan, place, fillIn(step.text, this.#server(plan, place.server)))
      case 'approve':
        return { kind: 'pending', text: `waits for approval by ${step.role}` }
      default:
        return unreachable(step)
    }
  }

  /** Nothing can be done to a server that was retired, nor be heard of one that was to do it. */
  #gone({ server, phase }: StepPlace, step: RunbookStep): StepResult | null {
    const { fleet } = this.#options
    if (step.kind === 'notify') return null
    if (step.kind !== 'run') {
      if (fleet.get(server) !== null) return null
      const text = 'retired meanwhile: no viewers are sent to it'
      return { kind: 'failed', text, touched: step.kind !== 'drain' }
    }
    const carrier = step.on ?? server
    if (fleet.get(carrier) !== null) return null
    const text = `${carrier} was retired meanwhile: nobody hears any more what became of ${step.name}`
    return { kind: phase === 'main' ? 'unknown' : 'failed', text }
  }

  hold = async (plan: RunPlan, server: string, text: string): Promise<void> => {
    const { state, fleet, onOrders } = this.#options
    if (fleet.get(server) === null) return // retired meanwhile
    const order = (await state.overrides.all()).get(server)
    // Whoever ordered something in between knows better; a drain that is there is what is wanted.
    if (order?.kind === 'drain' || order?.kind === 'maintenance') return
    await state.db.deleteFrom('server_returns').where('server_id', '=', server).execute()
    const request = { kind: 'drain' as const, reason: words(plan, text), expiresInS: null }
    await state.overrides.set(server, request, runName(plan))
    await onOrders()
  }

  async #drain(plan: RunPlan, { server }: StepPlace, maxMs?: number): Promise<StepResult> {
    const { state, fleet, onOrders } = this.#options
    const order = (await state.overrides.all()).get(server)
    const record = fleet.get(server)
    if (order?.kind === 'keep')
      return {
        kind: 'failed',
        text: `${server} is kept in service by order of ${order.by}: ${order.reason}`,
        touched: false,
      }
    if (order === undefined) {
      const batch = plan.batches.find(ids => ids.includes(server)) ?? []
      const { problem } = await capacityWithout(this.#options, server, batch, plan.runbook.limits)
      if (problem !== null) return { kind: 'failed', text: `not drained: ${problem}`, touched: false }
      const limit = maxMs === undefined ? {} : { drainMaxS: Math.max(1, Math.round(maxMs / 1000)) }
      const request = { kind: 'drain' as const, reason: words(plan, plan.reason), expiresInS: null, ...limit }
      await state.overrides.set(server, request, runName(plan))
      await onOrders()
      return { kind: 'pending', text: 'drain ordered' }
    }
    const { watching } = fleet.sessions.of(server)
    const whose = order.by === runName(plan) ? '' : `, by order of ${order.by} from before`
    if (record?.standing.state === 'drained' || record?.standing.state === 'maintenance')
      return {
        kind: 'done',
        text:
          watching === 0
            ? `no viewer is fed any more${whose}`
            : `its time is over; ${watching} viewers are sent to other edges${whose}`,
      }
    return { kind: 'pending', text: `${watching} viewers still to be moved${whose}` }
  }

  #run(plan: RunPlan, place: StepPlace, step: Extract<RunbookStep, { kind: 'run' }>): StepResult {
    const { steps } = this.#options
    const target = this.#server(plan, place.server)
    const filled = Object.entries(step.arguments).map(([name, value]) => [name, fillIn(value, target)])
    const id = `${plan.id}:${placeKey(place)}`
    const carrier = step.on ?? place.server
    const report = steps.ask(carrier, {
      type: 'step-order',
      id,
      step: step.name,
      arguments: Object.fromEntries(filled) as Record<string, string>,
    })
    if (report === null) return { kind: 'pending', text: `ordered; no word of the agent of ${carrier} yet` }
    const { text, output } = report
    if (report.state === 'running') return { kind: 'pending', text, output }
    if (report.state !== 'refused') return { kind: report.state, text, output }
    return { kind: 'failed', text: `refused by the agent of ${carrier}: ${text}`, output, touched: false }
  }

  async #verify(
    plan: RunPlan,
    place: StepPlace,
    { signals, holdMs }: Extract<RunbookStep, { kind: 'verify' }>,
  ): Promise<StepResult> {
    const { fleet, bands, options } = this.#options
    const key = `${plan.id}:${placeKey(place)}`
    const nowMs = options.clock.monotonicMs()
    const record = fleet.get(place.server)
    if (record === null) return { kind: 'failed', text: 'no such server any more' }
    const against = record.evidence.filter(({ ok }) => !ok)
    const answers = record.evidence.some(({ ok, kind }) => ok && kind === 'outside')
    const isServer = record.role === 'edge' || record.role === 'origin'
    if (record.doubts > 0 || (isServer && !answers)) {
      this.#since.delete(key)
      const why =
        against[0] === undefined
          ? 'nobody outside has seen it answer yet'
          : `${against[0].witness}: ${against[0].text}`
      return { kind: 'pending', text: `not well: ${why}` }
    }
    const { word, text } = await bands.check(record, signals)
    if (word !== 'ok') {
      this.#since.delete(key)
      return { kind: 'pending', text }
    }
    const since = this.#since.get(key) ?? nowMs
    this.#since.set(key, since)
    if (nowMs - since < holdMs)
      return { kind: 'pending', text: `${text}; it has to stay so for ${Math.round(holdMs / 1000)} s` }
    this.#since.delete(key)
    return { kind: 'done', text }
  }

  async #undrain(plan: RunPlan, { server }: StepPlace, stageMs: number): Promise<StepResult> {
    const { state, returns } = this.#options
    const returning = await returns.of(server)
    if (returning !== null) {
      return { kind: 'pending', text: `comes back: ${returning.percent} % of new sessions` }
    }
    const order = (await state.overrides.all()).get(server)
    if (order === undefined) return { kind: 'done', text: 'takes viewers as before' }
    if (order.by !== runName(plan)) {
      if (order.by === `return by ${runName(plan)}`) return { kind: 'failed', text: order.reason }
      return { kind: 'done', text: `stays as it is by order of ${order.by}: ${order.reason}` }
    }
    await returns.begin(server, runName(plan), words(plan, plan.reason), stageMs)
    return { kind: 'pending', text: 'comes back: the first step begins' }
  }

  /** Once: the row carries the place, and is looked for first. */
  async #notify(plan: RunPlan, place: StepPlace, told: string): Promise<StepResult> {
    const { incident, id } = plan
    const { state } = this.#options
    if (incident === null)
      return { kind: 'done', text: `${told} (begun for no incident: it is told here alone)` }
    const text = `${told} [${place.server}, run ${id}:${place.phase}${place.step}]`
    const at = state.nowMs()
    await state.db.transaction().execute(async tx => {
      const before = await tx
        .selectFrom('incident_events')
        .select('id')
        .where('incident_id', '=', incident)
        .where('text', '=', text)
        .executeTakeFirst()
      if (before !== undefined) return
      const by = runName(plan)
      await tx
        .insertInto('incident_events')
        .values({ incident_id: incident, at, kind: 'comment', by, text })
        .execute()
      // A drill that rings nobody tells nobody.
      const row = await tx
        .selectFrom('incidents')
        .select('memo')
        .where('id', '=', incident)
        .executeTakeFirst()
      if (isSilentDrill(row?.memo ?? '{}')) return
      await tx
        .insertInto('notices')
        .values({ incident_id: incident, at, reason: 'reminder', rings: 0, text, done_at: null })
        .execute()
    })
    return { kind: 'done', text: told }
  }

  #server({ regions }: RunPlan, id: string): { id: string; region: string } {
    return { id, region: regions[id] ?? '' }
  }

  /** In words when it cannot be told. */
  async #holds(text: string): Promise<boolean | string> {
    const { store, fleetTime } = this.#options
    const now = fleetTime.nowMs()
    try {
      const { value } = await store.ask({ text, fromMs: now, toMs: now, stepMs: null })
      if (value.kind === 'vector') return value.items.length > 0
      return value.kind === 'scalar' && value.value !== 0 && !Number.isNaN(value.value)
    } catch (error) {
      return messageOf(error)
    }
  }
}

function isSilentDrill(memo: string): boolean {
  const { drill = null } = JSON.parse(memo) as Partial<IncidentMemo>
  return drill !== null && !drill.rings
}

function words({ runbook, id }: RunPlan, text: string): string {
  return `runbook ${runbook.name} (run ${id}): ${text}`.slice(0, 512)
}
