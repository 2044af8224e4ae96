// Owns the command that writes the generated pages: `npm run generate`, or with `--check` only compares.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { generatedPages } from './pages.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const check = process.argv.includes('--check')
let stale = 0
for (const [path, text] of await generatedPages(root)) {
  const file = join(root, path)
  if (read(file) === text) continue
  stale += 1
  if (check) console.error(`${path} is stale; run npm run generate`)
  else {
    writeFileSync(file, text)
    console.log(`wrote ${path}`)
  }
}
process.exitCode = check && stale > 0 ? 1 : 0

function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return null
  }
}
