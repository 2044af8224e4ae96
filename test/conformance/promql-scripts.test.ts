// Owns running the PromQL test scripts on a real store. It refuses an answer that is not exactly the expected one, but
// for the last digits of a number.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Fault, silentLog, systemClock } from '#base'
import { type MetricsStore, openStore, pointsOf, type Value } from '#metrics'
import { type Expected, type ExpectedSeries, type Question, readScript } from './promql-script.ts'

const FOLDER = join(import.meta.dirname, 'scripts')
/** Late enough for every sample that a script loads. */
const NOW_MS = 7 * 86_400_000

let folders: string[] = []
let store: MetricsStore

async function clear(): Promise<void> {
  await store?.close()
  const folder = mkdtempSync(join(tmpdir(), 'vitrine-script-'))
  folders.push(folder)
  store = openStore({ folder, clock: systemClock, log: silentLog })
}

beforeEach(clear)
afterEach(async () => {
  await store.close()
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
  folders = []
})

describe.each(readdirSync(FOLDER).sort())('%s', file => {
  it('is answered as it says', async () => {
    const script = readScript(readFileSync(join(FOLDER, file), 'utf8'))
    expect(script.some(command => command.kind === 'eval')).toBe(true)
    for (const command of script) {
      if (command.kind === 'clear') await clear()
      else if (command.kind === 'load') {
        const { refused } = store.write(command.series, NOW_MS)
        expect(Object.values(refused), `line ${command.line}: samples are taken`).toEqual(
          Object.values(refused).map(() => 0),
        )
        // Half of the scripts' questions are thus answered from the disk.
        if (command.line % 2 === 0) await store.seal()
      } else
        expect(
          shown(ask(command), command),
          `${file}, line ${command.line}: ${command.query} (${command.source})`,
        ).toEqual(wanted(command))
    }
  })
})

describe('a script', () => {
  it.each([
    ['nonsense', /line 1: expected source, load/],
    ['eval at 1s up', /expected a source/],
    ['source x\neval 1s up', /expected "at TIME QUERY"/],
    ['source x\neval at soon up', /expected a duration/],
    ['source x\neval from 0s to 2s step 1s up\n  up 1 2', /expected 3 values, got 2/],
    ['load 1s\n  up one', /expected a number/],
    ['  up 1', /expected a command/],
  ])('is refused where it makes no sense: %j', (text, message) => {
    expect(() => readScript(text)).toThrow(message)
  })
})

function ask({ query, fromMs, toMs, stepMs }: Question): Value | Fault {
  try {
    return stepMs === null ? store.query(query, toMs) : store.queryRange(query, fromMs, toMs, stepMs)
  } catch (error) {
    if (error instanceof Fault) return error
    throw error
  }
}

type Shown = readonly string[] | string

/** One line a series: labels and values, to twelve digits. */
function shown(answer: Value | Fault, { ordered, fromMs, toMs, stepMs }: Question): Shown {
  if (answer instanceof Fault) return `fails: ${answer.code}`
  if (answer.kind === 'scalar') return `scalar ${digits(answer.value)}`
  if (answer.kind === 'string') return `text ${answer.text}`
  const lines =
    answer.kind === 'vector'
      ? answer.items.map(item => line(item.labels, [item.value]))
      : answer.items.map(item => {
          const values = new Map(pointsOf(item).map(point => [point.timestampMs, point.value]))
          const steps = stepMs === null ? 1 : Math.floor((toMs - fromMs) / stepMs) + 1
          const at = (step: number): number | null => values.get(fromMs + step * (stepMs ?? 0)) ?? null
          return line(
            item.labels,
            stepMs === null ? [...values.values()] : Array.from({ length: steps }, (_, step) => at(step)),
          )
        })
  return ordered ? lines : lines.sort()
}

function wanted({ expected, ordered }: { expected: Expected; ordered: boolean }): Shown {
  if (expected.kind === 'failure') return `fails: ${expected.code}`
  if (expected.kind === 'scalar') return `scalar ${digits(expected.value)}`
  if (expected.kind === 'text') return `text ${expected.text}`
  const lines = expected.series.map(({ labels, values }) => line(labels, values))
  return ordered ? lines : lines.sort()
}

function line(labels: Readonly<Record<string, string>>, values: ExpectedSeries['values']): string {
  const sorted = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))
  return `${JSON.stringify(sorted)} ${values.map(digits).join(' ')}`
}

function digits(value: ExpectedSeries['values'][number]): string {
  if (value === null) return '_'
  if (value === 'stale') return value
  return Object.is(value, -0) ? '-0' : String(Number(value.toPrecision(12)))
}
