// Owns the file beside a snapshot that says it is whole: its size and its SHA-256. It is written last.
// It refuses a snapshot without it, which was never finished, and one that is not what it says.
import { createHash } from 'node:crypto'
import { createReadStream, existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const MANIFEST = 'snapshot.json'

interface Manifest {
  readonly bytes: number
  readonly sha256: string
}

/** Reads the file in pieces, between which the thread does other things. */
export async function writeManifest(folder: string): Promise<void> {
  const manifest: Manifest = await measure(folder)
  const file = join(folder, MANIFEST)
  writeFileSync(`${file}.part`, `${JSON.stringify(manifest)}\n`)
  renameSync(`${file}.part`, file)
}

/** What is wrong, in words; null when nothing is. */
export async function manifestProblem(folder: string): Promise<string | null> {
  const file = join(folder, MANIFEST)
  if (!existsSync(file)) return `${MANIFEST} is missing, so it was never finished`
  const expected = readManifest(file)
  if (expected === null) return `${MANIFEST} cannot be read`
  const { bytes } = statSize(folder)
  if (bytes !== expected.bytes) return `expected ${expected.bytes} bytes, got ${bytes}`
  const found = await measure(folder)
  return found.sha256 === expected.sha256 ? null : `expected SHA-256 ${expected.sha256}, got ${found.sha256}`
}

function readManifest(file: string): Manifest | null {
  try {
    const { bytes, sha256 } = JSON.parse(readFileSync(file, 'utf8')) as Partial<Manifest>
    return typeof bytes === 'number' && typeof sha256 === 'string' ? { bytes, sha256 } : null
  } catch {
    return null
  }
}

function statSize(folder: string): { bytes: number } {
  return { bytes: statSync(join(folder, 'chunks.db')).size }
}

async function measure(folder: string): Promise<Manifest> {
  const hash = createHash('sha256')
  for await (const piece of createReadStream(join(folder, 'chunks.db'))) hash.update(piece as Buffer)
  return { ...statSize(folder), sha256: hash.digest('hex') }
}
