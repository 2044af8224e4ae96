// What an agent carries out, what it refuses, and what it knows after it was killed in the middle of a step.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { silentLog } from '#base'
import type { StepList, StepReport } from '#wire'
import { isRunning, processOf, waitForEnd } from './left-running.ts'
import { StepJournal } from './step-journal.ts'
import { StepKeeper } from './step-keeper.ts'

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vitrine-steps-'))
  file = join(folder, 'steps.yaml')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

interface Agent {
  readonly keeper: StepKeeper
  readonly said: (StepReport | StepList)[]
  order(this: void, step: string, given?: Record<string, string>, id?: string): Promise<StepReport>
}

function agent(text: string): Agent {
  writeFileSync(file, text, { mode: 0o600 })
  const said: (StepReport | StepList)[] = []
  const send = (message: StepReport | StepList): void => void said.push(message)
  const keeper = new StepKeeper({ file, builtin: [], folder: join(folder, 'state'), send, log: silentLog })
  keeper.tell()
  return {
    keeper,
    said,
    order: async (step, given = {}, id = 'o1') => {
      keeper.take({ type: 'step-order', id, step, arguments: given })
      await keeper.close()
      return said.at(-1) as StepReport
    },
  }
}

const NODE = JSON.stringify(process.execPath)
/** Writes its arguments and its environment to a file. */
const note = (): string => `steps:
  note:
    command: [${NODE}, -e, "require('fs').appendFileSync(process.argv[1], JSON.stringify([process.argv.slice(2), process.env]) + '\\\\n'); console.log('said')", ${join(folder, 'out')}, "{what}"]
    parameters: { what: "[a-z ;$()]+" }
    environment: { OWN: yes }
`
const noted = (): [string[], Record<string, string>][] =>
  existsSync(join(folder, 'out'))
    ? readFileSync(join(folder, 'out'), 'utf8')
        .trim()
        .split('\n')
        .map(line => JSON.parse(line) as never)
    : []

describe('a step of the list', () => {
  it('runs once for an order, without a shell, with an environment of its own, and shows what it printed', async () => {
    const { order, said, keeper } = agent(note())
    process.env['SECRET_OF_AGENT'] = 'x'
    expect(await order('note', { what: 'a; $(b) c' })).toMatchObject({ state: 'done', output: 'said\n' })
    await order('note', { what: 'a; $(b) c' })
    expect(said.at(-1)).toMatchObject({ state: 'done' })
    expect(noted()).toHaveLength(1)
    const [given, environment] = noted()[0] ?? [[], {}]
    expect(given).toEqual(['a; $(b) c'])
    expect(Object.keys(environment).toSorted()).toEqual(['LANG', 'OWN', 'PATH'])
    await keeper.close()
    const later = agent(note())
    expect(await later.order('note', { what: 'a; $(b) c' })).toMatchObject({ state: 'done' })
    expect(noted(), 'known over a restart').toHaveLength(1)
  })

  it.each([
    ['that is not on it', 'other', {}, /other is not on the list/],
    ['with an argument that does not match as a whole', 'note', { what: 'a/b' }, /argument what is "a\/b"/],
    ['without an argument', 'note', {}, /needs the argument what/],
    ['with one too many', 'note', { what: 'a', more: 'b' }, /no parameter more/],
  ])('is refused %s', async (_what, step, given, text) => {
    const report = await agent(note()).order(step, given)
    expect(report.state).toBe('refused')
    expect(report.text).toMatch(text)
    expect(noted()).toEqual([])
  })

  it('has failed when its check says otherwise, and when it does not end in time', async () => {
    const lies = await agent('steps:\n  lie:\n    command: ["true"]\n    check: ["false"]\n').order('lie')
    expect(lies).toMatchObject({ state: 'failed', text: expect.stringContaining('its check says otherwise') })
    const slow = await agent('steps:\n  slow:\n    command: [sleep, "60"]\n    timeout: 0.05\n').order(
      'slow',
      {},
      'o2',
    )
    expect(slow).toMatchObject({ state: 'failed', text: expect.stringContaining('was ended') })
  })
})

