// Owns the list of generated pages: path in the repository and whole text.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { renderExampleConfig } from '../../src/cli/config.ts'
import { cliFaults } from '../../src/cli/faults.ts'
import { errorsPage, readFaultTables } from './errors-page.ts'

/** Every generated page with the text that it should have now. */
export async function generatedPages(root: string): Promise<ReadonlyMap<string, string>> {
  const rooms = readdirSync(join(root, 'src')).filter(room => room !== 'cli')
  const tables = await readFaultTables(rooms)
  return new Map([
    ['docs/reference/errors.md', errorsPage([...tables, cliFaults])],
    ['config/example.yaml', renderExampleConfig()],
  ])
}
