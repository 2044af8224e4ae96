import { expect, it } from 'vitest'
import { deliveryWords, receiverWords } from './delivery-words.ts'

it('says in a word how a delivery stands, with a tone of its own', () => {
  expect(deliveryWords('sent')).toEqual({ word: 'sent', tone: 'healthy' })
  expect(deliveryWords('given-up')).toEqual({ word: 'given up', tone: 'unreachable' })
})

it('calls a receiver that was never tried untried, not well', () => {
  const none = { failures: 0, lastSentAt: null, waiting: 0 }
  expect(receiverWords(none)).toEqual({ word: 'not tried yet', tone: 'resting' })
  expect(receiverWords({ ...none, lastSentAt: 1 })).toEqual({ word: 'works', tone: 'healthy' })
  expect(receiverWords({ ...none, lastSentAt: 1, failures: 1 })).toEqual({
    word: 'fails',
    tone: 'unreachable',
  })
  expect(receiverWords({ ...none, waiting: 2 })).toEqual({ word: 'waiting', tone: 'moving' })
})
