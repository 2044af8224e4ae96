import { describe, expect, it } from 'vitest'
import type { WallNormal } from '#wire'
import { normalWords } from './normal-words.ts'

const signal = (name: string, word: WallNormal['signals'][0]['word']): WallNormal['signals'][0] => ({
  signal: name,
  word,
  since: 0,
  text: '',
})

describe('the word on normal ranges', () => {
  it('counts what is well and names what is not', () => {
    const ok = [signal('cpu', 'ok'), signal('load', 'ok'), signal('first-byte', 'cannot-tell')]
    const base = { since: 0, short: false }
    expect(normalWords({ ...base, word: 'ok', signals: ok })).toEqual({ word: 'in range', rest: '2 signals' })
    expect(normalWords({ ...base, word: 'ok', short: true, signals: ok }).rest).toBe('short baseline')
    const out = [signal('cpu', 'high'), signal('load', 'high'), signal('probe-time', 'high'), ...ok.slice(2)]
    expect(normalWords({ ...base, word: 'out', signals: out })).toEqual({
      word: 'out of range',
      rest: 'CPU high, load high and 1 more',
    })
    expect(normalWords({ ...base, word: 'cannot-tell', signals: [] }).word).toBe('cannot tell')
  })
})
