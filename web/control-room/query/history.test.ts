import { describe, expect, it } from 'vitest'
import { forgotten, HISTORY_MAX, type History, parseHistory, remembered } from './history.ts'

describe('history of expressions', () => {
  it('holds each expression once, the newest run first', () => {
    let history: History = []
    for (const [atMs, expr] of ['up', 'down', 'up'].entries()) history = remembered(history, { expr, atMs })
    expect(history).toEqual([
      { expr: 'up', atMs: 2 },
      { expr: 'down', atMs: 1 },
    ])
  })

  it('forgets the oldest beyond its maximum, and one that is deleted', () => {
    let history: History = []
    for (let run = 0; run < HISTORY_MAX + 5; run += 1)
      history = remembered(history, { expr: `x${run}`, atMs: run })
    expect(history).toHaveLength(HISTORY_MAX)
    expect(history[0]?.expr).toBe(`x${HISTORY_MAX + 4}`)
    expect(forgotten(history, `x${HISTORY_MAX}`).map(({ expr }) => expr)).not.toContain(`x${HISTORY_MAX}`)
  })

  it.each([null, '', 'null', '{}', '[1,null,{"expr":""},{"expr":7,"atMs":1}]', '[{"expr":"up"}]'])(
    'reads nothing from %s',
    text => expect(parseHistory(text)).toEqual([]),
  )

  it('reads back what it wrote', () => {
    const history = [{ expr: 'rate(a[3s])', atMs: null }]
    expect(parseHistory(JSON.stringify(history))).toEqual(history)
  })
})
