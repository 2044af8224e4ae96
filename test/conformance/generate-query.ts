// Owns making PromQL at random over the metrics of generated-data.ts: the whole classic language, typed, mostly with an
// answer; some of it broken on purpose. It refuses what Prometheus 2.42 and 3 define differently: durations end in 3 s
// where a subquery's window would begin at a step of it, and numbers are no durations.
import { DATA_START_S } from './generated-data.ts'
import type { Random } from './random.ts'

const EDGE = ['load', 'queue', 'late_gauge', 'gappy', 'blinking'] as const
/** Without gaps: see promql-data.ts on how 2.42 and 3 differ where a counter begins. */
const STEADY = ['load', 'late_gauge', 'constant', 'epoch'] as const
const LONELY = [
  'ended',
  'began',
  'constant',
  'fraction',
  'epoch',
  'rare',
  'odd{kind="nan"}',
  'odd{kind="zero"}',
]
const LABELS = ['instance', 'region', 'job', 'code', 'zone', 'kind', 'le', 'extra', 'nolabel'] as const
const EDGE_LABELS = ['instance', 'region', 'job'] as const
const OVER_TIME = [
  'avg_over_time',
  'min_over_time',
  'max_over_time',
  'sum_over_time',
  'count_over_time',
  'last_over_time',
  'stddev_over_time',
  'stdvar_over_time',
  'present_over_time',
] as const
const OF_RANGE = [...OVER_TIME, 'delta', 'idelta', 'deriv', 'irate'] as const
const POINTWISE: readonly string[] =
  'abs ceil floor exp ln log2 log10 sqrt sgn deg rad round timestamp'.split(' ')
const TRIGONOMETRY: readonly string[] = 'acos acosh asin asinh atan atanh cos cosh sin sinh tan tanh'.split(
  ' ',
)
const CALENDAR: readonly string[] =
  'minute hour day_of_week day_of_month day_of_year days_in_month month year'.split(' ')
/** Times that an int64 can hold: of others, and of NaN, Go leaves open what it makes. */
const TIMES = [
  'epoch',
  'epoch offset 5m',
  '-epoch',
  'load * 1e6',
  'timestamp(queue)',
  'vector(time())',
  'epoch * 30',
] as const
const PLAIN_AGGREGATIONS = ['sum', 'avg', 'min', 'max', 'count', 'group', 'stddev', 'stdvar'] as const
const ARITHMETIC = ['+', '-', '*', '/', '%', 'atan2'] as const
const COMPARISONS = ['==', '!=', '<', '<=', '>', '>='] as const
const NUMBERS = [
  '0',
  '1',
  '2',
  '3',
  '0.5',
  '-1',
  '10',
  '1e3',
  '0x1F',
  '.25',
  '-0',
  'NaN',
  'Inf',
  '-Inf',
  '160',
] as const
const QUANTILES = ['0.5', '0.25', '0.9', '0', '0.3', '-1', '2', 'NaN', 'scalar(fraction)'] as const
/** All end in 3 s, none is a multiple of a step below. */
const RANGES = ['33s', '1m3s', '2m3s', '5m3s', '9m3s', '283s'] as const
const SUBQUERY_STEPS = ['10s', '20s', '30s', '1m', ''] as const
const OFFSETS = ['10s', '1m', '3m20s', '5m', '-30s', '-1m'] as const

export class QueryGenerator {
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  query(): string {
    const kind = this.#random.next()
    if (kind < 0.06) return this.#scalar(3)
    if (kind < 0.14) return this.#broken(this.#vector(2))
    return this.#vector(3)
  }

