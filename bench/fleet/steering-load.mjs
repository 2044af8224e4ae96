// Owns the load of the steering bench: requests at fixed times, whatever the answers do (open loop). A request that
// finds no free connection waits, and its wait counts. Parameters: URL, requests a second, seconds, connections.
import { connect as connectPlain } from 'node:net'
import { connect as connectTls } from 'node:tls'

const [url = '', rateText = '5000', secondsText = '10', connectionsText = '64'] = process.argv.slice(2)
const { hostname, port, protocol, host } = new URL(url)
const rate = Number(rateText)
const seconds = Number(secondsText)
const WARM_UP_S = 2
const TURN_MS = 1

const free = []
const queue = []
const latencies = []
let answered = 0
let wrong = 0
let number = 0

function open() {
  const socket =
    protocol === 'https:'
      ? connectTls({ host: hostname, port: Number(port), rejectUnauthorized: false, servername: 'localhost' })
      : connectPlain({ host: hostname, port: Number(port), noDelay: true })
  const connection = { socket, dueMs: 0, text: '' }
  socket.setEncoding('latin1')
  socket.on('data', chunk => onData(connection, chunk))
  socket.on('error', error => {
    console.error(error.message)
    process.exit(1)
  })
  return new Promise(resolve => {
    socket.once(protocol === 'https:' ? 'secureConnect' : 'connect', () => {
      free.push(connection)
      resolve(null)
    })
  })
}

function onData(connection, chunk) {
  connection.text = connection.text === '' ? chunk : connection.text + chunk
  const { text } = connection
  const end = text.indexOf('\r\n\r\n')
  if (end === -1) return
  const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? Number.NaN)
  if (Number.isNaN(length)) throw new Error(`expected a content-length: ${text.slice(0, 300)}`)
  if (text.length < end + 4 + length) return
  if (!text.startsWith('HTTP/1.1 200')) wrong += 1
  connection.text = ''
  answered += 1
  latencies.push(performance.now() - connection.dueMs)
  const next = queue.shift()
  if (next === undefined) free.push(connection)
  else send(connection, next)
}

function send(connection, dueMs) {
  connection.dueMs = dueMs
  number += 1
  const path = `/steer?s=simulated-${number % 20_000}&_HLS_pathway=edge-${String(number % 20).padStart(2, '0')}&_HLS_throughput=5000000`
  connection.socket.write(`GET ${path} HTTP/1.1\r\nhost: ${host}\r\nuser-agent: bench\r\n\r\n`)
}

await Promise.all(Array.from({ length: Number(connectionsText) }, open))
const startMs = performance.now()
const measureFromMs = startMs + WARM_UP_S * 1000
const endMs = measureFromMs + seconds * 1000
let due = 0
let measuring = false
const timer = setInterval(() => {
  const nowMs = performance.now()
  if (!measuring && nowMs >= measureFromMs) {
    measuring = true
    latencies.length = 0
    answered = 0
    wrong = 0
  }
  if (nowMs >= endMs) {
    clearInterval(timer)
    report((nowMs - measureFromMs) / 1000)
    return
  }
  const wanted = ((nowMs - startMs) / 1000) * rate
  for (; due < wanted; due += 1) {
    const dueMs = startMs + (due / rate) * 1000
    const connection = free.pop()
    if (connection === undefined) queue.push(dueMs)
    else send(connection, dueMs)
  }
}, TURN_MS)

function report(tookS) {
  latencies.sort((a, b) => a - b)
  const at = share => latencies[Math.min(latencies.length - 1, Math.floor(share * latencies.length))] ?? 0
  const quantiles = { p50Ms: at(0.5), p99Ms: at(0.99), p999Ms: at(0.999), maxMs: at(1) }
  console.log(
    JSON.stringify({ rate: answered / tookS, answered, wrong, waiting: queue.length, ...quantiles }),
  )
  process.exit(0)
}
