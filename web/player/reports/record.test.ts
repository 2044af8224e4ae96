import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { decodeCmcd } from '@svta/common-media-library/cmcd/decodeCmcd'
import { build } from 'vite'
import { expect, test } from 'vitest'
import { viewerLateKey, viewerRefKey } from '#wire'
import { LATE_KEY, VIEWER_REF_KEY } from './index.ts'
import { quoted, readKeys, writeKeys } from './record.ts'

test('own keys have the names by which the control room knows them', () => {
  expect(LATE_KEY).toBe(viewerLateKey)
  expect(VIEWER_REF_KEY).toBe(viewerRefKey)
})

test('a record of hls.js is read and written without a change', () => {
  const line =
    'bl=(4200),br=(5000;v 128;a),bs,cid="a,b=\\"c\\"",e=rr,rc=200,sid="s",sn=4,sta=p,ts=1,url="https://e/x.m4s",v=2'
  expect(writeKeys(readKeys(line))).toBe(line)
  const keys = readKeys(line)
  keys.set('sn', '9')
  expect(decodeCmcd(writeKeys(keys))).toMatchObject({ sn: 9, cid: 'a,b="c"', bs: true, rc: 200 })
})

test('any text becomes a string of CMCD, cut to its length', () => {
  expect(decodeCmcd(`x-y=${quoted('a"b\\c\n\u{1f600}é', 64)}`)).toEqual({ 'x-y': 'a"b\\c' })
  expect(quoted('x'.repeat(200), 128)).toHaveLength(130)
})

test('the library stays below 6 KB compressed, and needs nothing else', async () => {
  const configFile = fileURLToPath(new URL('../../player.config.ts', import.meta.url))
  const built = await build({ configFile, logLevel: 'silent', build: { write: false } })
  const [output] = Array.isArray(built) ? built : []
  const [chunk, ...others] = output?.output ?? []
  expect(others).toEqual([])
  const code = chunk?.type === 'chunk' ? chunk.code : ''
  expect(code).toContain('ViewerReports')
  expect(code).not.toMatch(/^import /m)
  expect(gzipSync(code).length).toBeLessThan(6 * 1024)
}, 60_000)
