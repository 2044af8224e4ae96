// Owns `vitrine rules back-test`: when the alerts of a file would have fired, by what the running control room of this
// data folder has stored. It changes nothing.
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Command } from 'commander'
import { isoTime, messageOf } from '#base'
import { readRules } from '#control'
import { type BackTestAnswer, type BackTestResult, backTestAnswer } from '#wire'
import { cliFaults } from '../faults.ts'
import { withControl } from './ask-control.ts'
import { type CommonOptions, callerPath, print, readTime, withData, withJson } from './context.ts'

const SINCE_S = 7 * 86_400
const SINCE_S_MAX = 400 * 86_400
const LOOK_MS = 500
/** Of one rule; the control room itself gives up after two minutes of work. */
const RULE_MS_MAX = 180_000
const SPANS_SHOWN = 10

type BackTestOptions = CommonOptions & { readonly since?: number; readonly rule?: string }

export function registerBackTest(rules: Command): void {
  const command = rules
    .command('back-test <file>')
    .description('when the alerts of a file would have fired, by what is stored')
    .option('--since <time>', 'how far back, for example 6h, 30d (default: 7d)', text =>
      readTime(text, SINCE_S_MAX),
    )
    .option('--rule <name>', 'only the alerts of this name')
    .addHelpText('after', '\nExamples:\n  npx vitrine rules back-test /etc/vitrine/rules/own.yaml --since 7d')
    .action((file: string, options: BackTestOptions) => run(callerPath(file), options))
  withJson(withData(command))
}

async function run(path: string, options: BackTestOptions): Promise<void> {
  const text = textOf(path)
  const lines = linesOf(readRules(text, path), options.rule)
  if (lines.length === 0) {
    const which = options.rule === undefined ? 'no alert' : `no alert ${options.rule}`
    throw cliFaults.fault('cli-usage', `${path} has ${which}`)
  }
  const name = /\.ya?ml$/.test(path) ? basename(path).replaceAll(/[^A-Za-z0-9_.-]/g, '-') : 'rules.yaml'
  const asked = {
    name: /^[A-Za-z0-9]/.test(name) ? name : `r${name}`,
    text,
    rangeMs: (options.since ?? SINCE_S) * 1000,
  }
  const results = await withControl(options, { role: 'operator', name: 'rules back-test' }, async ask => {
    const found: BackTestResult[] = []
    for (const line of lines) found.push(await backTest(ask, { ...asked, line }))
    return found
  })
  print(results, options.json, all => all.flatMap(words))
}

async function backTest(
  ask: (path: string, body?: unknown) => Promise<unknown>,
  request: { readonly line: number },
): Promise<BackTestResult> {
  const begunMs = performance.now()
  const path = '/api/v1/rules/back-tests'
  let answer: BackTestAnswer = backTestAnswer.parse(await ask(path, request))
  while (answer.state === 'running' && performance.now() - begunMs < RULE_MS_MAX) {
    await pause(LOOK_MS)
    answer = backTestAnswer.parse(await ask(`${path}/${answer.id}`))
  }
  if (answer.result !== null) return answer.result
  throw cliFaults.fault('cli-usage', `line ${request.line}: ${answer.problem ?? 'it takes too long'}`)
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw cliFaults.fault('cli-usage', messageOf(error), { cause: error })
  }
}

function linesOf(groups: ReturnType<typeof readRules>, name: string | undefined): number[] {
  return groups.flatMap(({ rules }) =>
    rules
      .filter(rule => rule.kind === 'alert' && (name === undefined || rule.name === name))
      .map(({ at }) => Number(/:(\d+)$/.exec(at)?.[1] ?? 0)),
  )
}

function words({
  rule,
  alerts,
  neverFired,
  from,
  to,
  sets,
  shown,
  hadData,
  notes,
}: BackTestResult): string[] {
  const span = `${isoTime(from)} to ${isoTime(to)}`
  const head = hadData
    ? `${rule}: would have fired ${alerts} times, and was pending ${neverFired} times in vain; ${sets} label sets; ${span}`
    : `${rule}: nothing that it looks at is stored; ${span}`
  const spans = shown
    .flatMap(({ labels, spans: own }) => own.map(one => ({ ...one, labels })))
    .filter(({ state }) => state === 'firing')
    .toSorted((a, b) => a.from - b.from)
  const lines = spans.slice(0, SPANS_SHOWN).map(one => {
    const labels = Object.entries(one.labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    return `  ${isoTime(one.from)} to ${one.to === null ? 'now' : isoTime(one.to)}  {${labels.join(', ')}}`
  })
  const rest = spans.length > lines.length ? [`  and ${spans.length - lines.length} more`] : []
  return [head, ...lines, ...rest, ...notes.map(note => `  ${note}`)]
}
