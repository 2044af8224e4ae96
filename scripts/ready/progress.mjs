// Owns showing that a long step goes on: one line that changes on a terminal, else a line every few seconds.
const TERMINAL_MS = 250
const PLAIN_MS = 5000

export function startProgress(what, describe) {
  const startedMs = performance.now()
  const terminal = process.stderr.isTTY
  const seconds = () => `${Math.round((performance.now() - startedMs) / 1000)} s`
  const show = () => {
    const line = `${what}: ${describe()} (${seconds()})`
    process.stderr.write(terminal ? `\r\u001b[2K${line}` : `${line}\n`)
  }
  show()
  const timer = setInterval(show, terminal ? TERMINAL_MS : PLAIN_MS)
  return {
    end: words => {
      clearInterval(timer)
      process.stderr.write(`${terminal ? '\r\u001b[2K' : ''}${what}: ${words} (${seconds()})\n`)
    },
  }
}
