import HlsJs from 'hls.js'
import { expect, test } from 'vitest'
import { EdgeMemory } from './failover.ts'
import { failedUrl, failoverSteering } from './failover-steering.ts'

const hooks = { memory: new EdgeMemory(), nowMs: () => 0, edgeOf: () => null, moved: () => undefined }

test('the hls.js that is installed still has the steering methods that are overridden', () => {
  const base = HlsJs.DefaultConfig.contentSteeringController as unknown as {
    prototype: Record<string, unknown>
  }
  expect(typeof base.prototype['onError']).toBe('function')
  expect(typeof base.prototype['updatePathwayPriority']).toBe('function')
  expect(failoverSteering(hooks)).toBeDefined()
})

test('the address that failed is that of the fragment or playlist, and only where the edge is to blame', () => {
  const failure = (details: string, code?: number) =>
    failedUrl({
      details,
      frag: { url: 'http://a/1.m4s' },
      ...(code === undefined ? {} : { response: { code } }),
    } as never)
  expect(failure('fragLoadTimeOut')).toBe('http://a/1.m4s')
  expect(failure('fragLoadError', 503)).toBe('http://a/1.m4s')
  expect(failure('levelLoadError', 0)).toBe('http://a/1.m4s')
  expect(failure('fragLoadError', 404)).toBeNull()
  expect(failure('bufferStalledError')).toBeNull()
})
