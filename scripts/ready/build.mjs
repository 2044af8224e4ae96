// Owns building dist from the sources when they have changed: modules by tsc, pages by Vite.
// It refuses to leave output of sources that are gone: then dist is made anew.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { inRoot, readJson, writeWhole } from './paths.mjs'
import { startProgress } from './progress.mjs'
import { run } from './run.mjs'

const stampFile = inRoot('dist', '.vitrine-ready.json')
const single = ['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.room.json']

/** Path, size and time of each input: cheap enough for every start. */
function inputs() {
  const found = []
  for (const path of single) note(found, path)
  for (const folder of ['src', 'web']) walk(found, folder)
  return found.sort((a, b) => (a < b ? -1 : 1))
}

function walk(found, folder) {
  if (!existsSync(inRoot(folder))) return
  for (const entry of readdirSync(inRoot(folder), { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`
    if (entry.isDirectory() && entry.name !== 'node_modules') walk(found, path)
    // Tests are no part of what runs; the test command checks them itself.
    else if (entry.isFile() && !/\.(?:test|bench)\.tsx?$|\.tmp$/.test(entry.name)) note(found, path)
  }
}

function note(found, path) {
  const { size, mtimeMs } = statSync(inRoot(path))
  found.push(`${path}\t${size}\t${mtimeMs}`)
}

const pathOf = line => line.slice(0, line.indexOf('\t'))
const hash = lines => createHash('sha256').update(lines.join('\n')).digest('hex')
/** What the pages are made of: themselves, and the messages that they share with the roles. */
const pagesHash = lines => hash(lines.filter(line => /^(?:web|src\/wire)\/|^package/.test(line)))

export function builtAlready() {
  const stamp = readJson(stampFile)
  return stamp !== null && stamp.hash === hash(inputs())
}

/** True when it went well; a type error has been printed otherwise. */
export async function build(lock) {
  const lines = inputs()
  const stamp = readJson(stampFile)
  const present = new Set(lines.map(pathOf))
  const vanished = stamp === null || stamp.inputs.some(path => !present.has(path))
  if (vanished) removeModules()
  const progress = startProgress('Building', () => 'modules and pages')
  const modules = await run(lock, process.execPath, [
    inRoot('node_modules/typescript/bin/tsc'),
    '-b',
    'src/cli',
    'web',
  ])
  const pagesStale =
    vanished || stamp.pages !== pagesHash(lines) || !existsSync(inRoot('dist/web/index.html'))
  const pages =
    pagesStale && existsSync(inRoot('web/vite.config.ts')) ? await buildPages(lock) : { code: 0, output: '' }
  const failed = [modules, pages].filter(({ code }) => code !== 0)
  progress.end(failed.length === 0 ? 'done' : 'failed')
  for (const { output } of failed) console.error(output.trimEnd())
  if (failed.length > 0) return false
  writeWhole(stampFile, JSON.stringify({ hash: hash(lines), pages: pagesHash(lines), inputs: [...present] }))
  return true
}

/** All but the pages: a fleet that runs from this clone goes on to show them, and they are replaced as a whole. */
function removeModules() {
  if (!existsSync(inRoot('dist'))) return
  for (const name of readdirSync(inRoot('dist'))) {
    if (name !== 'web') rmSync(inRoot('dist', name), { recursive: true, force: true })
  }
}

/** Of the library's own source, so that its types never say another thing than its code. */
async function buildPlayerTypes(lock, folder) {
  const work = inRoot('dist', '.player-types')
  const compiler = [inRoot('node_modules/typescript/bin/tsc'), '-p', 'web/player/tsconfig.types.json']
  const made = await run(lock, process.execPath, [...compiler, '--outDir', work])
  if (made.code === 0) renameSync(`${work}/index.d.ts`, `${folder}/player.d.ts`)
  rmSync(work, { recursive: true, force: true })
  return made
}

/** Made beside the pages that are there, and put in their place when they are whole. */
async function buildPages(lock) {
  const vite = inRoot('node_modules/vite/bin/vite.js')
  const parameters = [vite, 'build', '--config', 'web/vite.config.ts', '--logLevel', 'warn']
  const [pages, fresh, old] = ['web', 'web.new', 'web.old'].map(name => inRoot('dist', name))
  // NODE_ENV of whoever calls us would decide how React is built.
  const env = { ...process.env, NODE_ENV: 'production' }
  const made = await run(lock, process.execPath, [...parameters, '--outDir', fresh, '--emptyOutDir'], { env })
  if (made.code !== 0) return made
  const library = [vite, 'build', '--config', 'web/player.config.ts', '--logLevel', 'warn']
  const player = await run(lock, process.execPath, [...library, '--outDir', `${fresh}/watch-assets`], { env })
  if (player.code !== 0) return player
  const types = await buildPlayerTypes(lock, `${fresh}/watch-assets`)
  if (types.code !== 0) return types
  rmSync(old, { recursive: true, force: true })
  if (existsSync(pages)) renameSync(pages, old)
  renameSync(fresh, pages)
  rmSync(old, { recursive: true, force: true })
  return made
}
