import { expect, it } from 'vitest'
import type { RecorderRecord } from './frame.ts'
import { recallNotes } from './recall-notes.ts'

const second = (bootMs: number, part: Partial<RecorderRecord> = {}): RecorderRecord => ({
  boot: 'now',
  bootMs,
  fleetMs: 1e12 + bootMs,
  wallMs: 0,
  ackedMs: bootMs,
  labels: [],
  series: '',
  values: '',
  ...part,
})
const top = [{ pid: 1, name: 'init', cpu: 1, residentBytes: 1 }]

it('gives back what was not taken of looks and messages, whatever was taken of samples', () => {
  const notes = recallNotes(
    [
      [second(1000, { top, kernelRead: false }), second(2000)],
      [
        second(3000, { top, kernelRead: true, notesAckedMs: 1000 }),
        second(4000, { kernel: ['<4> [4.0] x'] }),
      ],
    ],
    'now',
  )
  expect(notes.map(({ bootMs, kernelRead }) => [bootMs, kernelRead])).toEqual([
    [3000, true],
    [4000, true],
  ])
})

it('places those of an earlier boot by their fleet time, and leaves out what nothing places', () => {
  const before = { boot: 'before', top, kernelRead: true }
  const notes = recallNotes([[second(9000, before), second(9500, { ...before, fleetMs: null })]], 'now')
  expect(notes).toMatchObject([{ bootMs: null, stampMs: 1e12 + 9000 }])
})
