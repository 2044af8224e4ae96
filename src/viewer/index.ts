// The door of viewer: players without a picture, for rehearsals and for probing what viewers go through.

export type { ViewerStats } from './stats.ts'
export { startViewers, type Viewers, type ViewersOptions } from './viewers.ts'
