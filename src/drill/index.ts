// The door of drill: faults that are put into processes of a rehearsal, and never into the machine.
export { buildDrill, type DrillPrograms } from './build.ts'
export { ClockFault, withoutClockRights } from './clock-fault.ts'
export { drillFaults } from './faults.ts'
export { DrillTimeSource } from './time-source.ts'
