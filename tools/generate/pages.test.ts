import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { generatedPages } from './pages.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

describe('generated pages', () => {
  it('stand in the repository as the code makes them now; if not, run npm run generate', async () => {
    for (const [path, text] of await generatedPages(root)) {
      expect(readFileSync(join(root, path), 'utf8'), path).toBe(text)
    }
  })
})
