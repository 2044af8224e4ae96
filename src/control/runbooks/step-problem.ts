// Owns whether an agent would carry out a step: whether it is there, has the step on its list, and takes the arguments.
// The agent looks again itself: its word counts.
import { RE2JS } from 're2js'
import { fillIn, type RunbookStep } from './runbook.ts'
import type { StepBook } from './step-book.ts'

/** Null: nothing stands in the way. */
export function stepProblem(
  steps: StepBook,
  { name, on, arguments: given }: Extract<RunbookStep, { kind: 'run' }>,
  server: { readonly id: string; readonly region: string },
): string | null {
  const carrier = on ?? server.id
  const list = steps.listOf(carrier)
  if (list === null) return `the agent of ${carrier} has not said what it may carry out: it is not connected`
  const step = steps.stepOf(carrier, name)
  if (step === null) {
    const why = list.problem === null ? '' : `: ${list.problem}`
    const known = list.steps.map(one => one.name).join(', ')
    return `${name} is not on the list of ${carrier}${why}; it has ${known === '' ? 'nothing' : known}`
  }
  for (const [parameter, pattern] of Object.entries(step.parameters)) {
    const value = given[parameter]
    if (value === undefined) return `${name} needs the argument ${parameter} (${pattern})`
    const filled = fillIn(value, server)
    if (!matches(pattern, filled))
      return `${name}: argument ${parameter} is ${JSON.stringify(filled)}, expected ${pattern}`
  }
  const extra = Object.keys(given).find(parameter => !(parameter in step.parameters))
  return extra === undefined ? null : `${name} has no parameter ${extra}`
}

/** A pattern that cannot be read here is left to the agent. */
function matches(pattern: string, value: string): boolean {
  try {
    return RE2JS.compile(pattern).matches(value)
  } catch {
    return true
  }
}
