import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Clock, Fault, type Labels, systemClock } from '#base'
import { METRIC_NAME, valueOf } from '../labels.ts'
import { staleMarker } from '../stale.ts'
import { QueryEngine } from './engine.ts'
import type { SampleSource } from './source.ts'

interface Series {
  readonly labels: Labels
  readonly points: readonly (readonly [seconds: number, value: number])[]
}

/** A source of fixed samples: what the store does with matchers and times, in its plainest form. */
function source(all: readonly Series[]): SampleSource {
  return {
    select: (matchers, fromMs, toMs, meter) => {
      const found = all.filter(({ labels }) => matchers.every(one => one.test(valueOf(labels, one.name))))
      meter.series(found.length)
      return found.flatMap(({ labels, points }) => {
        const inside = points.filter(([seconds]) => seconds * 1000 >= fromMs && seconds * 1000 <= toMs)
        meter.samples(inside.length)
        meter.tick()
        if (inside.length === 0) return []
        const times = Float64Array.from(inside, ([seconds]) => seconds * 1000)
        const values = Float64Array.from(inside, ([, value]) => value)
        return [{ labels, load: () => ({ times, values }) }]
      })
    },
  }
}

const every10s: readonly (readonly [number, number])[] = Array.from({ length: 61 }, (_, at) => [at * 10, at])
const DATA: readonly Series[] = [
  { labels: { [METRIC_NAME]: 'up', instance: 'a' }, points: every10s },
  { labels: { [METRIC_NAME]: 'up', instance: 'b' }, points: every10s.map(([at, value]) => [at, value * 2]) },
  {
    labels: { [METRIC_NAME]: 'ended' },
    points: [
      [0, 1],
      [10, 2],
      [20, staleMarker()],
    ],
  },
  { labels: { [METRIC_NAME]: 'text', line: 'one\ntwo' }, points: [[600, 1]] },
  { labels: { [METRIC_NAME]: 'clash', __proto__x: '1', constructor: 'c' }, points: [[600, 5]] },
]

function engine(
  options: { clock?: Clock; querySamplesMax?: number; queryTimeoutMs?: number; queriesMax?: number } = {},
): QueryEngine {
  return new QueryEngine(source(DATA), { clock: systemClock, ...options })
}

/** The values of an instant query, by their order. */
function ask(query: string, atS = 600): number[] {
  const value = engine().query(query, atS * 1000)
  if (value.kind === 'scalar') return [value.value]
  if (value.kind !== 'vector') throw new Error(value.kind)
  return value.items.map(item => item.value)
}

function code(query: string): string {
  try {
    ask(query)
    return 'answered'
  } catch (error) {
    return error instanceof Fault ? error.code : String(error)
  }
}

// https://prometheus.io/docs/prometheus/latest/migration/ : "Range selectors and lookback exclude samples coinciding
// with the left boundary".
describe('what is new in Prometheus 3', () => {
  it('leaves a sample on the left border of a range out, and keeps one on the right', () => {
    expect(ask('count_over_time(up{instance="a"}[20s])')).toEqual([2])
    expect(ask('count_over_time(up{instance="a"}[19999ms])')).toEqual([2])
    expect(ask('count_over_time(up{instance="a"}[20001ms])')).toEqual([3])
  })

  it('leaves a sample on the border of the look-back out', () => {
    expect(ask('up{instance="a"}', 899)).toEqual([60])
    expect(ask('up{instance="a"}', 900)).toEqual([])
  })

  it('leaves the left border of a subquery out', () => {
    expect(ask('count_over_time(up{instance="a"}[1m:10s])')).toEqual([6])
  })

  it('lets the dot of a regular expression match a line break', () => {
    expect(ask('text{line=~"one.two"}')).toEqual([1])
  })

  it('takes ranges in plain seconds, names with underscores in numbers, and quoted names', () => {
    expect(ask('count_over_time(up{instance="a"}[20])')).toEqual([2])
    expect(ask('1_000')).toEqual([1000])
    expect(ask('{"up", "instance"="a"}')).toEqual([60])
    expect(ask('sum by ("instance") (up)')).toEqual([60, 120])
  })
})

describe('staleness', () => {
  it('ends a series at its marker, and leaves it out of ranges', () => {
    expect(ask('ended', 19)).toEqual([2])
    expect(ask('ended', 20)).toEqual([])
    expect(ask('count_over_time(ended[1m])', 30)).toEqual([2])
    expect(ask('last_over_time(ended[1m])', 30)).toEqual([2])
  })
})

