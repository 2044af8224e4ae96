import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { systemClock } from '#base'
import { ask } from '../../src/agent/clock/sntp.ts'
import { CpioFile } from './cpio.ts'
import { whileStopped } from './gdb.ts'
import { readTimerBases } from './sick-timers.ts'
import { LeapTime, startTimeServer } from './time-servers.ts'

const folder = mkdtempSync(join(tmpdir(), 'vitrine-vm-parts-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('parts of the guest', () => {
  it('the archive has its entries in the kernel’s form, aligned, folders first and once', () => {
    const file = join(folder, 'image')
    const image = new CpioFile(file)
    image.file('a/b/c', 'hello', 0o755)
    image.link('a/d', 'b/c')
    image.close()
    const bytes = readFileSync(file)
    expect(bytes.length % 4).toBe(0)
    const names: string[] = []
    for (let at = 0; at < bytes.length; ) {
      expect(bytes.toString('latin1', at, at + 6)).toBe('070701')
      const field = (index: number): number =>
        Number.parseInt(bytes.toString('latin1', at + 6 + index * 8, at + 14 + index * 8), 16)
      const [size, nameSize] = [field(6), field(11)]
      names.push(`${bytes.toString('latin1', at + 110, at + 109 + nameSize)} ${field(1).toString(8)}`)
      at += Math.ceil((110 + nameSize) / 4) * 4 + Math.ceil(size / 4) * 4
    }
    expect(names).toEqual(['a 40755', 'a/b 40755', 'a/b/c 100755', 'a/d 120777', 'TRAILER!!! 0'])
  })

  it('the timers of the wall clock are found in the kernel’s list, of all processors', () => {
    const base = (clock: number, address: string, time: string, offset: string): string =>
      ` clock ${clock}:\n  .base:       ${address}\n  .index:      ${clock}\n  .resolution: 1 nsecs\n  .get_time:   ${time}\n  .offset:     ${offset} nsecs\nactive timers:\n`
    const text = `cpu: 0\n${base(0, 'ff01', 'ktime_get', '0')}${base(1, 'ff1100002e222f00', 'ktime_get_real', '1341100681637284180')}cpu: 1\n${base(5, 'ff40', 'ktime_get_real', '18446744073709551615')}`
    expect(readTimerBases(text)).toEqual([
      { address: 0xff1100002e222f00n, offsetNs: 1_341_100_681_637_284_180n },
      { address: 0xff40n, offsetNs: -1n },
    ])
  })

  it('a time server announces the leap second, makes it, and is silent about it afterwards', async () => {
    const midnight = Date.UTC(2012, 6, 1)
    const [before, after] = [new LeapTime(midnight, 5000), new LeapTime(midnight, -5000)]
    expect(before.nowMs - midnight + 5000).toBeLessThan(1000)
    // Five seconds after it began, four of the new day have passed.
    expect(after.nowMs - midnight - 4000).toBeLessThan(1000)
    for (const [time, leap] of [
      [before, 1],
      [after, 0],
    ] as const) {
      const server = await startTimeServer(time, 1)
      const asked = await ask('127.0.0.1', server.port, systemClock)
      await server.close()
      expect(asked?.answer).toMatchObject({ leap, stratum: 1, kiss: null })
      expect(Math.abs(-(asked?.offsetS ?? 0) * 1000 - (time.nowMs - Date.now()))).toBeLessThan(1000)
    }
  })

  it('memory is read and written in the debugger’s protocol, and the guest goes on also after a refusal', async () => {
    const path = join(folder, 'debug')
    const heard: string[] = []
    const answers: Record<string, string> = {
      '?': 'T05thread:01;#00$T05thread:01;',
      m10: '0a0b',
      M10: 'OK',
      m20: 'E14',
      D: 'OK',
    }
    const server: Server = createServer(socket =>
      socket.on('data', chunk => {
        for (const [, words = ''] of chunk.toString().matchAll(/\$([^#]*)#[0-9a-f]{2}/g)) {
          heard.push(words)
          socket.write(`+$${answers[words.split(',')[0] ?? ''] ?? ''}#00`)
        }
      }),
    )
    await new Promise<void>(resolve => server.listen(path, resolve))
    const read = await whileStopped(path, async memory => {
      await memory.write(0x10n, Buffer.from([1]))
      return await memory.read(0x10n, 2)
    })
    expect(read).toEqual(Buffer.from([10, 11]))
    await expect(whileStopped(path, memory => memory.read(0x20n, 1))).rejects.toThrow('cannot be read: E14')
    expect(heard).toEqual(['?', 'M10,1:01', 'm10,2', 'D', '?', 'm20,1', 'D'])
    server.close()
  })
})
