// Owns what becomes of a control room's orders on this host: only names of the list, one order at a time, each begun at
// most once unless it may be repeated. A begun order without an end is `unknown` until its check says otherwise.
import { type Log, messageOf } from '#base'
import { STEP_OUTPUT_CHARACTERS_MAX, type StepList, type StepOrder, type StepReport } from '#wire'
import {
  argumentProblem,
  type BuiltinStep,
  type CommandStep,
  fillCommand,
  type KnownStep,
  readAllowList,
} from './allow-list.ts'
import { isRunning, processOf, waitForEnd } from './left-running.ts'
import { type CommandEnd, runCommand } from './run-command.ts'
import { type JournalEntry, StepJournal } from './step-journal.ts'

const WAITING_MAX = 20
const TEXT_CHARACTERS_MAX = 512
const LOOK_EVERY_MS = 2000

export interface StepKeeperOptions {
  /** The allow-list; null: there is none. */
  readonly file: string | null
  readonly builtin: readonly BuiltinStep[]
  /** Of the journal. */
  readonly folder: string
  readonly send: (message: StepReport | StepList) => void
  readonly log: Log
}

export class StepKeeper {
  readonly #options: StepKeeperOptions
  readonly #journal: StepJournal
  /** The newest word of each order that waits or goes on. */
  readonly #current = new Map<string, StepReport>()
  #list: StepList = { type: 'step-list', steps: [], problem: null }
  #steps = new Map<string, KnownStep>()
  #work: Promise<void> = Promise.resolve()
  #told = ''

  constructor(options: StepKeeperOptions) {
    this.#options = options
    this.#journal = new StepJournal(options.folder)
    this.#read()
  }

  /** After each welcome. */
  tell(): void {
    this.#read()
    this.#told = JSON.stringify(this.#list)
    this.#options.send(this.#list)
  }

  /** Looks whether the file has changed; every two seconds. */
  look(): void {
    this.#read()
    const now = JSON.stringify(this.#list)
    if (now === this.#told) return
    this.#told = now
    this.#options.send(this.#list)
  }

  static readonly lookEveryMs: number = LOOK_EVERY_MS

  take(order: StepOrder): void {
    const running = this.#current.get(order.id)
    if (running !== undefined) return this.#options.send(running)
    const known = this.#journal.get(order.id)
    if (known?.kind === 'over') return this.#options.send(known.report)
    const refusal = this.#refusal(order)
    if (refusal !== null) {
      this.#options.log.warn('step-refused', { order: order.id, step: order.step, problem: refusal })
      return this.#options.send(reportOf(order.id, known === null ? 'refused' : 'unknown', refusal))
    }
    const step = this.#steps.get(order.step)
    if (step === undefined) return
    this.#say(reportOf(order.id, 'running', 'waits for its turn'))
    this.#work = this.#work
      .then(() => this.#carryOut(order, step, known))
      .catch((error: unknown) => {
        this.#current.delete(order.id)
        this.#options.log.error('step-broken', { order: order.id, problem: messageOf(error) })
      })
  }

  /** Resolves when nothing is under way. */
  async close(): Promise<void> {
    await this.#work
  }

  #refusal(order: StepOrder): string | null {
    const step = this.#steps.get(order.step)
    if (step === undefined) {
      const why = this.#list.problem === null ? '' : `; ${this.#list.problem}`
      return `${order.step} is not on the list of this host${why}`
    }
    if (this.#current.size >= WAITING_MAX) return `${WAITING_MAX} orders wait already`
    return argumentProblem(step, order.arguments)
  }

  async #carryOut(order: StepOrder, step: KnownStep, begun: JournalEntry | null): Promise<void> {
    const { id } = order
    const { log } = this.#options
    if (begun?.kind === 'begun') {
      await this.#waitForLeft(order, step, begun)
      const done = await this.#settleUnknown(order, step)
      if (done !== null) return this.#end(done)
    }
    try {
      this.#journal.start(id, step.name)
    } catch (error) {
      const words = `not begun: its start could not be written down: ${messageOf(error)}`
      this.#current.delete(id)
      return this.#options.send(reportOf(id, 'refused', words))
    }
    log.info('step-begun', { order: id, step: step.name, arguments: order.arguments })
    this.#say(reportOf(id, 'running', 'runs'))
    const report = step.kind === 'builtin' ? await runBuiltin(id, step) : await this.#runCommand(order, step)
    log.info('step-ended', { order: id, step: step.name, state: report.state, text: report.text })
    this.#end(report)
  }

  /** What the agent left running when it was killed runs on: it has to end before anything is said or begun again. */
  async #waitForLeft(
    { id }: StepOrder,
    step: KnownStep,
    { process: left }: JournalEntry & { kind: 'begun' },
  ): Promise<void> {
    if (left === null || step.kind !== 'command' || !isRunning(left)) return
    this.#say(
      reportOf(id, 'running', 'the agent was started again, the command still runs: waits for its end'),
    )
    await waitForEnd(left, step.timeoutS * 1000)
  }