  /** One character, word or bracket of a query is lost, doubled or replaced. */
  #broken(query: string): string {
    const random = this.#random
    const words = query.split(/(?<=[(){}[\],])|(?=[(){}[\],])|(?<= )/)
    const at = random.below(words.length)
    const how = random.below(4)
    if (how === 0) words.splice(at, 1)
    else if (how === 1) words.splice(at, 0, words[at] ?? '')
    else if (how === 2) words[at] = random.pick(['(', ')', '{', ',', 'by', 'sum', '"x"', 'bool ', '@', '1'])
    else
      words.splice(at, 0, random.pick(['+ ', '"x"', ' offset 5m', '[5m]', '(', ')', ' by (job)', '%', '! ']))
    return words.join('')
  }

  #vector(depth: number): string {
    const random = this.#random
    if (depth === 0 || random.chance(0.08)) return this.#selector()
    const kind = random.below(20)
    if (kind < 4) return this.#overRange(depth)
    if (kind < 7) return this.#aggregation(depth)
    if (kind < 11) return this.#binary(depth)
    if (kind < 13) return this.#pointwise(depth)
    if (kind < 14) return this.#sets(depth)
    if (kind < 15) return this.#labels(depth)
    if (kind < 16) return this.#histogram()
    if (kind < 17) return this.#absent(depth)
    if (kind < 18) return `(${this.#vector(depth - 1)})`
    if (kind < 19) return `-${this.#vector(depth - 1)}`
    return random.pick([
      `vector(${this.#scalar(depth - 1)})`,
      `sort(${this.#vector(depth - 1)})`,
      `sort_desc(${this.#vector(depth - 1)})`,
      'hour()',
      'minute()',
      'day_of_year()',
    ])
  }

  #scalar(depth: number): string {
    const random = this.#random
    if (depth === 0 || random.chance(0.3)) return random.pick(NUMBERS)
    switch (random.below(6)) {
      case 0:
        return `scalar(${this.#vector(depth - 1)})`
      case 1:
        return random.pick(['time()', 'pi()'])
      case 2:
        return `${this.#scalar(depth - 1)} ${random.pick(ARITHMETIC)} ${this.#scalar(depth - 1)}`
      case 3:
        return `${this.#scalar(depth - 1)} ${random.pick(COMPARISONS)} bool ${this.#scalar(depth - 1)}`
      case 4:
        return `(${this.#scalar(depth - 1)})`
      default:
        return `-${this.#scalar(depth - 1)}`
    }
  }

  #selector(names: readonly string[] | null = null): string {
    return `${this.#series(names)}${this.#shift()}`
  }

  #series(names: readonly string[] | null): string {
    const random = this.#random
    if (names !== null) return random.pick(names)
    const kind = random.next()
    if (kind < 0.15) return random.pick(LONELY)
    if (kind < 0.2)
      return `{__name__=~"${random.pick(['load|queue', 'requests.*', '.*_total'])}",region="ap"}`
    if (kind < 0.24)
      return random.pick(['nothing', 'nothing{a="b"}', 'capacity', 'region_info', '{kind="huge"}'])
    const name = kind < 0.4 ? 'requests_total' : random.pick(EDGE)
    return random.chance(0.4) ? `${name}{${this.#matchers()}}` : name
  }

  #matchers(): string {
    const random = this.#random
    const matchers = [
      'region="eu"',
      'region!="eu"',
      'region=~"e.|ap"',
      'region!~"u.*"',
      'instance=~"i[0-2]"',
      'instance!~"i[34]|"',
      "instance='i1'",
      'missing=""',
      'missing!~".+"',
      'job=~"e|edge"',
      'job=~"(?i)EDGE"',
      'region=~"^(?:eu|us)$"',
      'instance=~".*0"',
      'code=~"[24].."',
      'code!~"5\\\\d\\\\d"',
    ]
    const chosen = random.some(matchers, 0.12)
    return chosen.length === 0 ? random.pick(matchers) : chosen.join(', ')
  }

  #shift(): string {
    const random = this.#random
    if (random.chance(0.85)) return ''
    const offset = `offset ${random.pick(OFFSETS)}`
    const at = random.pick(['@ start()', '@ end()', `@ ${DATA_START_S + 1517 + random.below(190) * 10}`])
    return random.pick([` ${offset}`, ` ${at}`, ` ${at} ${offset}`, ` ${offset} ${at}`])
  }

  /** A range selector or a subquery. */
  #matrix(depth: number, names: readonly string[] | null = null): string {
    const random = this.#random
    const range = random.pick(RANGES)
    if (depth <= 1 || random.chance(0.7)) return `${this.#series(names)}[${range}]${this.#shift()}`
    const inner = names === null ? this.#vector(depth - 2) : random.pick(names)
    const of = /^\w+(\{[^}]*\})?$/.test(inner) ? inner : `(${inner})`
    return `${of}[${range}:${random.pick(SUBQUERY_STEPS)}]${this.#shift()}`
  }

  #overRange(depth: number): string {
    const random = this.#random
    switch (random.below(9)) {
      case 0:
      case 1:
        return `${random.pick(['rate', 'increase'])}(${this.#matrix(depth, ['requests_total', 'latency_bucket'])})`
      case 2:
        return `${random.pick(['rate', 'increase'])}(${this.#matrix(1, STEADY)})`
      case 3:
        return `quantile_over_time(${random.pick(QUANTILES)}, ${this.#matrix(depth)})`
      case 4:
        return random.chance(0.5)
          ? `predict_linear(${this.#matrix(depth)}, ${this.#scalar(1)})`
          : `holt_winters(${this.#matrix(depth)}, ${random.pick(['0.5', '0.1', '0.9'])}, ${random.pick(['0.3', '0.7'])})`
      case 5:
        return `${random.pick(OVER_TIME.filter(name => !name.startsWith('std')))}(odd[${random.pick(RANGES)}])`
      case 6:
        // Of samples alone: the last digit of something computed would be a change.
        return `${random.pick(['changes', 'resets'])}(${this.#matrix(1)})`
      default:
        return `${random.pick(OF_RANGE)}(${this.#matrix(depth)})`
    }
  }

  #grouping(): string {
    const random = this.#random
    const word = random.pick(['by', 'by', 'without'])
    return `${word} (${random.some(LABELS, 0.25).join(', ')})`
  }

  #aggregation(depth: number): string {
    const random = this.#random
    const grouping = random.chance(0.25) ? '' : this.#grouping()
    const wrap = (name: string, body: string): string =>
      random.chance(0.5) ? `${name} ${grouping} (${body})` : `${name}(${body}) ${grouping}`.trimEnd()
    switch (random.below(7)) {
      case 0:
        return wrap('quantile', `${random.pick(QUANTILES)}, ${this.#vector(depth - 1)}`)
      case 1: {
        // Values that are never equal: between equal ones both engines may choose as they like.
        const distinct = random.pick([
          'load',
          'load offset 1m',
          'max_over_time(queue[1m3s])',
          'late_gauge * 2',
        ])
        return wrap(
          random.pick(['topk', 'bottomk']),
          `${random.pick(['1', '2', '3.7', '0', '-1', '99'])}, ${distinct}`,
        )
      }
      case 2:
        return wrap('count_values', `"zz", ${this.#exact(depth - 1)}`)
      case 3:
        return wrap(random.pick(['min', 'max', 'count', 'group']), 'odd')
      default:
        return wrap(random.pick(PLAIN_AGGREGATIONS), this.#vector(depth - 1))
    }
  }

  /** Values that are printed the same by both, since no rounding has gone into them. */
  #exact(depth: number): string {
    const random = this.#random
    return random.pick([
      this.#selector(),
      'odd',
      `sum by (${random.some(LABELS, 0.3).join(', ')}) (${random.pick(EDGE)})`,
      `${random.pick(['min', 'max', 'count', 'last'])}_over_time(${this.#matrix(1)})`,
      `sgn(${this.#vector(depth)})`,
      `(${this.#vector(depth)}) ${random.pick(COMPARISONS)} bool ${this.#scalar(0)}`,
      `-${this.#selector()}`,
    ])
  }

  #pointwise(depth: number): string {
    const random = this.#random
    const inner = random.chance(0.1) ? 'odd' : this.#vector(depth - 1)
    switch (random.below(8)) {
      case 3:
        return `${random.pick(CALENDAR)}(${random.pick(TIMES)})`
      case 4:
        // Large numbers have no angle: their last digit turns it.
        return `${random.pick(TRIGONOMETRY)}(clamp(${inner}, -8, 8))`
      case 5:
        return random.pick([
          `${inner} ^ ${random.pick(['2', '0.5', '-1', '0', 'NaN', 'Inf'])}`,
          `2 ^ ${this.#selector()}`,
        ])
      case 0:
        return `clamp(${inner}, ${this.#scalar(1)}, ${this.#scalar(1)})`
      case 1:
        return `${random.pick(['clamp_min', 'clamp_max'])}(${inner}, ${this.#scalar(1)})`
      case 2:
        return `round(${inner}, ${random.pick(['0.5', '5', '0.25', '10', '0'])})`
      default:
        return `${random.pick(POINTWISE)}(${inner})`
    }
  }

  #binary(depth: number): string {
    const random = this.#random
    const bool = (operator: string): string =>
      COMPARISONS.some(one => one === operator) && random.chance(0.4) ? `${operator} bool` : operator
    const operator = bool(random.pick(random.chance(0.6) ? ARITHMETIC : COMPARISONS))
    switch (random.below(7)) {
      case 0:
        return `${this.#vector(depth - 1)} ${operator} ${this.#scalar(depth - 1)}`
      case 1:
        return `${this.#scalar(1)} ${operator} ${this.#vector(depth - 1)}`
      case 2:
        return `${this.#selector(EDGE)} ${operator}${this.#matching(EDGE_LABELS)} ${this.#selector(EDGE)}`
      case 3: {
        const many = random.pick(['load', 'queue', 'requests_total', 'abs(blinking)'])
        const include = random.pick(['', 'zone', 'zone, nolabel'])
        return `${many} ${operator} on (instance) group_left (${include}) capacity${this.#shift()}`
      }
      case 4: {
        const include = random.pick(['', 'extra', 'extra, number'])
        return `region_info ${operator} on (region) group_right (${include}) ${this.#selector(EDGE)}`
      }
      case 5: {
        const label = random.pick(['code', 'region', 'instance'])
        const group = random.pick(['group_left', 'group_left ()'])
        return `sum by (${label}, job) (requests_total) ${operator} ignoring (${label}) ${group} sum by (job) (requests_total)`
      }
      default:
        return `${this.#vector(depth - 1)} ${operator}${this.#matching(LABELS)} ${this.#vector(depth - 1)}`
    }
  }

  #matching(labels: readonly string[]): string {
    const random = this.#random
    if (random.chance(0.5)) return ''
    const list = random.some(labels, 0.5).join(', ')
    const grouped = random.chance(0.2) ? ` ${random.pick(['group_left', 'group_right'])}` : ''
    return ` ${random.pick(['on', 'ignoring'])} (${list})${grouped}`
  }

  #sets(depth: number): string {
    const random = this.#random
    const operator = random.pick(['and', 'or', 'unless'])
    const labels = random.some(LABELS, 0.3).join(', ')
    const matching = random.chance(0.5) ? '' : ` ${random.pick(['on', 'ignoring'])} (${labels})`
    return `${this.#vector(depth - 1)} ${operator}${matching} ${this.#vector(depth - 1)}`
  }

  #labels(depth: number): string {
    const random = this.#random
    const target = random.pick(['short', 'region', 'instance', 'code'])
    if (random.chance(0.4)) {
      const sources = random.some(LABELS, 0.3).map(name => `, "${name}"`)
      return `label_join(${this.#vector(depth - 1)}, "${target}", "${random.pick(['-', '', ', '])}"${sources.join('')})`
    }
    const template = random.pick(['$1', 'x-$1-$2', '${1}y', '$name', '', 'fix', '$$', '$0'])
    const source = random.pick(['instance', 'region', 'code', 'nolabel', '__name__'])
    const pattern = random.pick(['(.*)', 'i(.)', '(?P<name>.)(.*)', 'e.', '', '(i)(\\\\d)', '.+', 'nomatch'])
    return `label_replace(${this.#vector(depth - 1)}, "${target}", "${template}", "${source}", "${pattern}")`
  }

  #histogram(): string {
    const random = this.#random
    const quantile = random.pick(['0.1', '0.45', '0.77', '0.93', '-0.1', '1.1', 'NaN', '0'])
    const buckets = random.pick([
      `rate(latency_bucket[${random.pick(RANGES)}])`,
      `sum by (le, region) (rate(latency_bucket[${random.pick(RANGES)}]))`,
      `sum by (le) (increase(latency_bucket{region=~"e.|us"}[${random.pick(RANGES)}]))`,
      'latency_bucket',
      'latency_bucket{le!="+Inf"}',
      'latency_bucket{le!~"0.5|1"}',
      'load',
    ])
    return `histogram_quantile(${quantile}, ${buckets})`
  }

  #absent(depth: number): string {
    const random = this.#random
    const selector = random.pick([
      'nothing{a="b",c=~"d"}',
      'ended',
      'load{region="xx"}',
      'rare',
      'gappy{instance="i3"}',
    ])
    return random.pick([
      `absent(${selector})`,
      `absent(${this.#vector(depth - 1)})`,
      `absent_over_time(${selector}[${random.pick(RANGES)}])`,
      `absent_over_time(${this.#matrix(depth)})`,
    ])
  }
}
