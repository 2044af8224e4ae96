// Owns what one faked process of the causes bench believes: its wall clock and its version, and how slow it answers.
// It touches nothing but its own process: VITRINE_SHIM names a file that says {"shiftS", "slowMs", "version"}.
import fs from 'node:fs'
import { Server as HttpServer } from 'node:http'
import { Server as HttpsServer } from 'node:https'
import { syncBuiltinESMExports } from 'node:module'

const LOOK_MS = 200
const file = process.env.VITRINE_SHIM
const readFile = fs.readFileSync
const state = { shiftS: 0, slowMs: 0, version: null }

function look() {
  try {
    Object.assign(state, { shiftS: 0, slowMs: 0, version: null }, JSON.parse(readFile(file, 'utf8')))
  } catch {
    // Nothing is asked of it.
  }
}

if (file !== undefined) {
  look()
  setInterval(look, LOOK_MS).unref()
  const now = Date.now
  Date.now = () => now() + state.shiftS * 1000
  fs.readFileSync = (path, ...rest) => {
    const read = readFile(path, ...rest)
    const isOurs = state.version !== null && /dist\/\.\.\/package\.json$|\/package\.json$/.test(String(path))
    return isOurs && typeof read === 'string'
      ? read.replace(/"version": "[^"]*"/, `"version": "${state.version}"`)
      : read
  }
  syncBuiltinESMExports()
  for (const Server of [HttpServer, HttpsServer]) {
    const emit = Server.prototype.emit
    Server.prototype.emit = function (event, ...rest) {
      if (event !== 'request' || state.slowMs === 0) return emit.call(this, event, ...rest)
      setTimeout(() => emit.call(this, event, ...rest), state.slowMs)
      return true
    }
  }
}
