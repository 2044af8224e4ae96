import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Counters, Fault, type MetricFamily } from '#base'
import { parseExposition } from './parse-exposition.ts'
import { renderExposition } from './render-exposition.ts'

const name = fc.stringMatching(/^[a-zA-Z_:][a-zA-Z0-9_:]{0,20}$/)
const labelName = fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,10}$/).filter(text => text !== '__name__')
const labels = fc.dictionary(labelName, fc.string({ unit: 'grapheme' }), { maxKeys: 5 })

describe('the text format', () => {
  it('reads back what it renders, for any label value', () => {
    const family = fc.record({
      name,
      type: fc.constantFrom<MetricFamily['type']>('counter', 'gauge', 'histogram'),
      help: fc.string({ unit: 'grapheme' }),
      points: fc.array(fc.record({ name, labels, value: fc.double() }), { maxLength: 5 }),
    })
    fc.assert(
      fc.property(fc.array(family, { maxLength: 5 }), families => {
        const expected = families.flatMap(one =>
          one.points.map(point => ({
            labels: { __name__: point.name, ...point.labels },
            value: point.value,
            timestampMs: null,
          })),
        )
        expect(parseExposition(renderExposition(families))).toEqual(expected)
      }),
    )
  })

  it('renders the counters of base with help and type', () => {
    const counters = new Counters()
    counters.counter('vitrine_x_total', 'Look at\nthe "log".').add(2, { kind: 'a"b\\c\nd' })
    const text = renderExposition(counters.collect())
    expect(text).toContain('# HELP vitrine_x_total Look at\\nthe "log".\n# TYPE vitrine_x_total counter\n')
    expect(text).toContain('vitrine_x_total{kind="a\\"b\\\\c\\nd"} 2\n')
  })

  it('reads what node_exporter writes: spaces, tabs, trailing commas, timestamps, exponents', () => {
    const text = [
      '# HELP up Whether it is up.',
      '# TYPE up gauge',
      '#a comment',
      'up{a="1", b = "2",} 1.5e+06 1700000000000',
      'empty{}\tNaN',
      '  spaced  -Inf\r',
      '',
    ].join('\n')
    expect(parseExposition(text)).toEqual([
      { labels: { __name__: 'up', a: '1', b: '2' }, value: 1.5e6, timestampMs: 1_700_000_000_000 },
      { labels: { __name__: 'empty' }, value: Number.NaN, timestampMs: null },
      { labels: { __name__: 'spaced' }, value: -Infinity, timestampMs: null },
    ])
  })

  it.each([
    ['up', /line 1, column 3: expected a value/],
    ['\nup 1 2 3', /line 2, column 8: expected the end of the line/],
    ['up{a="1" 1', /expected "," or "}"/],
    ['up{a=1} 1', /expected a quoted label value/],
    ['up{a="\\q"} 1', /expected a quoted label value/],
    ['up{a="1",a="2"} 1', /expected each label once/],
    ['up{__name__="x"} 1', /expected each label once/],
    ['1up 1', /expected a metric name/],
    ['up one', /expected a number, got "one"/],
    ['up 1 1.5', /expected a timestamp/],
    ['# TYPE up color', /line 1: expected "# TYPE name type"/],
  ])('refuses %j with its line', (text, message) => {
    expect(() => parseExposition(text)).toThrow(message)
  })

  it('refuses more than its limits', () => {
    const limits = { charactersMax: 100, samplesMax: 2, labelsMax: 1 }
    expect(() => parseExposition('x'.repeat(101), limits)).toThrow(/at most 100 characters/)
    expect(() => parseExposition('a 1\na 2\na 3\n', limits)).toThrow(/line 3: expected at most 2 samples/)
    expect(() => parseExposition('a{b="1",c="2"} 1', limits)).toThrow(/at most 1 labels/)
  })

  it('answers any text with samples or a fault', () => {
    const piece = fc.constantFrom(
      'a',
      '{',
      '}',
      '"',
      '\\',
      '=',
      ',',
      ' ',
      '1',
      '\n',
      '#',
      'NaN',
      '__proto__',
      'TYPE',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), pieces => {
        try {
          parseExposition(pieces.join(''))
        } catch (error) {
          expect(error).toBeInstanceOf(Fault)
        }
      }),
      { numRuns: 2000 },
    )
  })
})