describe('binding of operators', () => {
  it.each([
    ['-1 ^ 2', [-1]],
    ['2 ^ 3 ^ 0', [2]],
    ['2 * 3 + 4 * 5', [26]],
    ['-2 * 3', [-6]],
    ['2 ^ -1', [0.5]],
    ['1 + up{instance="a"} offset 10s * 2', [119]],
    ['up{instance="a"} - up{instance="a"} @ 100', [50]],
    ['-up{instance="a"} offset 1m', [-54]],
    ['1 - sum_over_time(up{instance="a"}[20s] @ 20)', [-2]],
    ['0 or up', 'metrics-promql-syntax'],
    ['1 == bool 1 + 0', [1]],
    ['up{instance="a"} or up and nothing', [60]],
  ])('%s', (query, expected) => {
    if (typeof expected === 'string') expect(code(query)).toBe(expected)
    else expect(ask(query)).toEqual(expected)
  })
})

describe('labels', () => {
  it('may be named like members of Object.prototype', () => {
    expect(ask('clash{constructor="c"}')).toEqual([5])
    expect(ask('clash{toString=""}')).toEqual([5])
    expect(ask('sum by (constructor, valueOf) (clash)')).toEqual([5])
  })
})

describe('refusals', () => {
  it.each([
    ['up[', 'metrics-promql-syntax'],
    ['nosuch(up)', 'metrics-promql-syntax'],
    ['info(up)', 'metrics-promql-unsupported'],
    ['limit_ratio(0.5, up)', 'metrics-promql-unsupported'],
    ['histogram_avg(up)', 'metrics-promql-unsupported'],
    ['up[1m + 1m]', 'metrics-promql-unsupported'],
    ['rate(up[1m * 2])', 'metrics-promql-unsupported'],
    ['up + fill(0) up', 'metrics-promql-unsupported'],
    ['up smoothed', 'metrics-promql-unsupported'],
    ['up * on () up', 'metrics-promql-execution'],
    [`${'('.repeat(5000)}1${')'.repeat(5000)}`, 'metrics-promql-syntax'],
    [`${'-'.repeat(5000)}1`, 'metrics-promql-syntax'],
    ['x'.repeat(70_000), 'metrics-promql-syntax'],
    [`up{instance=~"${'a'.repeat(5000)}"}`, 'metrics-promql-syntax'],
    ['up{instance=~"(a{1000}){1000}"}', 'metrics-promql-syntax'],
  ])('%s', (query, expected) => {
    expect(code(query.slice(0, 80_000))).toBe(expected)
  })

  it('name the place', () => {
    expect(() => ask('up + rate(up)')).toThrow(
      /character 11: call to function rate: expected type range vector/,
    )
    expect(() => ask('up{a="b"')).toThrow(/unexpected end of input/)
  })

  it('keep within steps, samples and time', () => {
    const limited =
      (options: Parameters<typeof engine>[0]): (() => unknown) =>
      () =>
        engine(options).query('sum_over_time(up[10m])', 600_000)
    expect(() => engine().queryRange('up', 0, 11_000_000, 1000)).toThrow(/at most 11000 steps, got 11001/)
    expect(() => engine().queryRange('up', 0, 1000, 0)).toThrow(/step above 0/)
    expect(() => engine().queryRange('up', 1000, 0, 10)).toThrow(/not before the start/)
    expect(limited({ querySamplesMax: 10 })).toThrow(/more than 10 samples/)
    let nowMs = 0
    const clock: Clock = { wallMs: () => 0, bootMs: () => 0, monotonicMs: () => (nowMs += 1100) }
    const slow = (): unknown =>
      engine({ clock, queryTimeoutMs: 1000 }).queryRange('sum_over_time(up[10m])', 0, 10_000_000, 1000)
    expect(slow).toThrow(expect.objectContaining({ code: 'metrics-promql-timeout', retry: true }))
  })
})

describe('any text', () => {
  const WORDS = `up instance sum rate by ( ) [ ] { } " ' = =~ != 1 5m : , + - * / ^ and or unless on ignoring
    group_left offset @ start() bool topk quantile 0.5 "a" label_replace time() # \\ nan [5m] [5m:1m] absent`
  const seed = 20_240_101

  it(`is answered, or refused with a fault (seed ${seed})`, () => {
    const word = fc.constantFrom(...WORDS.split(/\s+/))
    const one = engine()
    const refused = (text: string): void => {
      try {
        one.query(text, 600_000)
        one.queryRange(text, 0, 600_000, 60_000)
      } catch (error) {
        if (!(error instanceof Fault))
          throw new Error(`${JSON.stringify(text)}: ${String(error)}`, { cause: error })
      }
    }
    fc.assert(
      fc.property(fc.array(word, { maxLength: 14 }), words => refused(words.join(' '))),
      { seed, numRuns: 3000 },
    )
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 40 }), refused), { seed, numRuns: 2000 })
  })
})

