// The state of 2012, recreated in processes of its own: it hurts a real program, the agent's probe sees it, setting the
// clock cures it, and the machine's own clock is not touched.
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readClockNs, systemClock } from '#base'
import { buildDrill, ClockFault, type DrillPrograms, withoutClockRights } from '#drill'

const MS = 1_000_000n
const folder = mkdtempSync(join(tmpdir(), 'vitrine-drill-'))
const wallMinusMonotonicNs = (): bigint => (readClockNs('realtime') ?? 0n) - (readClockNs('monotonic') ?? 0n)
const beforeNs = wallMinusMonotonicNs()
let programs: DrillPrograms
let fault: ClockFault

beforeAll(async () => {
  programs = await buildDrill(folder)
  fault = new ClockFault(join(folder, 'clock'), programs.shim)
}, 60_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** As a process of the drill sees them: the probe's verdict in ms, and its wall clock. */
function look(): { earlyMs: number | null; wallMs: number } {
  const module = fileURLToPath(new URL('../../src/agent/clock/early-timers.ts', import.meta.url))
  const script = `import(${JSON.stringify(module)}).then(async ({ probeEarly, earlyMs }) => {
    const probe = await probeEarly(50)
    console.log(JSON.stringify({ earlyMs: probe && earlyMs(probe), wallMs: Date.now() }))
  })`
  const text = execFileSync(process.execPath, ['-C', 'source', '--import', 'tsx', '-e', script], {
    env: { ...process.env, ...fault.environment },
    encoding: 'utf8',
  })
  return JSON.parse(text) as { earlyMs: number | null; wallMs: number }
}

/** Voluntary context switches of all threads: a healthy waiter makes 100 a second in each. */
function switches(pid: number): number {
  const threads = execFileSync('ls', [`/proc/${pid}/task`], { encoding: 'utf8' })
    .trim()
    .split('\n')
  return threads.reduce((sum, thread) => {
    const status = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8')
    return sum + Number(status.split(' ')[2])
  }, 0)
}

describe('the clock fault of a drill', () => {
  it('is seen by the probe while it is there, and by a program’s wall clock', () => {
    fault.set(0)
    expect(look().earlyMs).toBe(0)
    fault.set(-1000)
    const sick = look()
    expect(sick.earlyMs).toBeGreaterThan(1)
    expect(sick.wallMs).toBeLessThan(systemClock.wallMs() - 900)
    expect(fault.readMs()).toBe(-1000)
  }, 30_000)

  it('has no right to set a clock, even if it were not answered here', () => {
    const [command = '', ...parameters] = withoutClockRights(['grep', 'CapEff', '/proc/self/status'])
    const held = BigInt(`0x${execFileSync(command, parameters, { encoding: 'utf8' }).split('\t')[1]?.trim()}`)
    const CAP_SYS_TIME = 25n
    expect(held & (1n << CAP_SYS_TIME)).toBe(0n)
  })

  it('is cured by setting the clock, which does not reach the kernel', () => {
    fault.set(-1000)
    const [command = '', ...parameters] = withoutClockRights(['date', '-s', '@946684800'])
    const said = execFileSync(command, parameters, {
      env: { ...process.env, ...fault.environment },
      encoding: 'utf8',
    })
    expect(said).not.toBe('')
    expect(fault.readMs()).toBe(0)
  })

  it('makes a real program spin, and the cure ends it without a restart', async () => {
    fault.set(-1000)
    const child = spawn(programs.waiter, ['2'], {
      env: { ...process.env, ...fault.environment },
      stdio: 'ignore',
    })
    try {
      const pid = child.pid ?? 0
      await expect.poll(() => switches(pid), { timeout: 20_000, interval: 50 }).toBeGreaterThan(1000)
      fault.set(0)
      // What a healthy waiter does in the time between two looks is far below what a sick one does.
      await expect
        .poll(
          async () => {
            const [from, startNs] = [switches(pid), process.hrtime.bigint()]
            await new Promise(resolve => setTimeout(resolve, 200))
            const seconds = Number(process.hrtime.bigint() - startNs) / 1e9
            return (switches(pid) - from) / seconds
          },
          { timeout: 10_000 },
        )
        .toBeLessThan(1000)
    } finally {
      child.kill('SIGKILL')
    }
  }, 60_000)

  it('says which package is missing where there is no compiler', async () => {
    await expect(buildDrill(join(folder, 'other'), '/nonexistent')).rejects.toMatchObject({
      code: 'drill-no-compiler',
    })
  })

  it('never moved the machine’s clock', () => {
    const movedNs = wallMinusMonotonicNs() - beforeNs
    // A time daemon may slew it meanwhile, by 500 ppm at most.
    expect(movedNs < 20n * MS && movedNs > -20n * MS).toBe(true)
  })
})
