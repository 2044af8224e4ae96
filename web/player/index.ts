// The door of the player: one class, used by the watch page and by the Try it strip.
export type { Rendition } from './readings.ts'
export {
  type EdgeMove,
  type PlayerOptions,
  type PlayerPhase,
  type PlayerState,
  VitrinePlayer,
} from './vitrine-player.ts'
export { readKnownEdges } from './watch-table.ts'
