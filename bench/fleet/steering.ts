// Owns the second part of the fleet bench: steering answers of one edge on one core, asked for at fixed times.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { selfSigned } from '../../test/edge/self-signed.ts'
import { pathway, SmallControl, table } from '../../test/edge/small-fleet.ts'
import { againstGoal, type BenchResult } from '../result.ts'
import { pinTo, spawnNode, stop } from './processes.ts'

const EDGES = 20
const RATE = 5000
/** The timer of the load may slip by a thousandth. */
const RATE_GOAL = 4990
const P99_GOAL_MS = 10
const CONNECTIONS = 64
const EDGE_CORE = '0'
const LOAD_CORE = '1'
const SAY_EVERY_MS = 500
const START_MS_MAX = 15_000
const file = (name: string): string => fileURLToPath(new URL(`./${name}`, import.meta.url))

interface Load {
  readonly rate: number
  readonly wrong: number
  readonly waiting: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
  readonly maxMs: number
}

export async function benchSteering(seconds: number): Promise<BenchResult[]> {
  const folder = mkdtempSync(join(tmpdir(), 'vitrine-bench-steering-'))
  const control = await SmallControl.start()
  const said = table(
    Array.from({ length: EDGES }, (_, at) => {
      const id = `edge-${String(at).padStart(2, '0')}`
      return pathway(id, `https://${id}.example`, at % 5 === 4 ? 0.5 : 1)
    }),
  )
  control.say(said)
  // An edge that hears nothing believes its own probes, and of these edges none exists.
  const again = setInterval(() => control.say(said), SAY_EVERY_MS)
  try {
    return [
      ...(await benchOne('plain', seconds, [join(folder, 'plain'), control.url])),
      ...(await benchOne('TLS', seconds, [join(folder, 'tls'), control.url, ...certificate(folder)])),
    ]
  } finally {
    clearInterval(again)
    await control.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function benchOne(
  name: string,
  seconds: number,
  parameters: readonly string[],
): Promise<BenchResult[]> {
  mkdirSync(parameters[0] ?? '', { recursive: true })
  const edge = spawnNode([file('steering-edge.mjs'), ...parameters])
  try {
    const url = await firstLine(edge.output)
    await pinTo(EDGE_CORE, edge.child.pid ?? 0)
    const load = spawnNode([
      file('steering-load.mjs'),
      url,
      String(RATE),
      String(seconds),
      String(CONNECTIONS),
    ])
    await pinTo(LOAD_CORE, load.child.pid ?? 0)
    const { rate, wrong, waiting, p50Ms, p99Ms, p999Ms, maxMs } = JSON.parse(await load.ended) as Load
    if (wrong > 0) throw new Error(`${wrong} steering answers were no 200`)
    console.log(
      `steering, ${name}: ${rate.toFixed(0)} answers/s of ${RATE} asked, p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(2)}, p99.9 ${p999Ms.toFixed(2)}, longest ${maxMs.toFixed(2)}; ${waiting} waited at the end`,
    )
    return [
      againstGoal(`steering answers, ${name}`, 'requests/s', { ours: rate, goal: RATE_GOAL }, 'higher'),
      againstGoal(`steering p99, ${name}`, 'ms', { ours: p99Ms, goal: P99_GOAL_MS }, 'lower'),
    ]
  } finally {
    await stop(edge)
  }
}

function certificate(folder: string): string[] {
  const { cert, key } = selfSigned()
  const names = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  writeFileSync(names[0] ?? '', cert)
  writeFileSync(names[1] ?? '', key)
  return names
}

async function firstLine(output: () => string): Promise<string> {
  const endMs = performance.now() + START_MS_MAX
  while (!output().includes('\n')) {
    if (performance.now() > endMs) throw new Error(`the edge does not start within ${START_MS_MAX} ms`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  return output().trim()
}
