import { expect, test } from 'vitest'
import { readServers, readWindow, SERVERS_DEFAULT, toggleServer, writeWindow } from './url-state.ts'

const search = (text: string) => new URLSearchParams(text)

test('without anything in the URL: five minutes of eu-west and ap-southeast', () => {
  expect(readWindow(search(''))).toEqual({ kind: 'live', range: '5m' })
  expect(readServers(search(''))).toEqual(SERVERS_DEFAULT)
})

test('what it cannot read falls back to the default', () => {
  expect(readWindow(search('range=7y'))).toEqual({ kind: 'live', range: '5m' })
  expect(readWindow(search('from=5&to=4&range=1h'))).toEqual({ kind: 'live', range: '1h' })
  expect(readWindow(search('from=abc&to=Infinity'))).toEqual({ kind: 'live', range: '5m' })
  expect(readServers(search('servers=eu-west,..%2Fx,eu-west,%22%7D'))).toEqual(['eu-west'])
})

test('a zoom is read back as it was written, and the range survives it', () => {
  const zoomed = writeWindow(search('range=15m&servers=origin'), { kind: 'fixed', fromS: 1_000, toS: 1_060 })
  expect(readWindow(zoomed)).toEqual({ kind: 'fixed', fromS: 1_000, toS: 1_060 })
  expect(zoomed.get('range')).toBe('15m')
  expect(zoomed.get('servers')).toBe('origin')
  expect(readWindow(writeWindow(zoomed, { kind: 'live', range: '15m' }))).toEqual({
    kind: 'live',
    range: '15m',
  })
})

test('a zoom of a few pixels is widened to five seconds', () => {
  const zoomed = readWindow(writeWindow(search(''), { kind: 'fixed', fromS: 1_000, toS: 1_001 }))
  expect(zoomed.kind === 'fixed' && zoomed.toS - zoomed.fromS).toBeGreaterThanOrEqual(5)
})

test('a click adds a server and a second click takes it away; none is a choice too', () => {
  const added = toggleServer(search('servers=eu-west'), 'us-east')
  expect(readServers(added)).toEqual(['eu-west', 'us-east'])
  const none = toggleServer(toggleServer(added, 'us-east'), 'eu-west')
  expect(readServers(none)).toEqual([])
})
