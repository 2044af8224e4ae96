// Owns the edge of the intake bench: behind a proxy, so that reports come from many addresses. Folder, then control room.
import { runEdge } from '../../test/edge/small-fleet.ts'

const [stateFolder = '', controlUrl = ''] = process.argv.slice(2)
const listen = { host: '127.0.0.1', port: 0, behindProxy: true }
const edge = await runEdge({ stateFolder, controlUrl, listen })
console.log(edge.url)
