// The door of viewer: players without a picture, for rehearsals and for probing what viewers go through.
export { viewerFaults } from './faults.ts'
export type { EdgeStats, ViewerStats } from './stats.ts'
export { startViewers, type Viewers, type ViewersOptions } from './viewers.ts'
