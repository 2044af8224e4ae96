import { expect, it } from 'vitest'
import { toldWords } from './told-words.ts'

const line = (at: number, text: string) => ({ at, kind: 'notified' as const, text })

it('names whom it rang, people first, and whom it told', () => {
  const events = [
    line(9, 'Told chat: acknowledged'),
    line(5, 'Rang hook: opened'),
    line(5, 'Rang bo (bo-phone): opened'),
    line(6, 'Rang bo (bo-phone): edge-lost'),
    line(7, 'Could not be told to pager: answered 500'),
    line(4, 'rings: Edge us-east does not answer; cannot tell'),
    { at: 1, kind: 'opened' as const, text: 'Rang nobody: opened' },
  ]
  expect(toldWords(events)).toEqual({
    at: 5,
    text: 'Rang bo (bo-phone), hook; told chat; did not reach pager',
  })
})

it('counts those beyond four', () => {
  const events = ['a', 'b', 'c', 'd', 'e', 'f'].map(name => line(2, `Told ${name}: opened`))
  expect(toldWords(events)?.text).toBe('Told a, b, c, d and 2 more')
})

it('says that nobody was told, and why, where that is so', () => {
  expect(toldWords([])).toBeNull()
  const none = [line(1, 'rings: x'), line(2, 'Nobody was told: no route fits')]
  expect(toldWords(none)?.text).toBe('Nobody was told: no route fits')
})