  /** Of an order that was begun by an agent that did not live to its end. Null: it is begun again. */
  async #settleUnknown(order: StepOrder, step: KnownStep): Promise<StepReport | null> {
    const { id } = order
    if (step.kind === 'command' && step.check !== null) {
      const { code, problem, output } = await runCommand(
        fillCommand(step.check, order.arguments),
        limitsOf(step),
      )
      if (code === 0)
        return reportOf(id, 'done', 'its check shows that it was done before the agent ended', output)
      // By convention: 1 is undone, everything else is no answer.
      if (code === 1) return null
      if (!step.idempotent)
        return reportOf(
          id,
          'unknown',
          `the agent ended while it ran, and its check does not tell: ${problem ?? `code ${code}`}`,
          output,
        )
    }
    if (step.idempotent) return null
    return reportOf(id, 'unknown', 'the agent ended while it ran: it may have run, in part or whole')
  }

  async #runCommand(order: StepOrder, step: CommandStep): Promise<StepReport> {
    const { id } = order
    const ended = await runCommand(fillCommand(step.command, order.arguments), {
      ...limitsOf(step),
      onStarted: pid => this.#noteProcess(id, pid),
      onOutput: output => this.#current.set(id, reportOf(id, 'running', 'runs', output)),
    })
    return await this.#judge(order, step, ended)
  }

  #noteProcess(id: string, pid: number): void {
    const process = processOf(pid)
    if (process === null) return
    try {
      this.#journal.runs(id, process)
    } catch (error) {
      // It runs already: should the agent be killed now, it is judged as if it had ended.
      this.#options.log.warn('step-process-not-noted', { order: id, problem: messageOf(error) })
    }
  }

  /** Its check has the last word: a command that says yes and did nothing has failed. */
  async #judge(
    order: StepOrder,
    step: CommandStep,
    { code, problem, output }: CommandEnd,
  ): Promise<StepReport> {
    const { id } = order
    if (code !== 0) return reportOf(id, 'failed', problem ?? `ended with code ${code}`, output)
    if (step.check === null) return reportOf(id, 'done', 'ended well', output)
    const check = await runCommand(fillCommand(step.check, order.arguments), limitsOf(step))
    if (check.code === 0) return reportOf(id, 'done', 'ended well, and its check agrees', output)
    const words = `ended well, but its check says otherwise: ${check.problem ?? `code ${check.code}`}`
    return reportOf(id, 'failed', words, `${output}\n${check.output}`)
  }

  #say(report: StepReport): void {
    this.#current.set(report.id, report)
    this.#options.send(report)
  }

  #end(report: StepReport): void {
    this.#current.delete(report.id)
    // What stays open in the journal is settled when the order comes again.
    if (report.state !== 'unknown') this.#journal.end(report)
    this.#options.send(report)
  }

  #read(): void {
    const { file, builtin } = this.#options
    let own: readonly CommandStep[] = []
    let problem: string | null = null
    try {
      own = file === null ? [] : readAllowList(file)
    } catch (error) {
      problem = messageOf(error).slice(0, 1024)
    }
    this.#steps = new Map<string, KnownStep>([...builtin, ...own].map(step => [step.name, step]))
    const steps = [...this.#steps.values()].map(
      ({ name, description, parameters, idempotent, hasCheck, timeoutS }) => ({
        name,
        description,
        parameters: { ...parameters },
        idempotent,
        hasCheck,
        timeoutS,
      }),
    )
    this.#list = { type: 'step-list', steps, problem }
  }
}

async function runBuiltin(id: string, step: BuiltinStep): Promise<StepReport> {
  try {
    return reportOf(id, 'done', await step.run())
  } catch (error) {
    return reportOf(id, 'failed', messageOf(error))
  }
}

function limitsOf({ timeoutS, user, environment }: CommandStep): Parameters<typeof runCommand>[1] {
  return { timeoutMs: timeoutS * 1000, user, environment }
}

function reportOf(id: string, state: StepReport['state'], text: string, output = ''): StepReport {
  return {
    type: 'step-report',
    id,
    state,
    text: text.slice(0, TEXT_CHARACTERS_MAX),
    output: output.slice(-STEP_OUTPUT_CHARACTERS_MAX),
  }
}
