// A notifier that is killed again and again while notices come in: nothing is lost, and what came twice says so by its
// key.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { systemClock } from '#base'
import { openFullState } from '../../src/control/state/open-state.ts'
import { until } from '../control/fixture.ts'
import { RecordingReceiver } from '../notify/receivers.ts'
import { openRows, type RowWriter } from '../notify/write-rows.ts'

/** A life takes a second or two; `VITRINE_KILLS` for fewer. */
const KILLS = Number(process.env['VITRINE_KILLS'] ?? 100)
/** Of one life: what comes while the process starts, and while it works. */
const NOTICES_A_LIFE = 4
const LIFE_MS_MAX = 600

let folder: string
let receiver: RecordingReceiver
let rows: RowWriter
let child: ChildProcess | null = null

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'vitrine-notify-kill-'))
  await (await openFullState(folder, systemClock)).close()
  rows = openRows(folder)
  receiver = await new RecordingReceiver().start()
})
afterEach(async () => {
  child?.kill('SIGKILL')
  rows.close()
  await receiver.close()
  rmSync(folder, { recursive: true, force: true })
})

function startChild(): { readonly runs: Promise<void>; readonly ended: Promise<void> } {
  const script = join(import.meta.dirname, 'notifier-process.ts')
  const args = ['--import', 'tsx', '--conditions', 'source', script, folder, receiver.url]
  const own = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  child = own
  return {
    runs: new Promise((resolve, reject) => {
      own.stdout.once('data', () => resolve())
      own.once('exit', code => reject(new Error(`it ended with ${code}`)))
    }),
    ended: new Promise(resolve => own.once('close', () => resolve())),
  }
}

it(`loses nothing over ${KILLS} kills at random moments`, async () => {
  const written: number[] = []
  const write = (): void => {
    const incident = `k${written.length}`
    rows.incident(incident)
    written.push(rows.notice(incident, 'opened'))
  }
  let answers = 0
  for (let life = 0; life < KILLS; life += 1) {
    for (let index = 0; index < NOTICES_A_LIFE; index += 1) write()
    // Every third life meets a receiver that has the message and does not say so.
    receiver.behaviour = life % 3 === 0 ? 'hangs' : 'takes'
    const { runs, ended } = startChild()
    await runs
    const lifeMs = Math.random() * LIFE_MS_MAX
    await new Promise(resolve => setTimeout(resolve, lifeMs / 2))
    write()
    await new Promise(resolve => setTimeout(resolve, lifeMs / 2))
    child?.kill('SIGKILL')
    await ended
    answers = receiver.received.length
  }
  receiver.behaviour = 'takes'
  const { runs } = startChild()
  await runs
  const keys = (): string[] => receiver.received.map(({ headers }) => String(headers['idempotency-key']))
  const expected = written.map((id, index) => `k${index}-${id}-hook`)
  await until(() => new Set(keys()).size >= expected.length, 'all are told', 60_000)
  await until(
    () => rows.rows("SELECT 1 FROM deliveries WHERE state != 'sent'").length === 0,
    'all are recorded as sent',
    60_000,
  )
  expect(new Set(keys())).toEqual(new Set(expected))
  expect(rows.rows('SELECT count(*) AS count FROM deliveries')).toEqual([{ count: expected.length }])
  const twice = keys().length - expected.length
  process.stdout.write(
    `${expected.length} notices, ${KILLS} kills, ${answers} requests before the last life: ${twice} came twice, with the same key\n`,
  )
}, 600_000)
