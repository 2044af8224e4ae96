// Owns `npm test`: every check in order, all of them shown also after a failure, and a summary whose last line
// counts tests. Arguments are passed to vitest as filters: `npm test -- src/edge`. `npm test -- --slow` runs what
// takes a minute or more each: `test/slow/`.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { inRoot, readJson, root } from './ready/paths.mjs'
import { installTools } from './test/tools.mjs'

const parameters = process.argv.slice(2)
const mayInstall = !parameters.includes('--no-install')
const isSlow = parameters.includes('--slow')
const filters = parameters.filter(word => word !== '--no-install' && word !== '--slow')
/** Proves servers to be within their normal ranges: another test beside it would take its CPU. */
const ALONE = 'test/slow/drill.test.ts'
const bin = name => inRoot('node_modules', '.bin', name)

/** Lines of a failure's message in the summary; the whole of it stands above. */
const MESSAGE_LINES = 12

/** What ran: `{ name, ok, tookS, note }`. */
const steps = []
const counts = { passed: 0, failed: 0, skipped: 0 }
const skips = []
/** `{ where, message }` of each failed test: shown again at the end, where people (and machines) look. */
const failures = []

skips.push(...installTools(mayInstall))
if (isSlow) {
  step('type check', bin('tsc'), ['-b'])
  if (filters.length > 0) tests('slow tests', filters)
  else {
    tests('slow tests', ['test/slow/', `--exclude=${ALONE}`])
    tests('drill', [ALONE])
  }
} else if (filters.length === 0) {
  step('type check', bin('tsc'), ['-b'])
  step('lint', bin('oxlint'), [])
  step('format', bin('biome'), ['check'])
  step('rules of the house', bin('tsx'), ['-C', 'source', 'tools/tidy/main.ts'])
  // With their slash: vitest looks for the words anywhere in a path, and every test's name has the word test.
  tests('unit tests', ['src/', 'tools/', 'web/'])
  tests('end-to-end tests', ['test/', '--exclude=test/slow/**'])
} else {
  // Tests may run what was built; a type error is shown and does not stop them.
  step('type check', bin('tsc'), ['-b'])
  tests('tests', filters)
}
summarise()

function step(name, command, words) {
  heading(name)
  const startedMs = performance.now()
  const { status, error } = spawnSync(command, words, { cwd: root, stdio: 'inherit', env: process.env })
  const tookS = (performance.now() - startedMs) / 1000
  if (error !== undefined) console.log(`${command}: ${error.message}`)
  steps.push({ name, ok: status === 0, tookS })
  return status === 0
}

/** Runs vitest and adds what its JSON report counts. */
function tests(name, where) {
  mkdirSync(inRoot('.cache'), { recursive: true })
  const report = inRoot('.cache', 'vitest.json')
  rmSync(report, { force: true })
  const words = [
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    '--passWithNoTests',
    ...where,
  ]
  const ok = step(name, bin('vitest'), words)
  const result = existsSync(report) ? readJson(report) : null
  if (result === null) {
    if (!ok) counts.failed += 1
    return
  }
  counts.passed += result.numPassedTests
  counts.skipped += result.numPendingTests + result.numTodoTests
  // A file that does not load has no tests that could fail: it counts as one.
  const brokenFiles = result.testResults.filter(
    file => file.status === 'failed' && file.assertionResults.length === 0,
  )
  counts.failed += result.numFailedTests + brokenFiles.length
  if (!ok && result.numFailedTests + brokenFiles.length === 0) counts.failed += 1
  for (const file of result.testResults) {
    const path = file.name.slice(root.length)
    if (brokenFiles.includes(file)) failures.push({ where: path, message: file.message })
    for (const test of file.assertionResults) {
      if (test.status === 'failed')
        failures.push({ where: `${path}: ${test.fullName}`, message: test.failureMessages[0] ?? '' })
      if (test.status === 'pending' || test.status === 'skipped') skips.push(`${path}: ${test.fullName}`)
    }
  }
}

function heading(name) {
  console.log(`\n── ${name} ${'─'.repeat(Math.max(0, 70 - name.length))}`)
}

function summarise() {
  heading('summary')
  for (const { name, ok, tookS } of steps)
    console.log(`  ${ok ? 'ok  ' : 'FAIL'}  ${name.padEnd(24)} ${tookS.toFixed(1)} s`)
  if (skips.length > 0) console.log('\n  skipped:')
  for (const words of skips) console.log(`  - ${words}`)
  if (failures.length > 0) console.log('\n  failed:')
  for (const { where, message } of failures) {
    console.log(`  - ${where}`)
    for (const line of message.split('\n').slice(0, MESSAGE_LINES)) console.log(`      ${line.slice(0, 300)}`)
  }
  if (steps.some(({ ok }) => !ok)) process.exitCode = 1
  console.log(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
}
