import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { defineFaults, Fault, faultBody } from './fault.ts'
import { ensureFolder, lockFile, lockHolder, writeFileAtomic } from './files.ts'
import { Closers } from './lifecycle.ts'
import { isLoopback, listen } from './listen.ts'
import { createLog, createThrottle, lossyLines, Secret } from './log.ts'

const scratch = (): string => mkdtempSync(join(tmpdir(), 'vitrine-base-'))

describe('closing', () => {
  it('closes in reverse order, once, and goes on after a failure', async () => {
    const closed: string[] = []
    const closers = new Closers()
    closers.defer(() => void closed.push('first'))
    closers.defer(() => {
      throw new Error('second fails')
    })
    closers.defer(() => void closed.push('third'))
    await expect(closers.close()).rejects.toThrow('closing failed')
    await closers.close().catch(() => undefined)
    expect(closed).toEqual(['third', 'first'])
  })
})

describe('listening', () => {
  it('refuses to listen off loopback without TLS', async () => {
    await expect(listen({ host: '0.0.0.0', port: 0 })).rejects.toMatchObject({ code: 'base-listen-unsafe' })
    const behind = await listen({ host: '0.0.0.0', port: 0, behindProxy: true })
    await behind.close()
  })

  it('names a taken port', async () => {
    const first = await listen({ host: '127.0.0.1', port: 0 })
    await expect(listen({ host: '127.0.0.1', port: first.port })).rejects.toMatchObject({
      code: 'base-listen-port-taken',
      message: expect.stringContaining(`port ${first.port}`),
    })
    await first.close()
  })

  it('knows loopback from the rest', () => {
    expect(['127.0.0.1', '127.9.9.9', '::1', 'localhost', '::ffff:127.0.0.1'].every(isLoopback)).toBe(true)
    expect(['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.example.org', '1270.0.0.1'].some(isLoopback)).toBe(false)
  })
})

describe('files', () => {
  it('replaces a file as a whole', () => {
    const file = join(scratch(), 'x.json')
    writeFileAtomic(file, 'one')
    writeFileAtomic(file, 'two')
    expect(readFileSync(file, 'utf8')).toBe('two')
  })

  it('refuses a lock that is held, and names its holder', async () => {
    const file = join(scratch(), 'lock')
    const lock = lockFile(file)
    expect(lockHolder(file)).toBe(process.pid)
    expect(() => lockFile(file)).toThrow(expect.objectContaining({ code: 'base-folder-in-use' }))
    await lock.close()
    expect(lockHolder(file)).toBeNull()
    expect(existsSync(file)).toBe(false)
  })

  it('takes a lock whose dead holder had the pid of a program that lives now', async () => {
    const file = join(scratch(), 'lock')
    writeFileSync(file, '1\n')
    expect(lockHolder(file)).toBeNull()
    const lock = lockFile(file)
    expect(readFileSync(file, 'utf8')).toBe(`${process.pid}\n`)
    await lock.close()
  })

  it('refuses a folder that cannot be made, also in /proc', () => {
    for (const folder of ['/proc/vitrine/x', '/dev/null/x']) {
      expect(() => ensureFolder(folder)).toThrow(expect.objectContaining({ code: 'base-folder-unwritable' }))
    }
  })
})

describe('faults', () => {
  it('shows a fault to a client and hides everything else', () => {
    const faults = defineFaults('x', { 'x-y': { status: 404, where: 'downstream', retry: false, help: 'h' } })
    const fault = faults.fault('x-y', 'no title z', { facts: { title: 'z' } })
    expect(fault).toBeInstanceOf(Fault)
    const error = { code: 'x-y', message: 'no title z', retry: false, facts: { title: 'z' } }
    expect(faultBody(fault)).toEqual({ status: 404, body: { error } })
    expect(JSON.stringify(faultBody(new Error('secret path')))).not.toContain('secret')
  })

  it('refuses a code that does not carry its room', () => {
    const kind = { status: 500, where: 'internal', retry: false, help: 'h' } as const
    expect(() => defineFaults('x', { 'y-z': kind })).toThrow('must start with x-')
  })
})

describe('logs', () => {
  it('prints secrets as ***', () => {
    const secret = new Secret('hunter2')
    expect(`${String(secret)} ${JSON.stringify({ secret })}`).toBe('*** {"secret":"***"}')
    expect(secret.reveal()).toBe('hunter2')
  })

  it('loses lines that cannot be written, says how many, and goes on', () => {
    const full = openSync('/dev/full', 'w')
    const kept: string[] = []
    let room = false
    const log = createLog(
      'info',
      lossyLines(bytes => (room ? kept.push(String(bytes)) && bytes.length : writeSync(full, bytes))),
    )
    log.info('one')
    log.info('two')
    room = true
    log.info('three')
    closeSync(full)
    expect(kept.map(line => (JSON.parse(line) as { event: string; lines?: number }).event)).toEqual([
      'log-lines-lost',
      'three',
    ])
    expect(kept[0]).toContain('"lines":2')
  })

  it('holds repeats back and tells how many', () => {
    const throttle = createThrottle(1000)
    expect(throttle('a', 0)).toEqual({ pass: true, dropped: 0 })
    expect(throttle('a', 10).pass).toBe(false)
    expect(throttle('a', 20).pass).toBe(false)
    expect(throttle('a', 1000)).toEqual({ pass: true, dropped: 2 })
  })
})
