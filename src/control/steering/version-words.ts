// Owns what differed between two versions of the steering table, in words for people. Pure.
import type { SteeringInput, SteeringTable } from '#wire'

type Foreign = NonNullable<SteeringTable['foreign']>

export interface Decision {
  readonly inputs: readonly SteeringInput[]
  readonly foreign: Foreign
}

/** One sentence a difference, those that lost weight first; `before` null: the first version that is kept. */
export function differences(before: Decision | null, after: Decision): string[] {
  if (before === null && after.inputs.length === 0) return ['no edge has connected yet']
  const known = new Map(before?.inputs.map(input => [input.id, input]))
  const lost: string[] = []
  const others: string[] = []
  for (const input of after.inputs) {
    const old = known.get(input.id)
    known.delete(input.id)
    if (old === undefined)
      others.push(`${input.id} is in the table: weight ${figure(input.weight)}, ${why(input)}`)
    else if (old.weight > input.weight) lost.push(weightWords(old, input))
    else if (old.weight < input.weight || old.keep !== input.keep) others.push(weightWords(old, input))
    if (old !== undefined && old.share !== input.share) {
      others.push(
        `${input.id}: ${percent(input.share)} of new sessions at most, before ${percent(old.share)}`,
      )
    }
    if (old !== undefined && old.url !== input.url) others.push(`${input.id} is reached at ${input.url} now`)
  }
  const gone = [...known.keys()].map(id => `${id} left the table`)
  return [...lost, ...gone, ...others, ...foreignWords(before?.foreign ?? [], after.foreign)]
}

function weightWords(old: SteeringInput, input: SteeringInput): string {
  const kept = input.keep > input.weight ? ', viewers stay' : ''
  return `${input.id}: weight ${figure(old.weight)} → ${figure(input.weight)}${kept}: ${why(input)}`
}

/** The weight's reason, and below full weight the state's own words. */
export function why({ why: short, reason, order, weight }: SteeringInput): string {
  const words = order === null ? reason : order
  return weight >= 1 || words === '' || words === short ? short : `${short} (${words})`
}

function foreignWords(before: Foreign, after: Foreign): string[] {
  const words: string[] = []
  for (const { id, weight } of after) {
    const old = before.find(entry => entry.id === id)
    if (old === undefined) words.push(`foreign server ${id} takes new viewers: weight ${figure(weight)}`)
    else if (old.weight !== weight)
      words.push(`foreign server ${id}: weight ${figure(old.weight)} → ${figure(weight)}`)
  }
  const left = before.filter(({ id }) => !after.some(entry => entry.id === id))
  return [...words, ...left.map(({ id }) => `foreign server ${id} takes no new viewers any more`)]
}

function figure(value: number): string {
  return String(Number(value.toPrecision(3)))
}

function percent(part: number): string {
  return `${Number((part * 100).toPrecision(3))} %`
}
