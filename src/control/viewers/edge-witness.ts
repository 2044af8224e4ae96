// Owns asking the metrics store whether an edge's process stood still around a stall: only its agent could see that. At
// most so many questions a second; beyond them, and without an agent, it is not known.
import type { MetricsStore } from '#metrics'
import type { EdgeWitness } from './judge-session.ts'

const QUESTIONS_A_SECOND = 20
const ANSWERS_MAX = 1000
/** Agents look once a second. */
const STEP_MS = 1000
const SPAN_MS_MAX = 120_000

export function edgeWitness(store: Pick<MetricsStore, 'queryRange'>, monotonicMs: () => number): EdgeWitness {
  const answers = new Map<string, number | null>()
  let second = 0
  let asked = 0
  const ask = (edge: string, fromMs: number, toMs: number): number | null => {
    const lines = store.queryRange(
      `max(last_over_time(vitrine_server_process_stopped{instance="${edge}"}[2s]))`,
      fromMs,
      toMs,
      STEP_MS,
    )
    const values = lines.items.flatMap(line => [...line.values])
    return values.length === 0 ? null : values.filter(value => value > 0).length * (STEP_MS / 1000)
  }
  return {
    stoppedS: (edge, fromMs, toMs) => {
      const [from, to] = [
        Math.floor(fromMs / STEP_MS),
        Math.ceil(Math.min(toMs, fromMs + SPAN_MS_MAX) / STEP_MS),
      ]
      const key = `${edge} ${from} ${to}`
      const known = answers.get(key)
      if (known !== undefined) return known
      const now = Math.floor(monotonicMs() / 1000)
      if (now !== second) [second, asked] = [now, 0]
      asked += 1
      if (asked > QUESTIONS_A_SECOND) return null
      if (answers.size >= ANSWERS_MAX) answers.clear()
      const answer = ask(edge, from * STEP_MS, to * STEP_MS)
      answers.set(key, answer)
      return answer
    },
  }
}
