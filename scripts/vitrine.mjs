#!/usr/bin/env node
// Owns `npx vitrine ...` in a clone: gets it ready without a word when nothing is to do, then is the command line.
// It runs in this process, so that signals and exit codes are those of the command.
const NODE_MIN = [20, 19]

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < NODE_MIN[0] || (major === NODE_MIN[0] && minor < NODE_MIN[1])) {
  console.error(
    `vitrine: needs Node ${NODE_MIN.join('.')} or newer, this is ${process.version} (${process.execPath})`,
  )
  process.exit(1)
}

const { makeReady } = await import('./ready/make-ready.mjs')
if (await makeReady({ purpose: 'start' })) await import('../dist/cli/main.js')
else process.exitCode = 1
