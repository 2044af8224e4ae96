import { expect, it } from 'vitest'
import { OwnerWatch } from './owner-watch.ts'

const nobody = { acknowledgedBy: null, acknowledgedAt: null, assignedTo: null }
const ada = { acknowledgedBy: 'ada', acknowledgedAt: 5, assignedTo: 'ada' }
const bo = { ...ada, acknowledgedBy: 'bo', assignedTo: 'bo' }

it('tells what was changed behind the back of who stored it, once', () => {
  const watch = new OwnerWatch()
  watch.stored('I-1', ada)
  expect(watch.changed('I-1', ada)).toBeNull()
  expect(watch.changed('I-1', bo)).toEqual(bo)
  expect(watch.changed('I-1', bo)).toBeNull()
})

it('undoes nothing that waits to be stored: what is on disk is as it was', () => {
  const watch = new OwnerWatch()
  watch.stored('I-1', nobody)
  // In memory ada has it meanwhile.
  expect(watch.changed('I-1', nobody)).toBeNull()
  watch.stored('I-1', ada)
  expect(watch.changed('I-1', ada)).toBeNull()
})

it('takes what it sees first for what was', () => {
  expect(new OwnerWatch().changed('I-1', ada)).toBeNull()
})
