import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Finding, rules, type Tree } from './rules.ts'
import { readSourceFiles } from './source-files.ts'

function tree(files: Record<string, string>): Tree {
  const root = mkdtempSync(join(tmpdir(), 'vitrine-tidy-'))
  for (const folder of ['src', 'web', 'test', 'tools', 'bench']) mkdirSync(join(root, folder))
  const all = { 'package.json': '{"scripts":{}}', ...files }
  for (const [path, text] of Object.entries(all)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  return { root, files: readSourceFiles(root) }
}

function check(rule: string, files: Record<string, string>): Finding[] {
  return rules[rule]?.(tree(files)) ?? ['no such rule']
}

describe('tidy', () => {
  it('refuses a path that leaves its room', () => {
    const found = check('doors', { 'src/edge/a.ts': "import { b } from '../media/b.ts'\n" })
    expect(found).toEqual([
      'src/edge/a.ts:1: ../media/b.ts leaves the room edge; import the other room by its #name',
    ])
  })

  it('refuses an import behind a door, and .js for .ts', () => {
    expect(check('doors', { 'src/edge/a.ts': "import { b } from '#media/b'\n" })).toHaveLength(1)
    expect(check('doors', { 'src/edge/a.ts': "import { b } from './b.js'\n" })).toHaveLength(1)
    expect(check('doors', { 'src/edge/cache/a.ts': "import { b } from '../b.ts'\n" })).toEqual([])
  })

  it('refuses a room that is not referenced, and a reference that is not used', () => {
    const found = check('references', {
      'src/edge/tsconfig.json': '{"references":[{"path":"../base"}]}',
      'src/edge/a.ts': "import { b } from '#media'\n",
    })
    expect(found).toEqual([
      'src/edge/a.ts:1: #media is not in the references of edge',
      'src/edge/tsconfig.json: reference to base is not used',
    ])
  })

  it('refuses Node in wire and in pages', () => {
    expect(check('browserSafe', { 'src/wire/a.ts': "import { Fault } from '#base'\n" })).toHaveLength(1)
    expect(check('browserSafe', { 'src/wire/a.ts': "import type { Fault } from '#base'\n" })).toEqual([])
    expect(check('browserSafe', { 'web/a.tsx': "import { readFileSync } from 'node:fs'\n" })).toHaveLength(1)
    expect(check('browserSafe', { 'web/a.tsx': "import { x } from '#base'\n" })).toHaveLength(1)
  })

  it('refuses the wall clock outside base/clock, but not in a comment', () => {
    expect(check('wallClock', { 'src/edge/a.ts': 'const x = Date.now()\n' })).toHaveLength(1)
    expect(
      check('wallClock', { 'src/edge/a.ts': '// never Date.now()\n', 'src/base/clock.ts': 'Date.now()' }),
    ).toEqual([])
  })

  it('refuses long files, files without an opening comment, and empty names', () => {
    expect(check('fileShape', { 'src/edge/a.ts': `// x\n${'x\n'.repeat(600)}` })).toHaveLength(1)
    expect(check('fileShape', { 'src/edge/a.ts': 'export const a = 1\n' })).toHaveLength(1)
    expect(check('fileShape', { 'src/edge/utils.ts': '// x\n' })).toHaveLength(1)
  })

  it('finds an import cycle', () => {
    const files = {
      'src/edge/a.ts': "import { b } from './b.ts'\n",
      'src/edge/b.ts': "import { a } from './a.ts'\n",
    }
    expect(check('cycles', files)).toEqual([
      'src/edge/a.ts:1: import cycle src/edge/a.ts -> src/edge/b.ts -> src/edge/a.ts',
    ])
  })
})
