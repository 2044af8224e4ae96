// The door of agent: the process beside every server that measures it and its host. It knows no other role.
export { type AgentOptions, type RunningAgent, startAgent } from './agent.ts'
export { type CheckedClock, checkClock } from './clock/check-clock.ts'
export { boundFamilies, kernelFamilies, sourceFamilies } from './clock/clock-families.ts'
export { configuredSources } from './clock/configured-sources.ts'
export { type EarlyProbe, EarlyTimers } from './clock/early-timers.ts'
export { daemonUnits, type FoundDaemon, findDaemon, resetClock, resetCommands } from './clock/reset-clock.ts'
export { type WallReading, WallSteps } from './clock/wall-steps.ts'
export { agentFaults } from './faults.ts'
export { type RecordedSecond, readRecorder } from './recorder/read-recorder.ts'
export {
  type SimulatedAgents,
  type SimulatedAgentsOptions,
  type SimulatedAgentsStats,
  startSimulatedAgents,
} from './simulated/simulated-agents.ts'
export { argumentProblem, type BuiltinStep, readAllowList } from './steps/allow-list.ts'
export { runCommand } from './steps/run-command.ts'
