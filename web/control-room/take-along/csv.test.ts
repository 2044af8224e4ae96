import { expect, test } from 'vitest'
import type { Sheet } from '../charts/chart-spec.ts'
import { csvOf } from './csv.ts'

const START_S = Date.UTC(2012, 5, 30, 23, 59, 59) / 1000
const sheet = (columns: Record<string, (number | null)[]>, title = 'CPU'): Sheet => ({
  title: 'a sheet',
  name: 'a-sheet',
  words: null,
  marks: [],
  grid: { startS: START_S, stepS: 1, length: 3, columns: new Map(Object.entries(columns)) },
  charts: [
    {
      key: 'cpu',
      title,
      note: '',
      unit: 'cores',
      height: 1,
      floorMax: 1,
      series: [
        { key: 'cpu/eu', label: 'eu-west', colour: '--series-1' },
        { key: 'cpu/gone', label: 'gone', colour: '--series-2' },
      ],
    },
  ],
})

test('has the zone and the units in its heads, times that any program reads, and holes as nothing', () => {
  expect(csvOf(sheet({ 'cpu/eu': [0.5, null, 1e-7] }), 'utc').split('\r\n')).toEqual([
    'time (UTC),unix time (s),CPU of eu-west (cores)',
    '2012-06-30T23:59:59.000Z,1341100799,0.5',
    '2012-07-01T00:00:00.000Z,1341100800,',
    '2012-07-01T00:00:01.000Z,1341100801,1e-7',
    '',
  ])
})

test('writes times of another zone with their offset', () => {
  const [head, first] = csvOf(sheet({ 'cpu/eu': [1, 2, 3] }), 'Asia/Kolkata').split('\r\n')
  expect(head).toContain('time (Asia/Kolkata)')
  expect(first).toMatch(/^2012-07-01T05:29:59\.000\+05:30,1341100799,/)
})

test('keeps what is not a number, quotes what must be quoted, and lets no label become a formula', () => {
  const odd = csvOf(sheet({ 'cpu/eu': [Number.NaN, Infinity, -Infinity] }, '=cmd("x"), y'), 'utc')
  expect(odd.split('\r\n')[0]).toContain('"\'=cmd(""x""), y of eu-west (cores)"')
  expect(
    odd
      .split('\r\n')
      .slice(1, 4)
      .map(row => row.split(',').at(-1)),
  ).toEqual(['NaN', '+Inf', '-Inf'])
})

test('without samples there is nothing to write', () => {
  expect(csvOf({ ...sheet({}), grid: null }, 'utc')).toBe('')
})
