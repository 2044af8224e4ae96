import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { HostNote } from '#wire'
import { NoteStore } from './note-store.ts'

const NOW = 1.8e12
let folder: string
let store: NoteStore
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vitrine-notes-'))
  store = new NoteStore(folder)
})
afterEach(() => {
  store.close()
  rmSync(folder, { recursive: true, force: true })
})

const look = (at: number, name = 'node'): HostNote => ({
  at,
  kernelRead: true,
  top: [{ pid: 7, name, cpu: 0.5, residentBytes: 1e6 }],
})
const said = (at: number, ...kernel: string[]): HostNote => ({ at, kernelRead: true, kernel })

it('gives the look that is nearest to a moment, and none where none is near', () => {
  expect(store.add('eu', [look(NOW - 15_000, 'old'), look(NOW - 10_000)], NOW)).toBe(2)
  expect(store.lookAt('eu', NOW - 11_000)).toEqual({
    at: NOW - 10_000,
    recovered: false,
    processes: [{ pid: 7, name: 'node', cpu: 0.5, residentBytes: 1e6 }],
  })
  expect(store.lookAt('eu', NOW - 15_100)?.processes[0]?.name).toBe('old')
  expect(store.lookAt('eu', NOW + 1000)).toBeNull()
  expect(store.lookAt('us', NOW - 10_000)).toBeNull()
})

it('keeps a second once, also when it is told again later, and says which came late', () => {
  expect(store.add('eu', [look(NOW)], NOW)).toBe(1)
  expect(store.add('eu', [look(NOW)], NOW + 90_000)).toBe(0)
  expect(store.lookAt('eu', NOW)?.recovered).toBe(false)
  store.add('eu', [look(NOW + 10_000)], NOW + 90_000)
  expect(store.lookAt('eu', NOW + 10_000)?.recovered).toBe(true)
})

it('takes nothing from the future or from before what is kept', () => {
  expect(store.add('eu', [look(NOW + 60_000), look(NOW - 16 * 86_400_000)], NOW)).toBe(0)
})

it('gives what the kernel said in order, and says when nobody could read it', () => {
  expect(store.saidIn('eu', 0, NOW, 10)).toEqual({ readable: null, said: [], leftOut: 0 })
  store.add('eu', [said(NOW - 1000, 'b', 'c'), said(NOW - 2000, 'a')], NOW)
  expect(store.saidIn('eu', 0, NOW, 10).said.map(({ lines }) => lines)).toEqual([['a'], ['b', 'c']])
  store.add('eu', [{ at: NOW, kernelRead: false, top: [] }], NOW)
  expect(store.saidIn('eu', 0, NOW, 10).readable).toBe(false)
})

it('counts what a kernel, or an agent that lies, says too often', () => {
  for (let second = 0; second < 10; second += 1) {
    store.add('eu', [said(NOW - second * 1000, ...Array.from({ length: 60 }, (_, line) => `${line}`))], NOW)
  }
  const { said: kept, leftOut } = store.saidIn('eu', 0, NOW, 100)
  expect(kept.flatMap(({ lines }) => lines)).toHaveLength(120)
  expect(leftOut).toBe(480)
})

it('drops what is too old, and the oldest when the file is full; all others outlive the process', () => {
  store.close()
  store = new NoteStore(folder, { keptMs: 100_000_000, bytes: 100_000 })
  const name = 'x'.repeat(64)
  const many = Array.from({ length: 2000 }, (_, at) => look(NOW + at * 1000, name))
  store.add('eu', many, NOW + 2_000_000)
  store.add('us', [look(NOW + 1_999_000)], NOW + 2_000_000)
  expect(store.bytes()).toBeGreaterThan(100_000)
  for (let minute = 0; minute < 20; minute += 1) store.sweep(NOW + 2_000_000)
  expect(store.bytes()).toBeLessThanOrEqual(100_000)
  store.close()
  store = new NoteStore(folder)
  expect(store.lookAt('eu', NOW)).toBeNull()
  expect(store.lookAt('eu', NOW + 1_999_000)?.processes[0]?.name).toBe(name)
  expect(store.lookAt('us', NOW + 1_999_000)?.processes[0]?.name).toBe('node')
  store.sweep(NOW + 16 * 86_400_000)
  expect(store.lookAt('us', NOW + 1_999_000)).toBeNull()
})
