import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeFile, encodeHead, type FileFacts } from './disk-file.ts'

const facts: FileFacts = {
  key: '/vod/sample/r1/v0/0.m4s',
  contentType: 'video/mp4',
  etag: '"v1"',
  freshMs: Number.POSITIVE_INFINITY,
  date: null,
  storedMs: 12.5,
  hostId: 'boot-1',
}

function fileOf(body: Buffer): Buffer {
  const head = encodeHead(facts, body)
  if (head === null) throw new Error('the head does not fit')
  return Buffer.concat([head, body])
}

describe('cache files', () => {
  it('give back what was written', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), bytes => {
        expect(decodeFile(fileOf(Buffer.from(bytes)), facts.key)).toEqual({ kind: 'object', facts })
      }),
    )
  })

  it('are broken when any bit is flipped, anything is missing, or anything is added', () => {
    const body = fc.uint8Array({ minLength: 1, maxLength: 500 })
    fc.assert(
      fc.property(body, fc.nat(), fc.integer({ min: 0, max: 7 }), (bytes, at, bit) => {
        const file = fileOf(Buffer.from(bytes))
        const flipped = Buffer.from(file)
        const place = at % file.length
        flipped[place] = (flipped[place] ?? 0) ^ (1 << bit)
        expect(decodeFile(flipped, facts.key).kind).toBe('broken')
        expect(decodeFile(file.subarray(0, place), facts.key).kind).toBe('broken')
        expect(decodeFile(Buffer.concat([file, Buffer.from([0])]), facts.key).kind).toBe('broken')
      }),
      { numRuns: 500 },
    )
  })

  it('are broken under another name', () => {
    expect(decodeFile(fileOf(Buffer.from('x')), '/vod/other/r1/v0/0.m4s').kind).toBe('broken')
  })

  it('are not written when the facts do not fit the head', () => {
    expect(encodeHead({ ...facts, key: `/vod/${'a'.repeat(2000)}` }, Buffer.from('x'))).toBeNull()
  })
})
