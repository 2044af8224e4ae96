// The door of edge: a pull-through cache near viewers, which also steers them, even without the control room.
export { type EdgeOptions, type RunningEdge, startEdge } from './edge.ts'
export { edgeFaults } from './faults.ts'
