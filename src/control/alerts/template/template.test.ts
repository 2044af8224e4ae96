import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { callTemplate, compileTemplate, RenderProblem, TemplateProblem } from './call-template.ts'
import { formatFixed, formatGeneral } from './format-float.ts'

const data = { labels: { a: 'x', b: 'y' }, externalLabels: {}, externalUrl: 'http://c', value: 2.5 }
const none = async () => []

async function render(text: string, ask = none): Promise<string> {
  const template = compileTemplate(text)
  return typeof template === 'string' ? template : callTemplate(template, data, ask)
}

describe('templates', () => {
  it('without actions are their text', () => {
    expect(compileTemplate('}} no { actions')).toBe('}} no { actions')
  })

  it('end: loops inside loops are cut, and so is what they would print', async () => {
    const loops = 12
    const text = `${'{{ range $labels }}'.repeat(loops)}x{{ "" | printf "%900s" }}${'{{ end }}'.repeat(loops)}`
    await expect(render(text)).rejects.toThrow(/more than 10000 steps|more than 65536 characters/)
    await expect(render(`{{ printf "%2000s" "x" }}`)).rejects.toThrow('at most 1000')
    expect(() => compileTemplate(`${'{{ if true }}'.repeat(40)}${'{{ end }}'.repeat(40)}`)).toThrow(
      /inside each other/,
    )
    expect(() => compileTemplate(`{{ ${'('.repeat(40)}1${')'.repeat(40)} }}`)).toThrow(/inside each other/)
    expect(() => compileTemplate(`{{ 1 }}${'x'.repeat(70_000)}`)).toThrow(/at most 65536/)
  })

  it('ask ten queries at most', async () => {
    await expect(render('{{ query "x" }}'.repeat(11))).rejects.toThrow('more than 10 queries')
  })

  it('reach nothing but what they are given', async () => {
    for (const name of ['constructor', '__proto__', 'toString', 'process', 'env'])
      expect(() => compileTemplate(`{{ ${name} "x" }}`)).toThrow(TemplateProblem)
    expect(await render('{{ .constructor }}|{{ $labels.__proto__ }}|{{ index $labels "toString" }}')).toBe(
      '||',
    )
  })

  it('tell at which character they are wrong', () => {
    const found = (text: string): unknown => {
      try {
        return compileTemplate(text)
      } catch (error) {
        return error instanceof TemplateProblem ? error.at : error
      }
    }
    expect(found('abc {{ nonsense }}')).toBe(7)
    expect(found('{{ printf }}')).toBe(3)
    expect(found('{{ $labels.a | nonsense }}')).toBe(15)
  })

  it('throw nothing but typed problems, whatever the text (property)', async () => {
    const parts = [
      '{{',
      '}}',
      '{{-',
      '-}}',
      ' ',
      '$labels',
      '.a',
      '$x',
      ':=',
      '=',
      '|',
      '(',
      ')',
      ',',
      '"s"',
      '`r`',
      '1',
      '2.5',
      'if',
      'range',
      'with',
      'else',
      'end',
      'break',
      'query',
      'printf',
      'humanize',
      'first',
      'and',
      'nil',
      '/*',
      '*/',
      '.',
      '\n',
      '\\',
      '"',
    ] // prettier-ignore
    const text = fc.oneof(
      fc.string({ maxLength: 60 }),
      fc.array(fc.constantFrom(...parts), { maxLength: 24 }).map(words => `{{ ${words.join(' ')}`),
      fc.array(fc.constantFrom(...parts), { maxLength: 24 }).map(words => words.join('')),
    )
    await fc.assert(
      fc.asyncProperty(text, async source => {
        try {
          await render(source)
        } catch (error) {
          expect(error instanceof TemplateProblem || error instanceof RenderProblem, String(error)).toBe(true)
        }
      }),
      { numRuns: 3000 },
    )
  })
})

describe('floats', () => {
  it('%g with 17 digits and the shortest form read back as the same number (property)', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), value => {
        expect(Number(formatGeneral(value, 17))).toBe(value)
        expect(Number(formatGeneral(value, null))).toBe(value)
      }),
    )
  })

  it('%f is within half a unit of its last place (property)', () => {
    const places = fc.integer({ min: 0, max: 6 })
    fc.assert(
      fc.property(fc.double({ min: -1e9, max: 1e9, noNaN: true }), places, (value, digits) => {
        const text = formatFixed(value, digits)
        expect(text).toMatch(digits === 0 ? /^-?\d+$/ : new RegExp(`^-?\\d+\\.\\d{${digits}}$`))
        expect(Math.abs(Number(text) - value)).toBeLessThanOrEqual(0.5000001 * 10 ** -digits)
      }),
    )
  })
})
