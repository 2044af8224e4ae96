import { expect, it } from 'vitest'
import { plainWords } from './plain-words.ts'

it.each([
  [
    'expected type matrix in call to function "rate", got vector',
    'expected a range vector, such as metric[10s] in call to function "rate", got an instant vector',
  ],
  ['unexpected expression', 'unexpected expression'],
  ['expected type magic, got dust', 'expected type magic, got dust'],
])('%s is said as: %s', (said, words) => expect(plainWords(said)).toBe(words))
