// Owns putting the parts of runs together for the control room, and what happens to them each moment.
import { type Closers, every } from '#base'
import type { StepOrder } from '#wire'
import { BandKeeper } from '../bands/band-keeper.ts'
import { NormalKeeper } from '../bands/normal-keeper.ts'
import type { ControlContext } from '../context.ts'
import { AutoRunner } from './auto-runner.ts'
import { FleetWorld } from './fleet-world.ts'
import { ReturnKeeper } from './return-keeper.ts'
import { RunKeeper, startRunKeeper } from './run-keeper.ts'
import { RunbookFiles } from './runbook-files.ts'
import { StepBook } from './step-book.ts'

const SECOND_MS = 1000
const LOOK_MS = 2000
const NORMAL_MS = 5000

export interface RunParts {
  readonly files: RunbookFiles
  readonly steps: StepBook
  readonly keeper: RunKeeper
  readonly bands: BandKeeper
  readonly normal: NormalKeeper
  readonly returns: ReturnKeeper
  readonly world: FleetWorld
}

type Parts = Pick<
  ControlContext,
  'fleet' | 'state' | 'store' | 'steering' | 'demand' | 'incidents' | 'fleetTime' | 'options' | 'log'
>

export function openRuns(
  parts: Parts & { readonly send: (server: string, order: StepOrder) => void },
): RunParts {
  const { fleet, state, store, steering, fleetTime, options, log, send } = parts
  const { clock } = options
  const nowMs = (): number => fleetTime.nowMs()
  const monotonicMs = (): number => clock.monotonicMs()
  const onOrders = async (): Promise<void> => {
    const orders = await state.overrides.all()
    for (const record of fleet.all()) record.override = orders.get(record.id) ?? null
    steering.refresh()
  }
  const steps = new StepBook({ send, monotonicMs })
  const bands = new BandKeeper({ store, fleet, servers: state.servers, log, nowMs })
  const normal = new NormalKeeper({ bands, fleet, nowMs })
  const returns = new ReturnKeeper({ state, fleet, log, onChange: onOrders, monotonicMs })
  const world = new FleetWorld({ ...parts, steps, bands, returns, onOrders })
  const files = new RunbookFiles(options.runbooksFolders ?? [], log)
  const keeper = new RunKeeper({ journal: state.runs, world, log, nowMs })
  return { files, steps, keeper, bands, normal, returns, world }
}

export function startRuns(context: ControlContext, closers: Closers): void {
  const { runs, log } = context
  const onError = (error: unknown): void => log.error('runs-broken', { error })
  closers.add(startRunKeeper(runs.keeper, log))
  closers.add(every(SECOND_MS, () => runs.returns.turn(), onError))
  closers.add(every(NORMAL_MS, () => runs.normal.turn(), onError))
  const auto = new AutoRunner(context)
  closers.add(
    every(
      LOOK_MS,
      async () => {
        runs.files.look()
        await auto.turn()
      },
      onError,
    ),
  )
}
