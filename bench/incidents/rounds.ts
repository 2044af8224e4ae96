// Owns what is measured of rounds of evaluation: how long each took, what they cost, and how many were left out.
import { setTimeout as pause } from 'node:timers/promises'
import { ask } from '../metrics/client.ts'
import type { Target } from '../metrics/targets.ts'

const LOOK_MS = 1000

export interface Rounds {
  readonly medianS: number
  readonly p99S: number
  readonly maxS: number
  /** Above what the same process takes for writes alone. */
  readonly cpuS: number
  readonly done: number
  readonly due: number
}

/** `writesCpu`: cores that the writes take without rules. */
export async function measureRounds(target: Target, seconds: number, writesCpu: number): Promise<Rounds> {
  const startedMs = performance.now()
  const before = { cpuS: target.cpuS(), done: await roundsDone(target) }
  const tookS =
    target.name === 'vitrine' ? await ownRounds(target, seconds) : await theirRounds(target, seconds)
  const elapsedS = (performance.now() - startedMs) / 1000
  const done = (await roundsDone(target)) - before.done
  tookS.sort((a, b) => a - b)
  return {
    medianS: tookS[tookS.length >> 1] ?? Number.NaN,
    p99S: tookS[Math.min(tookS.length - 1, Math.floor(tookS.length * 0.99))] ?? Number.NaN,
    maxS: tookS.at(-1) ?? Number.NaN,
    cpuS: Math.max(0, target.cpuS() - before.cpuS - writesCpu * elapsedS) / Math.max(1, done),
    done,
    due: Math.round(elapsedS),
  }
}

/** Its own series has the time of the last round each second. */
async function ownRounds(target: Target, seconds: number): Promise<number[]> {
  const fromS = Date.now() / 1000 + 1
  await pause((seconds + 2) * 1000)
  const query = `query_range?query=vitrine_control_rule_round_seconds&start=${fromS}&end=${fromS + seconds}&step=1`
  return valuesOf(await ask(target, query))
}

/** Groups have moments of their own: a round is the sum of what each took last. */
async function theirRounds(target: Target, seconds: number): Promise<number[]> {
  const rounds: number[] = []
  const endMs = performance.now() + seconds * 1000
  while (performance.now() < endMs) {
    await pause(LOOK_MS)
    rounds.push(sumOf(await metrics(target), /^prometheus_rule_group_last_duration_seconds\{.* (\S+)$/gm))
  }
  return rounds
}

async function roundsDone(target: Target): Promise<number> {
  if (target.name === 'vitrine') {
    const [, , rounds = '0'] =
      /"value":\[([^,]+),"([^"]+)"/.exec(
        await ask(target, 'query?query=vitrine_control_rule_rounds_total'),
      ) ?? []
    return Number(rounds)
  }
  const text = await metrics(target)
  const groups = text.match(/^prometheus_rule_group_last_duration_seconds\{/gm)?.length ?? 1
  const due = sumOf(text, /^prometheus_rule_group_iterations_total\{.* (\S+)$/gm)
  return (due - sumOf(text, /^prometheus_rule_group_iterations_missed_total\{.* (\S+)$/gm)) / groups
}

async function metrics(target: Target): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${target.port}/metrics`)
  return await answer.text()
}

function sumOf(text: string, pattern: RegExp): number {
  return [...text.matchAll(pattern)].reduce((sum, [, value]) => sum + Number(value), 0)
}

function valuesOf(text: string): number[] {
  return [...text.matchAll(/\[[\d.]+,"([\d.e+-]+)"\]/g)].map(([, value]) => Number(value))
}
