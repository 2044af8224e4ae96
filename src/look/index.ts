// The door of look: one look at a stream as a player would meet it, with everything that is wrong with it.
export { lookFaults } from './faults.ts'
export type { Certificate } from './http-get.ts'
export { type LookOptions, lookAt } from './look.ts'
export type { LookFetch, LookReport, LookVariant, Problem, ProblemCode } from './report.ts'
