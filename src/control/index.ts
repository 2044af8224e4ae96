// The door of control: the control room itself, and its state for commands that run beside it.
export { readRules } from './alerts/read-rules.ts'
export { readTextFile } from './alerts/read-yaml.ts'
export { type RunningControl, startControl } from './control.ts'
export { controlFaults } from './faults.ts'
export type { ControlOptions, Enrolment, SupervisorPort } from './options.ts'
export { type RuleTestResult, runRuleTests } from './rule-tests/run-tests.ts'
export { openState } from './state/open-state.ts'
export type { CreatedToken, ServerEntry, State, TokenView, UserView } from './state/state.ts'
