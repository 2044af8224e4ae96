// Owns the proof that formatting changes no query: what is written has the same tree, and is written the same again.
import { expect, it } from 'vitest'
import { Fault } from '#base'
import { describeQuery, formatQuery } from '#metrics'
import { QueryGenerator } from './generate-query.ts'
import { Random } from './random.ts'

const SEED = 5
const COUNT = 3000

it(`formatted queries mean what they meant (seed ${SEED})`, () => {
  const generator = new QueryGenerator(new Random(SEED))
  let formatted = 0
  for (let at = 0; at < COUNT; at += 1) {
    const query = generator.query().replaceAll('holt_winters', 'double_exponential_smoothing')
    let tree: unknown
    try {
      tree = describeQuery(query)
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      continue
    }
    const text = formatQuery(query)
    expect(sorted(describeQuery(text)), query).toEqual(sorted(tree))
    expect(formatQuery(text), query).toBe(text)
    formatted += 1
  }
  expect(formatted).toBeGreaterThan(COUNT * 0.8)
})

/** Matchers are written in the order of their names. */
function sorted(tree: unknown): unknown {
  return JSON.parse(JSON.stringify(tree), (key, value: unknown) =>
    key === 'matchers' && Array.isArray(value) ? value.map(one => JSON.stringify(one)).sort() : value,
  )
}
