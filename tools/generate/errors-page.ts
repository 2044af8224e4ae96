// Owns docs/reference/errors.md: every fault that a room can throw, from the rooms' own tables.
import type { FaultKind, FaultTable } from '#base'

const whereWords: Readonly<Record<FaultKind['where'], string>> = {
  downstream: 'the request',
  internal: 'this server',
  upstream: 'a neighbour',
}

/** The rooms' fault tables, found among the exports of their doors. */
export async function readFaultTables(rooms: readonly string[]): Promise<FaultTable<string>[]> {
  const tables: FaultTable<string>[] = []
  for (const room of rooms) {
    const door = (await import(/* @vite-ignore */ `#${room}`)) as Record<string, unknown>
    for (const [name, value] of Object.entries(door)) {
      if (name.endsWith('Faults') && isTable(value)) tables.push(value)
    }
  }
  return tables
}

/** The page's whole text. */
export function errorsPage(tables: readonly FaultTable<string>[]): string {
  const parts = [
    '# Errors',
    '',
    'Every failure carries one of these codes: in the JSON answer `{"error":{"code","message","retry","facts"}}`, in the logs, and on the command line. This page is generated from the code by `npm run generate`.',
  ]
  for (const { room, table } of tables) {
    parts.push(
      '',
      `## ${room}`,
      '',
      '| code | status | cause lies with | try again | what to do |',
      '|---|---|---|---|---|',
    )
    for (const [code, kind] of Object.entries(table).sort(([a], [b]) => a.localeCompare(b))) {
      const retry = kind.retry ? 'yes' : 'no'
      parts.push(
        `| \`${code}\` | ${kind.status} | ${whereWords[kind.where]} | ${retry} | ${kind.help.replaceAll('|', '\\|')} |`,
      )
    }
  }
  return `${parts.join('\n')}\n`
}

function isTable(value: unknown): value is FaultTable<string> {
  return typeof value === 'object' && value !== null && 'room' in value && 'table' in value
}
