import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLog } from '#base'
import { Spool } from './spool.ts'

const MIB = 1024 * 1024
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vitrine-spool-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function open(part: { bytesMax?: number; hostId?: string } = {}): Spool {
  return new Spool({ folder, bytesMax: 16 * MIB, hostId: 'boot-1', log: silentLog, ...part })
}

function lines(from: number, count: number, pad = 0): string[] {
  return Array.from({ length: count }, (_, n) => `{"n":${from + n},"x":"${'é'.repeat(pad)}"}`)
}

/** All that is there, in steps of a reader; and whether its numbers fit. */
async function readAll(
  spool: Spool,
  from = spool.first,
  step = 1000,
): Promise<{ numbers: number[]; lines: string[] }> {
  const numbers: number[] = []
  const read: string[] = []
  for (let at = from; ; ) {
    const batch = await spool.read(at, step, 64 * 1024 * 1024)
    if (batch === null) return { numbers, lines: read }
    expect(batch.end - batch.first).toBe(batch.lines.length)
    expect(batch.first).toBeGreaterThanOrEqual(at)
    for (const [n, line] of batch.lines.entries()) {
      numbers.push(batch.first + n)
      read.push(line)
    }
    at = batch.end
  }
}

const files = (): string[] => readdirSync(folder).filter(name => name.endsWith('.spool'))

describe('the spool', () => {
  it('gives back what it was given, numbered from 0, also to the next process', async () => {
    const spool = open()
    await Promise.all([spool.add(lines(0, 3)), spool.add(lines(3, 700)), spool.add(lines(703, 1, 20))])
    const all = lines(0, 703).concat(lines(703, 1, 20))
    expect((await readAll(spool)).lines).toEqual(all)
    await spool.close()
    const again = open()
    expect(again.id).toBe(spool.id)
    expect(again.next).toBe(704)
    expect((await readAll(again)).lines).toEqual(all)
    expect((await readAll(again, 650)).numbers[0]).toBe(650)
    await again.add(lines(704, 1))
    expect((await readAll(again)).numbers).toEqual(Array.from({ length: 705 }, (_, n) => n))
    await again.close()
  })

  it('loses of a write that was torn by a power cut only what was torn', async () => {
    const spool = open()
    await spool.add(lines(0, 10))
    await spool.add(lines(10, 10))
    await spool.close()
    const file = join(folder, files()[0] ?? '')
    const whole = readFileSync(file)
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: whole.length }), async kept => {
        writeFileSync(file, whole.subarray(0, kept))
        const torn = open()
        const { length } = (await readAll(torn)).numbers
        expect([0, 10, 20]).toContain(length)
        await torn.add(lines(length, 1))
        expect((await readAll(torn)).lines).toEqual(lines(0, length + 1))
        await torn.close()
      }),
      { numRuns: 40 },
    )
  })

  it('does not use numbers again that the control room may have had before a boot', async () => {
    const spool = open()
    await spool.add(lines(0, 5))
    await spool.close()
    const booted = open({ hostId: 'boot-2' })
    expect(booted.id).toBe(spool.id)
    expect(booted.next).toBeGreaterThan(1_000_000)
    await booted.add(lines(5, 2))
    expect((await readAll(booted)).lines).toEqual(lines(0, 7))
    expect(booted.waiting).toBe(7)
    await booted.close()
  })

  it('is another spool when its files are gone', async () => {
    const spool = open()
    await spool.add(lines(0, 5))
    await spool.close()
    for (const name of files()) rmSync(join(folder, name))
    const fresh = open()
    expect(fresh.id).not.toBe(spool.id)
    expect(fresh.next).toBe(0)
    await fresh.close()
  })

  it('drops the oldest when the control room stays away, and counts them', async () => {
    const spool = open({ bytesMax: MIB })
    for (let n = 0; n < 200; n += 1) await spool.add(lines(n * 100, 100, 50))
    expect(spool.bytes).toBeLessThanOrEqual(MIB + 128 * 1024)
    expect(files().reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)).toBe(spool.bytes)
    const { numbers } = await readAll(spool)
    expect(numbers.at(-1)).toBe(19_999)
    expect(numbers[0]).toBe(spool.lost['spool-full'])
    expect(spool.lost['spool-full'] + spool.waiting).toBe(20_000)
    await spool.close()
  })

  it('forgets files that the control room has, and never the one that is written to', async () => {
    const spool = open({ bytesMax: MIB })
    for (let n = 0; n < 20; n += 1) await spool.add(lines(n * 100, 100, 50))
    spool.release(2000)
    expect(files()).toHaveLength(1)
    expect(spool.waiting).toBe(0)
    await spool.add(lines(2000, 1))
    expect((await readAll(spool, 2000)).numbers).toEqual([2000])
    expect(spool.lost['spool-full']).toBe(0)
    await spool.close()
  })

  it('goes on behind a block that the disk has changed, and counts what is lost', async () => {
    const spool = open({ bytesMax: MIB })
    for (let n = 0; n < 40; n += 1) await spool.add(lines(n * 100, 100, 50))
    const [first = '', second = ''] = files().sort()
    const file = join(folder, first)
    const bytes = readFileSync(file)
    const at = Math.floor(bytes.length / 2)
    bytes.writeUInt8(bytes.readUInt8(at) ^ 0xff, at)
    writeFileSync(file, bytes)
    let { numbers } = await readAll(spool)
    const behind = await readAll(spool, numbers.at(-1) ?? 0)
    numbers = numbers.concat(behind.numbers)
    expect(numbers.at(-1)).toBe(3999)
    expect(numbers).toContain(Number(second.slice(0, 16)))
    expect(spool.lost['spool-damaged']).toBeGreaterThan(0)
    expect(new Set(numbers).size + spool.lost['spool-damaged']).toBe(4000)
    await spool.close()
  })
})
