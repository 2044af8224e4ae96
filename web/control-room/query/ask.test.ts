import { describe, expect, it } from 'vitest'
import { readProblem } from './ask.ts'

describe('problems of a query', () => {
  it('name the place of a syntax error', () => {
    const text = 'call to function rate: expected type range vector, got instant vector'
    expect(readProblem('bad_data', `PromQL, character 6: ${text}`)).toEqual({
      title: 'This is not valid PromQL',
      text,
      at: 5,
    })
  })

  it('have no place where the data is the cause', () => {
    expect(readProblem('execution', 'found duplicate series')).toMatchObject({
      title: 'The query has no answer for this data',
      at: null,
    })
  })

  it.each([null, 'teapot'])('of the unknown kind %s are shown in their own words', code => {
    expect(readProblem(code, 'short and stout')).toEqual({
      title: 'The query failed',
      text: 'short and stout',
      at: null,
    })
  })
})
