// Owns the edge of the steering bench: the built code in a process of its own, with a table from a control room that
// only talks. Parameters: folder, control, and a file of certificate and key or nothing.
import { Secret, silentLog, systemClock } from '#base'
import { startEdge } from '#edge'

const [stateFolder = '', controlUrl = '', certFile, keyFile] = process.argv.slice(2)
const tls = certFile === undefined || keyFile === undefined ? {} : { tls: { certFile, keyFile } }
const edge = await startEdge({
  id: 'edge-00',
  region: 'edge-00',
  listen: { host: '127.0.0.1', port: 0, ...tls },
  publicUrl: null,
  controlUrl,
  token: new Secret('bench'),
  originUrl: 'http://127.0.0.1:9',
  stateFolder,
  webFolder: null,
  memoryBytesMax: 64 * 1024 * 1024,
  diskBytesMax: 0,
  accessLog: { bytesMax: 64 * 1024 * 1024, filesMax: 2 },
  clock: systemClock,
  log: silentLog,
})
console.log(edge.url)
process.once('SIGTERM', () => {
  void edge.close().then(() => process.exit(0))
})
