// Owns what the agent of a drill's sick server carries out: the steps of the runbook reset-clock, within the drill. The
// same command as on a real host sets the clock; the drill's library answers it, and the kernel is not asked.
import { stringify } from 'yaml'

export function drillSteps(environment: Readonly<Record<string, string>>): string {
  return stringify({
    steps: {
      'reset-clock-check': reading(environment),
      'reset-clock-verify': reading(environment),
      'reset-clock': setting(environment),
      'reset-clock-full': setting(environment),
    },
  })
}

function reading(environment: Readonly<Record<string, string>>): object {
  return {
    description:
      'Drill: a drill has no time servers of its own to compare; prints the clock as its processes see it.',
    command: ['date', '+%Y-%m-%dT%H:%M:%S.%N'],
    environment,
    idempotent: true,
    timeout: 10,
  }
}

function setting(environment: Readonly<Record<string, string>>): object {
  return {
    description: 'Drill: sets the clock of the drill, which ends its fault and does not reach the machine.',
    command: ['date', '-s', 'now'],
    environment,
    idempotent: true,
    timeout: 10,
  }
}
