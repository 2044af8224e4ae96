import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { FakeClock, silentLog } from '#base'
import { DiskTier } from './disk-tier.ts'
import { HEAD_ROOM_BYTES, seal } from './stored.ts'

const root = mkdtempSync(join(tmpdir(), 'vitrine-disk-tier-'))
afterEach(() => rmSync(root, { recursive: true, force: true }))

describe('a disk that takes nothing', () => {
  it('is trouble from the first write that fails until one that does not, asked for or not', async () => {
    const folder = join(root, 'objects')
    writeFileSync(folder, 'a file where the folder should be')
    const clock = new FakeClock()
    const disk = new DiskTier({ folder, bytesMax: 1e6, hostId: 'host', clock, log: silentLog })
    const facts = { key: '/a', contentType: 'video/mp4', etag: '"a"', freshMs: 1000, date: null }
    const object = seal(facts, Buffer.alloc(HEAD_ROOM_BYTES + 100), '', 0)
    expect(disk.trouble).toBeNull()
    disk.write(object)
    await disk.close()
    // No room is another reason than this one.
    expect(disk.trouble).toBe('error')
    disk.write(object)
    await disk.close()
    expect(disk.counts).toMatchObject({ writeFailures: 1, writesSkipped: 1 })
    await disk.try()
    expect(disk.trouble).toBe('error')
    rmSync(folder)
    await disk.try()
    expect(disk.trouble).toBeNull()
    disk.write(object)
    await disk.close()
    expect(disk.has('/a')).toBe(true)
  })
})
