// Owns the traffic of the metrics bench: remote writes over raw keep-alive connections, and timed queries.
// It refuses to count a request that was not answered with success.
import { connect } from 'node:net'
import type { Bodies } from './bodies.ts'
import type { Target } from './targets.ts'

export interface Sent {
  readonly seconds: number
  readonly kSamplesASecond: number
  readonly cpuSAMillion: number
  readonly requestMsMax: number
  readonly requestMsMedian: number
}

const ANSWER_MS_MAX = 60_000

/** Sends everything, one request at a time on each connection. */
export async function send(target: Target, bodies: Bodies): Promise<Sent> {
  const cpuBefore = target.cpuS()
  const startedMs = performance.now()
  const tookMs: number[] = []
  await Promise.all(bodies.shards.map(list => sendShard(target, list, tookMs)))
  const seconds = (performance.now() - startedMs) / 1000
  const cpuS = target.cpuS() - cpuBefore
  tookMs.sort((a, b) => a - b)
  return {
    seconds,
    kSamplesASecond: bodies.samples / seconds / 1000,
    cpuSAMillion: cpuS / (bodies.samples / 1e6),
    requestMsMax: tookMs.at(-1) ?? 0,
    requestMsMedian: tookMs[tookMs.length >> 1] ?? 0,
  }
}

function sendShard(target: Target, list: readonly Uint8Array[], tookMs: number[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(target.port, '127.0.0.1')
    socket.setNoDelay(true)
    socket.setTimeout(ANSWER_MS_MAX, () => socket.destroy(new Error(`${target.name}: no answer`)))
    let next = 0
    let sentMs = 0
    let answer = ''
    const sendNext = (): void => {
      const body = list[next]
      if (body === undefined) {
        socket.end()
        resolve()
        return
      }
      next += 1
      sentMs = performance.now()
      socket.cork()
      socket.write(
        `POST ${target.prefix}/api/v1/write HTTP/1.1\r\nHost: 127.0.0.1:${target.port}\r\n${target.authorization}` +
          'Content-Encoding: snappy\r\nContent-Type: application/x-protobuf\r\n' +
          `X-Prometheus-Remote-Write-Version: 0.1.0\r\nContent-Length: ${body.length}\r\n\r\n`,
      )
      socket.write(body)
      socket.uncork()
    }
    socket.on('connect', sendNext)
    socket.on('error', reject)
    socket.on('data', data => {
      answer += data.toString('latin1')
      const end = answer.indexOf('\r\n\r\n')
      if (end < 0) return
      const length = Number(/content-length: (\d+)/i.exec(answer)?.[1] ?? 0)
      if (answer.length < end + 4 + length) return
      const status = Number(answer.slice(9, 12))
      if (status >= 300) {
        socket.destroy(new Error(`${target.name}: ${answer.slice(0, 400)}`))
        return
      }
      tookMs.push(performance.now() - sentMs)
      answer = ''
      sendNext()
    })
  })
}

/** The whole answer's text; throws when it is no success. */
export async function ask(target: Target, path: string): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${target.port}${target.prefix}/api/v1/${path}`, {
    headers: target.token === null ? {} : { authorization: `Bearer ${target.token}` },
    signal: AbortSignal.timeout(ANSWER_MS_MAX),
  })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${target.name}: ${answer.status} ${text.slice(0, 300)}`)
  return text
}

export async function medianQueryMs(target: Target, path: string, rounds: number): Promise<number> {
  const tookMs: number[] = []
  for (let round = 0; round < rounds + 2; round += 1) {
    const startedMs = performance.now()
    const text = await ask(target, path)
    // The first two warm what there is to warm.
    if (round >= 2) tookMs.push(performance.now() - startedMs)
    if (!text.includes('"metric"')) throw new Error(`${target.name}: ${path}: nothing found`)
  }
  return tookMs.sort((a, b) => a - b)[tookMs.length >> 1] ?? Number.NaN
}
