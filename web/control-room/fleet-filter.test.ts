import { describe, expect, it } from 'vitest'
import type { ServerState, ServerView } from '#wire'
import { narrowed, readFilter, worstFirst } from './fleet-filter.ts'

function server(id: string, state: ServerState, region = 'eu'): ServerView {
  const role = id === 'origin' ? 'origin' : 'edge'
  const quiet = {
    reason: '',
    since: 0,
    version: '',
    url: '',
    hostId: '',
    tags: {},
    override: null,
    pid: null,
    agentSeen: null,
    evidence: [],
  }
  return {
    id,
    state,
    region,
    role,
    ...quiet,
    watching: 0,
    watchingEstimated: 0,
    weight: 1,
    sharePercent: 100,
  }
}

const fleet = [
  server('origin', 'degraded'),
  server('a', 'healthy'),
  server('b', 'unreachable', 'us'),
  server('c', 'degraded', 'us'),
]
const ids = (servers: readonly ServerView[]): string[] => servers.map(({ id }) => id)

describe('servers of a large fleet', () => {
  it('stand worst first, and within a state in the usual order', () => {
    expect(ids(worstFirst(fleet))).toEqual(['b', 'c', 'origin', 'a'])
  })

  it('are narrowed by state, region and words together', () => {
    expect(ids(narrowed(fleet, { words: '', state: 'ill', region: 'us' }))).toEqual(['b', 'c'])
    expect(ids(narrowed(fleet, { words: 'US degr', state: '', region: '' }))).toEqual(['c'])
    expect(ids(narrowed(fleet, { words: 'nothing', state: '', region: '' }))).toEqual([])
  })

  it('are all shown for a link that asks for a state that does not exist', () => {
    expect(readFilter(new URLSearchParams('state=broken&find=x'))).toEqual({
      words: 'x',
      state: '',
      region: '',
    })
  })
})
