// Owns making a clone ready to run: packages installed, native modules loadable, sources built. The hook of
// `npm start` and `npm test`; it needs nothing but Node, and does nothing when nothing has changed.
const NODE_MIN = [20, 19]

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < NODE_MIN[0] || (major === NODE_MIN[0] && minor < NODE_MIN[1])) {
  console.error(
    `vitrine: needs Node ${NODE_MIN.join('.')} or newer, this is ${process.version} (${process.execPath}); install one from https://nodejs.org`,
  )
  process.exit(1)
}

// Loaded after the check: an old Node may not understand them.
const { makeReady } = await import('./ready/make-ready.mjs')
const purpose = process.argv.includes('test') ? 'test' : 'start'
if (!(await makeReady({ purpose }))) process.exitCode = 1
