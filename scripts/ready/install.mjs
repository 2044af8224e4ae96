// Owns installing the packages that the lock names, and proving that the native ones load on this Node.
// It refuses to call an interrupted install done: the stamp is written last.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { inRoot, readJson, writeWhole } from './paths.mjs'
import { startProgress } from './progress.mjs'
import { run } from './run.mjs'

const stampFile = inRoot('node_modules', '.vitrine-ready.json')
const logFile = inRoot('.cache', 'install.log')
const sqlite = inRoot('node_modules', 'better-sqlite3')
const COMPILER_PACKAGES = 'apt-get install -y python3 make g++'

/** Modules with machine code. Without koffi Vitrine runs, with less. */
const natives = [
  { name: 'better-sqlite3', needed: true, probe: "new (require('better-sqlite3'))(':memory:').close()" },
  { name: '@node-rs/argon2', needed: true, probe: "require('@node-rs/argon2')" },
  { name: 'koffi', needed: false, probe: "require('koffi')" },
]

function wantedStamp() {
  const { allowScripts } = readJson(inRoot('package.json')) ?? {}
  const lock = createHash('sha256')
    .update(readFileSync(inRoot('package-lock.json')))
    .update(JSON.stringify(allowScripts ?? {}))
    .digest('hex')
  return JSON.stringify({
    lock,
    abi: process.versions.modules,
    platform: process.platform,
    arch: process.arch,
  })
}

export function installedAlready() {
  return JSON.stringify(readJson(stampFile)) === wantedStamp()
}

/** True when it went well; else it has said in words what to do. */
export async function install(lock) {
  const packages = expectedPackages()
  if (!isInstalledByHand(packages) || (await brokenNative(lock)) !== null) {
    if (!(await installPackages(lock, packages))) return false
    const broken = await brokenNative(lock)
    if (broken !== null)
      return fail(`${broken.name} was installed but does not load on this Node: ${broken.problem}`)
  }
  linkCommand()
  writeWhole(stampFile, wantedStamp())
  return true
}

/** Paths that the lock names, without those for other machines. */
function expectedPackages() {
  const { packages = {} } = readJson(inRoot('package-lock.json')) ?? {}
  const fits = (list, own) => !Array.isArray(list) || list.includes(own)
  return Object.entries(packages)
    .filter(
      ([path, { os, cpu, libc }]) =>
        path !== '' && fits(os, process.platform) && fits(cpu, process.arch) && fits(libc, 'glibc'),
    )
    .map(([path, { version }]) => ({ path, version }))
}

/** Somebody ran npm ci or npm install: what npm noted agrees with the lock, version by version. */
function isInstalledByHand(packages) {
  const noted = readJson(inRoot('node_modules', '.package-lock.json'))?.packages
  if (noted === undefined) return false
  return (
    packages.every(
      ({ path, version }) =>
        noted[path]?.version === version || (noted[path] === undefined && !existsSync(inRoot(path))),
    ) && natives.every(({ name }) => noted[`node_modules/${name}`] !== undefined)
  )
}

async function installPackages(lock, packages) {
  const progress = startProgress('Installing packages', () => describe(packages))
  const npm = process.env.npm_execpath
  const viaNode = npm !== undefined && /\.c?js$/.test(npm)
  const flags = ['ci', '--include=dev', '--no-progress', '--no-audit', '--no-fund']
  const { code, output } = await run(
    lock,
    viaNode ? process.execPath : 'npm',
    viaNode ? [npm, ...flags] : flags,
    {
      env: { ...process.env, ...ownHeaders() },
    },
  )
  progress.end(
    code === 0
      ? `installed ${packages.filter(({ path }) => existsSync(inRoot(path))).length} packages`
      : 'failed',
  )
  if (code === 0) return true
  mkdirSync(dirname(logFile), { recursive: true })
  writeWhole(logFile, output)
  return fail(explain(output))
}

function describe(packages) {
  const present = packages.filter(({ path }) => existsSync(inRoot(path, 'package.json'))).length
  const compiling =
    existsSync(resolve(sqlite, 'build')) && !existsSync(resolve(sqlite, 'build/Release/better_sqlite3.node'))
  return compiling ? 'compiling better-sqlite3, about a minute' : `${present} of ${packages.length}`
}

/** node-gyp fetches Node's headers unless it is shown some; those beside this Node fit when their ABI is its own. */
function ownHeaders() {
  const folder = resolve(process.execPath, '../..')
  try {
    const header = readFileSync(resolve(folder, 'include/node/node_version.h'), 'utf8')
    const abi = /#define NODE_MODULE_VERSION (\d+)/.exec(header)?.[1]
    return abi === process.versions.modules ? { npm_config_nodedir: folder } : {}
  } catch {
    return {}
  }
}

function explain(output) {
  if (/gyp ERR|gyp verb|not found: make|g\+\+: (?:not found|No such)/i.test(output)) {
    return `better-sqlite3 has no prebuilt binary for this machine and could not be compiled; install a compiler and try again: ${COMPILER_PACKAGES}   (details: ${logFile})`
  }
  if (
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ERR_SOCKET_TIMEOUT|network request/i.test(
      output,
    )
  ) {
    return `the package registry cannot be reached; connect this machine (or name a reachable one: npm config set registry URL) and try again   (details: ${logFile})`
  }
  if (/ENOSPC/.test(output)) return `the disk is full; make room and try again   (details: ${logFile})`
  const last = output
    .split('\n')
    .filter(line => line.trim() !== '')
    .slice(-8)
  return `npm ci failed; its last lines (all of them: ${logFile}):\n${last.join('\n')}`
}

/** The first native module that does not load in a fresh process; null when all do. */
async function brokenNative(lock) {
  for (const { name, needed, probe } of natives) {
    const { code, output } = await run(lock, process.execPath, ['-e', probe])
    if (code === 0) continue
    const problem = output.split('\n').find(line => /Error/.test(line)) ?? `exit code ${code}`
    if (needed) return { name, problem: problem.trim() }
    console.error(
      `vitrine: ${name} does not load, process groups and freezing are not to be had: ${problem.trim()}`,
    )
  }
  return null
}

/** `npx vitrine` then starts at once; without it npx makes a copy of links in its own cache. */
function linkCommand() {
  const link = inRoot('node_modules', '.bin', 'vitrine')
  rmSync(link, { force: true })
  try {
    symlinkSync('../../scripts/vitrine.mjs', link)
  } catch {
    // A file system without links: npx takes its longer way.
  }
}

function fail(words) {
  console.error(`vitrine: ${words}`)
  return false
}
