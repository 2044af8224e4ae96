// Owns the proof that a disk that is really full costs no acknowledged sample, and that the store goes on by itself.
// It refuses to run where no file system may be mounted.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { silentLog, systemClock } from '#base'
import { openStore } from '#metrics'

const T0 = 1_700_000_000_000
const SERIES = 200
const BATCHES_MAX = 5000

const mount = mkdtempSync(join(tmpdir(), 'vitrine-full-'))
const isMounted = mounted()

function mounted(): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', mount], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

afterAll(() => {
  if (isMounted) execFileSync('umount', ['-l', mount])
  rmSync(mount, { recursive: true, force: true })
})

it.skipIf(!isMounted)(
  'a full disk refuses whole batches and seals; all goes on when there is room',
  {
    timeout: 60_000,
  },
  async () => {
    const ballast = join(mount, 'ballast')
    writeFileSync(ballast, Buffer.alloc(4 * 1024 * 1024, 1))
    const open = (): ReturnType<typeof openStore> =>
      openStore({ folder: join(mount, 'metrics'), clock: systemClock, log: silentLog })
    let store = open()
    let next = 0
    const write = (): void => {
      const batch = Array.from({ length: SERIES }, (_, series) => ({
        labels: { __name__: 'x', series: String(series) },
        samples: [{ timestampMs: T0 + next * 1000, value: next * Math.PI + series }],
      }))
      expect(store.write(batch, T0 + next * 1000).accepted).toBe(SERIES)
      next += 1
    }
    const full = expect.objectContaining({ code: 'metrics-store-disk-full' })
    const whole = (): void => {
      const answer = store.query('count_over_time(x[1d])', T0 + 7_200_000)
      if (answer.kind !== 'vector') throw new Error(answer.kind)
      expect(answer.items.map(item => item.value)).toEqual(Array.from({ length: SERIES }, () => next))
    }
    let refused = 0
    for (let at = 0; at < BATCHES_MAX && refused < 3; at += 1) {
      try {
        write()
      } catch (error) {
        expect(error).toEqual(full)
        refused += 1
      }
      if (at === 100) await store.seal()
      if (at === 120) writeFileSync(ballast, Buffer.alloc(5 * 1024 * 1024 + 512 * 1024, 1))
    }
    expect(refused).toBe(3)
    expect(store.totals()).toMatchObject({ refusedBatches: 3, failing: expect.any(String) })
    whole()
    await expect(store.seal()).rejects.toEqual(full)
    whole()
    rmSync(ballast)
    write()
    expect(store.totals().failing).toBeNull()
    await store.seal()
    whole()
    await store.close()
    store = open()
    whole()
    await store.close()
  },
)
