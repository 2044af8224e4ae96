import { expect, test } from 'vitest'
import { snapshot as schema } from '#wire'
import type { Sheet } from '../charts/chart-spec.ts'
import { sheetOf, snapshotOf } from './snapshot.ts'

const sheet: Sheet = {
  title: 'CPU of a and b',
  name: 'compare-cpu',
  words: 'they part',
  grid: {
    startS: 100,
    stepS: 2,
    length: 3,
    columns: new Map([['cpu/a', [0.123456789, null, Number.NaN]]]),
  },
  charts: [
    {
      key: 'metric',
      title: 'CPU',
      note: 'cores',
      unit: 'cores',
      height: 320,
      floorMax: 0.1,
      series: [
        { key: 'cpu/a', label: 'a', colour: '--series-1', dash: [8, 4] },
        { key: 'cpu/b', label: 'b', colour: '--series-2' },
      ],
    },
    { key: 'empty', title: 'Empty', note: '', unit: 'count', height: 100, floorMax: 1, series: [] },
  ],
  marks: [
    { atMs: 102_000, colour: '--text', label: 'here' },
    { atMs: 5_000, colour: '--text' },
  ],
}

test('what is drawn is kept in few digits; what is not drawn, and marks outside of the window, are left out', () => {
  const frozen = snapshotOf(sheet, 'utc')
  expect(schema.safeParse(frozen).success).toBe(true)
  expect(frozen?.charts).toHaveLength(1)
  expect(frozen?.charts[0]?.series).toMatchObject([{ label: 'a', values: [0.123457, null, null] }])
  expect(frozen?.marks).toEqual([{ atMs: 102_000, colour: '--text', label: 'here' }])
})

test('a snapshot becomes the same sheet again', () => {
  const frozen = snapshotOf(sheet, 'utc')
  if (frozen === null) throw new Error('nothing was frozen')
  const back = sheetOf(frozen)
  expect(snapshotOf(back, 'utc')).toEqual(frozen)
  expect(back.charts[0]?.series[0]).toMatchObject({ label: 'a', dash: [8, 4] })
})

test('a page on which nothing is drawn yet freezes nothing', () => {
  expect(snapshotOf({ ...sheet, grid: null }, 'utc')).toBeNull()
  expect(snapshotOf({ ...sheet, charts: [] }, 'utc')).toBeNull()
})
