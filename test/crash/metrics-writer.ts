// Owns a process that writes to a metrics store and says what was acknowledged, until it is killed.
// It refuses to end by itself.
import { writeSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { messageOf, silentLog, systemClock } from '#base'
import { metricsFaults, openStore } from '#metrics'

const SERIES = 20
/** Also known to metrics-kill.test.ts. */
const COUNTER_RESETS_AT = 40
const START_MS = 1_700_000_000_000

const [folder = '', first = '0', sealing = 'seals'] = process.argv.slice(2)
// Without a handler the kernel ends a process whose file grows past its limit; with one, write() fails with EFBIG.
process.on('SIGXFSZ', () => undefined)
const store = openStore({ folder, clock: systemClock, log: silentLog })

/** As a whole, however slowly the test reads: a full pipe is waited for. */
function say(line: string): void {
  for (;;) {
    try {
      writeSync(1, `${line}\n`) // a line is far below PIPE_BUF, so it goes whole or not at all
      return
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error
    }
  }
}

/** A snapshot is taken, series are deleted, and the snapshot gives them back, while writes go on. */
async function deleteAndRestore(through: number): Promise<void> {
  const name = await store.snapshot()
  say(`deleting ${through}`)
  await store.deleteSeries(['scratch'], 0, START_MS + through * 1000)
  await store.restore(name, null)
  say(`restored ${through}`)
}

let cycle: Promise<void> | null = null
for (let at = Number(first); ; at += 1) {
  const timestampMs = START_MS + at * 1000
  const batch = Array.from({ length: SERIES }, (_, series) => ({
    labels: { __name__: 'written', series: String(series) },
    samples: [{ timestampMs, value: at * 1000 + series }],
  }))
  try {
    // One of the series is a counter of the ledger, which starts anew now and then.
    const counter = { __name__: 'vitrine_edge_sent_bytes_total', instance: 'eu-west' }
    const served = { labels: counter, samples: [{ timestampMs, value: (at % COUNTER_RESETS_AT) * 1000 }] }
    // Not while it is deleted: what is written in each turn of the thread cannot be sealed to the last sample.
    const isScratch = cycle === null
    const scratch = { labels: { __name__: 'scratch' }, samples: [{ timestampMs, value: at }] }
    const all = [...batch, served, ...(isScratch ? [scratch] : [])]
    const accepted = store.write(all, timestampMs).accepted
    say(`${accepted === all.length ? 'acknowledged' : 'refused'} ${at}${isScratch ? ' scratch' : ''}`)
  } catch (error) {
    const isFull = error instanceof Error && 'code' in error && error.code === 'metrics-store-disk-full'
    say(isFull ? `full ${at}` : `failed ${metricsFaults.room} ${messageOf(error)}`)
    at -= 1
  }
  // Seals overlap with writes, so that a kill meets each of their stages.
  if (sealing === 'seals' && at % 25 === 24) void store.seal().catch(() => undefined)
  if (sealing === 'seals' && at % 20 === 10) {
    cycle ??= deleteAndRestore(at)
      .catch((error: unknown) => say(`failed ${messageOf(error)}`))
      .finally(() => {
        cycle = null
      })
  }
  await setImmediate()
}
