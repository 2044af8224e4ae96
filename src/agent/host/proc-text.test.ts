import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  readDisks,
  readLoad,
  readMemory,
  readMountpoints,
  readNetwork,
  readProcessStat,
  readSwitches,
  readSystemStat,
} from './proc-text.ts'

describe('/proc/stat', () => {
  const text =
    'cpu  10 0 10 100 0 0 0 0 0 0\ncpu0 1000 20 300 40000 50 6 7 8 0 0\ncpu1 1 2 3 4 5 6 7 8 0 0\nintr 1 2 3\nctxt 987654\n'

  it('gives seconds by CPU and mode, and leaves out the sum of all CPUs', () => {
    const stat = readSystemStat(text)
    expect(stat?.cpus.map(({ cpu }) => cpu)).toEqual(['0', '1'])
    expect(stat?.cpus[0]?.seconds).toEqual({
      user: 10,
      nice: 0.2,
      system: 3,
      idle: 400,
      iowait: 0.5,
      irq: 0.06,
      softirq: 0.07,
      steal: 0.08,
    })
    expect(stat?.contextSwitches).toBe(987_654)
  })

  it('takes a short line of an old kernel: modes that it lacks are 0', () => {
    expect(readSystemStat('cpu0 100 0 100 100\n')?.cpus[0]?.seconds.steal).toBe(0)
  })

  it('is null without any CPU', () => {
    expect(readSystemStat('')).toBeNull()
    expect(readSystemStat('ctxt 5\n')).toBeNull()
  })
})

describe('/proc/loadavg and /proc/meminfo', () => {
  it('reads the three averages', () => {
    expect(readLoad('0.24 1.50 12.00 3/456 7890\n')).toEqual([0.24, 1.5, 12])
    expect(readLoad('')).toBeNull()
    expect(readLoad('a b c')).toBeNull()
  })

  it('gives memory in bytes, and null when a line is missing', () => {
    const text = 'MemTotal:        4028440 kB\nMemFree: 1 kB\nMemAvailable:    2014220 kB\n'
    expect(readMemory(text)).toEqual({ totalBytes: 4_028_440 * 1024, availableBytes: 2_014_220 * 1024 })
    expect(readMemory('MemTotal: 5 kB\n')).toBeNull()
  })
})

describe('devices', () => {
  it('reads bytes of each interface, also when the name touches the figure', () => {
    const text = `Inter-|   Receive  |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 1000 10 0 0 0 0 0 0 2000 20 0 0 0 0 0 0
eth0:3000 30 0 0 0 0 0 0 4000 40 0 0 0 0 0 0
`
    expect(readNetwork(text)).toEqual([
      { device: 'lo', inBytes: 1000, outBytes: 2000 },
      { device: 'eth0', inBytes: 3000, outBytes: 4000 },
    ])
  })

  it('counts whole disks in sectors of 512 bytes and leaves out partitions, loops and RAM disks', () => {
    const line = (name: string): string => `   8 0 ${name} 1 2 10 4 5 6 20 8 9 10 11`
    const text = ['vda', 'vda1', 'nvme0n1', 'nvme0n1p2', 'loop0', 'ram3', 'sdb12'].map(line).join('\n')
    expect(readDisks(text)).toEqual([
      { device: 'vda', inBytes: 5120, outBytes: 10_240 },
      { device: 'nvme0n1', inBytes: 5120, outBytes: 10_240 },
    ])
  })

  it('keeps mount points on disks once, with their escapes undone', () => {
    const text =
      'proc /proc proc rw 0 0\n/dev/vda1 / ext4 rw 0 0\n/dev/vdb /my\\040disk xfs rw 0 0\n/dev/vda1 / ext4 rw 0 0\n'
    expect(readMountpoints(text)).toEqual(['/', '/my disk'])
  })
})

describe('/proc/PID/stat', () => {
  const rest = 'S 10 42 1 0 -1 4194304 1 2 3 4 150 50 7 3 20 0 11 0 98765 1000000 2500 18446744073709551615'

  it('reads group, times, start and memory', () => {
    expect(readProcessStat(`1234 (node) ${rest}\n`)).toEqual({
      pid: 1234,
      name: 'node',
      state: 'S',
      parentPid: 10,
      group: 42,
      ownTicks: 200,
      childTicks: 10,
      startTicks: 98_765,
      residentPages: 2500,
    })
  })

  it('is not misled by a name with blanks and parentheses', () => {
    expect(readProcessStat(`7 (a) R (b c) ${rest}`)?.group).toBe(42)
    expect(readProcessStat(`7 () ${rest}`)?.state).toBe('S')
  })

  it('is null for a truncated line, and never throws', () => {
    expect(readProcessStat('')).toBeNull()
    expect(readProcessStat('12 (node) S 10')).toBeNull()
    fc.assert(
      fc.property(fc.string(), text => {
        readProcessStat(text)
        readProcessStat(`1 (x) ${text}`)
        readSystemStat(text)
        readNetwork(text)
        readDisks(text)
        readMountpoints(text)
        readMemory(text)
      }),
      { numRuns: 300 },
    )
  })

  it('sums both kinds of switches', () => {
    expect(
      readSwitches('Name:\tnode\nvoluntary_ctxt_switches:\t100\nnonvoluntary_ctxt_switches:\t23\n'),
    ).toBe(123)
    expect(readSwitches('Name:\tnode\n')).toBeNull()
  })
})
