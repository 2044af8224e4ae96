// Owns `vitrine simulate`: loads that are made up, for benchmarks and drills. What it makes is named `simulated-...`
// wherever it shows.
import type { Command } from 'commander'
import { registerSimulateAgents } from './simulate-agents.ts'
import { registerSimulateViewers } from './simulate-viewers.ts'

export function registerSimulate(program: Command): void {
  const command = program
    .command('simulate')
    .description('viewers or servers that do not exist, for rehearsals and benchmarks')
  registerSimulateViewers(command)
  registerSimulateAgents(command)
}
