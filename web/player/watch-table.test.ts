import { expect, test } from 'vitest'
import { playUrl, readCmsdName } from './readings.ts'
import { readKnownEdges, readWatchTable } from './watch-table.ts'

const good = {
  pathways: [{ id: 'eu-west', region: 'eu-west', url: 'http://127.0.0.1:8081' }],
  titles: [{ id: 'sample', name: 'Sample', durationMs: 180_000 }],
}

test('reads a table', () => {
  expect(readWatchTable(good)).toEqual(good)
})

test('refuses other shapes and addresses that are no web address', () => {
  for (const wrong of [null, 1, {}, { pathways: [], titles: 1 }, { ...good, pathways: [{ id: 'a' }] }]) {
    expect(readWatchTable(wrong)).toBeNull()
  }
  const script = { ...good, pathways: [{ id: 'a', region: 'a', url: 'javascript:alert(1)' }] }
  expect(readWatchTable(script)).toBeNull()
})

test('reads the name of a server from CMSD-Static', () => {
  expect(readCmsdName('n="eu-west"')).toBe('eu-west')
  expect(readCmsdName('ot=v, n="us-east",su')).toBe('us-east')
  expect(readCmsdName('du')).toBeNull()
  expect(readCmsdName(null)).toBeNull()
})

test('asks one edge by name where one is wanted', () => {
  expect(playUrl('http://a', 'my title', null)).toBe('http://a/play/my%20title.m3u8')
  expect(playUrl('http://a', 'sample', 'eu-west')).toBe('http://a/play/sample.m3u8?via=eu-west')
})

test('reads what the page was told of edges, and nothing else', () => {
  expect(readKnownEdges(JSON.stringify(good.pathways))).toEqual(good.pathways)
  for (const wrong of [null, '', '{', '{}', '[{"id":1}]', 'null']) expect(readKnownEdges(wrong)).toEqual([])
})