describe('queries that are asked together', () => {
  const question = { text: 'up', fromMs: 0, toMs: 600_000, stepMs: 1000 }

  it('are answered as alone, with what they have cost', async () => {
    const asked = engine()
    const answers = await Promise.all(Array.from({ length: 9 }, () => asked.ask(question)))
    for (const { value, explain } of answers) {
      expect(value).toEqual(engine().queryRange('up', 0, 600_000, 1000))
      expect(explain).toMatchObject({ series: 2 })
      expect(explain.samples).toBeGreaterThanOrEqual(122)
    }
  })

  it('wait for their turn, and are refused where too many wait', async () => {
    const asked = engine({ queriesMax: 2 })
    const results = await Promise.allSettled(Array.from({ length: 9 }, () => asked.ask(question)))
    expect(results.filter(result => result.status === 'fulfilled')).toHaveLength(6)
    for (const result of results) {
      if (result.status === 'rejected')
        expect(result.reason).toMatchObject({ code: 'metrics-promql-busy', status: 429 })
    }
    // The places are free again, also after a query that failed.
    await expect(asked.ask({ ...question, text: 'up +' })).rejects.toThrow()
    await expect(asked.ask(question)).resolves.toMatchObject({ value: { kind: 'matrix' } })
  })
})

describe('what the comparison with generated queries has found', () => {
  it('@ end() is the end that was asked for, also where no step falls on it', () => {
    const { items } = engine().queryRange('up{instance="a"} @ end()', 0, 595_000, 100_000)
    expect([...(items[0]?.values ?? [])]).toEqual(Array(6).fill(59))
  })

  it('an infinite bound outdoes a NaN', () => {
    expect(ask('clamp_min(vector(NaN), Inf)')).toEqual([Infinity])
    expect(ask('clamp(vector(-Inf), 1, NaN)')).toEqual([1])
    expect(ask('clamp(vector(5), NaN, 9)')).toEqual([Number.NaN])
  })

  it('count_values puts its label in the place of one of that name', () => {
    expect(ask('count_values without () ("instance", up > bool -1)')).toEqual([2])
    expect(ask('count_values without (v) ("v", up)')).toEqual([1, 1])
    expect(ask('count_values by (instance) ("instance", up * 0)')).toEqual([2])
  })

  it('beside a name there is no second one, without it there may be several matchers', () => {
    expect(code('up{__name__!="down"}')).toBe('metrics-promql-syntax')
    expect(ask('{__name__=~"u.",__name__!="down",instance="a"}')).toEqual([60])
  })

  it('absence over a range does not mind label sets that are equal without their names', () => {
    expect(ask('absent_over_time({__name__=~"up|clash|text"}[5m])')).toEqual([])
    expect(ask('absent_over_time({__name__=~"nothing|none"}[5m])')).toEqual([1])
  })

  it('absence looks for labels inside parentheses too', () => {
    const value = engine().query('absent((nothing{a="b"}))', 0)
    expect(value).toMatchObject({ items: [{ labels: { a: 'b' } }] })
  })

  it('a pattern that is none fails in label_replace when it runs, in a selector when it is read', () => {
    expect(code('label_replace(up, "a", "", "b", "(")')).toBe('metrics-promql-execution')
    expect(code('up{a=~"("}')).toBe('metrics-promql-syntax')
  })
})

describe('double_exponential_smoothing', () => {
  it('follows a line, and refuses factors that are none', () => {
    expect(ask('double_exponential_smoothing(up{instance="a"}[5m], 0.3, 0.7)')[0]).toBeCloseTo(60, 9)
    expect(code('double_exponential_smoothing(up[5m], 1, 0.5)')).toBe('metrics-promql-execution')
    expect(() => ask('holt_winters(up[5m], 0.5, 0.5)')).toThrow(/since Prometheus 3 .*smoothing/)
  })
})

describe('limitk', () => {
  it('takes some series of each group as they are, at each step those that have a value', () => {
    expect(ask('limitk(1, up)')).toEqual([60])
    expect(ask('limitk(5, up)')).toEqual([60, 120])
    expect(ask('limitk(1, up) by (instance)')).toEqual([60, 120])
    expect(ask('limitk(0, up)')).toEqual([])
  })
})

describe('native histograms', () => {
  it('are named in the refusal of what needs them', () => {
    expect(() => ask('histogram_count(up)')).toThrow(
      /histogram_count on native histograms, which are not kept/,
    )
  })
})
