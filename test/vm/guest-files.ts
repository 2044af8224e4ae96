// Owns the guest's configuration: the agent, and what runbooks may ask of it.

/** As config/steps.example.yaml has it, with the patience that an emulated processor needs. */
const STEPS = `steps:
  reset-clock:
    command: [vitrine, clock, reset]
    idempotent: true
    timeout: 150
  reset-clock-check:
    command: [vitrine, clock, check]
    idempotent: true
    timeout: 60
  reset-clock-verify:
    command: [vitrine, clock, check, --verify]
    idempotent: true
    timeout: 60
  reset-clock-full:
    command: [vitrine, clock, reset, --full]
    idempotent: true
    timeout: 180
`

export function guestFiles(): Record<string, { text: string; mode?: number }> {
  return {
    'etc/vitrine/agent.yaml': { text: 'agent:\n  stepsFile: /etc/vitrine/steps.yaml\n' },
    'etc/vitrine/steps.yaml': { text: STEPS },
  }
}
