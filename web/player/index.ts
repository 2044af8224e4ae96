// The door of the player: one class, used by the watch page and by the Try it strip.
export {
  type EdgeMove,
  type PlayerOptions,
  type PlayerPhase,
  type PlayerState,
  type Rendition,
  VitrinePlayer,
} from './vitrine-player.ts'
