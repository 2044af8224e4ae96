// Owns an edge in a process of its own, for tests that kill or stop it: folder, origin, then id, control and port.
import { runEdge } from './small-fleet.ts'

const [stateFolder = '', originUrl = '', id = 'eu-west', controlUrl = 'http://127.0.0.1:9', port = '0'] =
  process.argv.slice(2)
const listen = { host: '127.0.0.1', port: Number(port) }
const edge = await runEdge({ stateFolder, originUrl, id, region: id, controlUrl, listen })
console.log(edge.url)