describe('a step that was begun by an agent that was killed', () => {
  const begun = (): void => new StepJournal(join(folder, 'state')).start('o1', 'note')
  const step = (more: string): string => note().replace('    environment', `${more}    environment`)

  it('is unknown, and is not run again', async () => {
    begun()
    expect(await agent(note()).order('note', { what: 'a' })).toMatchObject({ state: 'unknown' })
    expect(await agent(note()).order('note', { what: 'a' })).toMatchObject({ state: 'unknown' })
    expect(noted()).toEqual([])
  })

  it('is run again when it may be, or when its check shows that it was not done', async () => {
    begun()
    expect(await agent(step('    idempotent: true\n')).order('note', { what: 'a' })).toMatchObject({
      state: 'done',
    })
    expect(noted()).toHaveLength(1)
    const undone = step(`    check: [test, -e, ${join(folder, 'made')}]\n`).replace('/out, ', '/made, ')
    const state = new StepJournal(join(folder, 'state'))
    state.start('o3', 'note')
    expect(await agent(undone).order('note', { what: 'a' }, 'o3')).toMatchObject({ state: 'done' })
    expect(existsSync(join(folder, 'made'))).toBe(true)
  })

  it('is done when its check shows it, and unknown when its check does not tell', async () => {
    begun()
    expect(await agent(step('    check: ["true"]\n')).order('note', { what: 'a' })).toMatchObject({
      state: 'done',
    })
    new StepJournal(join(folder, 'state')).start('o4', 'note')
    const torn = agent(step('    check: [sh, -c, "exit 7"]\n'))
    expect(await torn.order('note', { what: 'a' }, 'o4')).toMatchObject({ state: 'unknown' })
    expect(noted()).toEqual([])
  })

  it('is waited for while it runs on, and never runs beside itself', async () => {
    const gate = join(folder, 'gate')
    const left = spawn('sh', ['-c', 'while [ ! -e "$0" ]; do sleep 0.02; done', gate], { detached: true })
    const ended = once(left, 'exit')
    const process = processOf(left.pid ?? 0)
    if (process === null) throw new Error('it does not run')
    const journal = new StepJournal(join(folder, 'state'))
    journal.start('o1', 'note')
    journal.runs('o1', process)
    const { keeper, said } = agent(step('    idempotent: true\n'))
    keeper.take({ type: 'step-order', id: 'o1', step: 'note', arguments: { what: 'a' } })
    await vi.waitFor(() =>
      expect(said.at(-1)).toMatchObject({ text: expect.stringContaining('waits for its end') }),
    )
    expect(noted()).toEqual([])
    writeFileSync(gate, '')
    await ended
    await keeper.close()
    expect(said.at(-1)).toMatchObject({ state: 'done' })
    expect(noted()).toHaveLength(1)
  })

  it('is ended after its time, as that of a living agent is', async () => {
    const left = spawn('sleep', ['60'], { detached: true })
    const ended = once(left, 'exit')
    const process = processOf(left.pid ?? 0)
    if (process === null) throw new Error('it does not run')
    // Another process with its number, of another time, is not its business.
    await waitForEnd({ ...process, startTicks: process.startTicks + 1 }, 0)
    expect(isRunning(process)).toBe(true)
    await waitForEnd(process, 50)
    expect(isRunning(process)).toBe(false)
    expect((await ended)[1]).toBe('SIGTERM')
  })

  it('is known although the crash tore the last line of the journal', async () => {
    begun()
    writeFileSync(join(folder, 'state', 'steps.jsonl'), '{"kind":"end","id":"o1","rep', { flag: 'a' })
    expect(await agent(note()).order('note', { what: 'a' })).toMatchObject({ state: 'unknown' })
  })
})

describe('a list that is not taken', () => {
  const problemOf = (text: string, spoil: () => void = () => {}): string | null => {
    writeFileSync(file, text, { mode: 0o600 })
    spoil()
    const said: (StepReport | StepList)[] = []
    const send = (message: StepReport | StepList): void => void said.push(message)
    new StepKeeper({ file, builtin: [], folder: join(folder, 'state'), send, log: silentLog }).tell()
    const list = said.at(-1) as StepList
    expect(list.steps).toEqual([])
    return list.problem
  }
  const good = 'steps:\n  a:\n    command: ["true"]\n'

  it('is one that others may write, a link, or none at all', () => {
    expect(problemOf(good, () => chmodSync(file, 0o666))).toMatch(/others may write it/)
    expect(problemOf(good, () => chmodSync(folder, 0o777))).toMatch(/others may write it/)
    chmodSync(folder, 0o700)
    const link = (): void => {
      rmSync(file)
      symlinkSync('/etc/hostname', file)
    }
    expect(problemOf(good, link)).toMatch(/symbolic link/)
    rmSync(file)
    expect(problemOf(good, () => rmSync(file))).toMatch(/ENOENT/)
  })

  it.each([
    ['has an unknown key', 'steps:\n  a:\n    command: ["true"]\n    shell: yes\n', /shell/],
    [
      'uses a placeholder that nobody declared',
      'steps:\n  a:\n    command: [echo, "{x}"]\n',
      /\{x\} stands in the command/,
    ],
    [
      'lets the program be chosen from afar',
      'steps:\n  a:\n    command: ["{x}"]\n    parameters: { x: ".*" }\n',
      /program itself/,
    ],
    [
      'has a pattern that cannot be read',
      'steps:\n  a:\n    command: [echo, "{x}"]\n    parameters: { x: "(" }\n',
      /parameters\.x/,
    ],
    ['has a command that is one text', 'steps:\n  a:\n    command: rm -rf /\n', /command/],
  ])('%s', (_what, text, problem) => {
    expect(problemOf(text)).toMatch(problem)
  })
})
