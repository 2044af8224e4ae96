// Owns the join between our fail-over rules and hls.js's content steering: one subclass of its controller.
// Read against hls.js 1.7.4: on its own, hls.js tries every rendition of a frozen pathway first, penalises for
// 300 s, and blames the pathway in use for a late time-out of the one it already left. All three are decided here.
import type { ErrorData, Events } from 'hls.js'
import HlsJs from 'hls.js'
import { blamesEdge, type EdgeMemory } from './failover.ts'

/** NetworkErrorAction.SendAlternateToPenaltyBox and ErrorActionFlags.MoveAllAlternatesMatchingHost of hls.js. */
const SEND_TO_PENALTY_BOX = 2
const MOVE_ALL_MATCHING_HOST = 1

/** The parts of hls.js's ContentSteeringController that are used; they are private in its types. */
interface SteeringInternals {
  pathwayId: string
  pathways(): string[]
  pathwayPriority: string[] | null
  onError(event: Events.ERROR, data: ErrorData): void
  updatePathwayPriority(priority: string[]): void
}
type SteeringClass = new (hls: HlsJs) => SteeringInternals

export interface FailoverHooks {
  readonly memory: EdgeMemory
  readonly nowMs: () => number
  /** Pathway id behind a URL. */
  readonly edgeOf: (url: string) => string | null
  readonly moved: (from: string, to: string) => void
}

/** The class to give to hls.js as `contentSteeringController`; undefined where the build has none. */
export function failoverSteering(hooks: FailoverHooks): SteeringClass | undefined {
  const Base = HlsJs.DefaultConfig.contentSteeringController as unknown as SteeringClass | undefined
  if (Base === undefined || typeof Base.prototype.onError !== 'function') return undefined
  return class FailoverSteering extends Base {
    /** Steering answers pass here: an edge that failed this player a moment ago goes to the end. */
    override updatePathwayPriority(priority: string[]): void {
      super.updatePathwayPriority(hooks.memory.order(priority, hooks.nowMs()))
    }

    override onError(event: Events.ERROR, data: ErrorData): void {
      const url = failedUrl(data)
      if (url === null || data.fatal) {
        super.onError(event, data)
        return
      }
      const failed = hooks.edgeOf(url) ?? this.pathwayId
      hooks.memory.failed(failed, hooks.nowMs())
      if (failed !== this.pathwayId) {
        settle(data) // A late answer of an edge that was left already says nothing about the present one.
        return
      }
      const known = this.pathwayPriority ?? this.pathways()
      const all = [...new Set([...known, ...this.pathways()])]
      const next = hooks.memory.next(
        failed,
        all.filter(id => this.pathways().includes(id)),
        hooks.nowMs(),
      )
      // Nowhere to go: hls.js tries another rendition here, or the error becomes fatal and the player reloads.
      if (next === null) return
      this.updatePathwayPriority([next, ...all.filter(id => id !== next)])
      settle(data)
      hooks.moved(failed, next)
    }
  }
}

/** Tells hls.js's other controllers that the error was answered by a change of pathway. */
function settle(data: ErrorData): void {
  const { retryConfig, retryCount } = data.errorAction ?? {}
  data.errorAction = {
    action: SEND_TO_PENALTY_BOX,
    flags: MOVE_ALL_MATCHING_HOST,
    resolved: true,
    // With a retry policy of no retries hls.js goes straight back to idle; without one it waits for a level.
    ...(retryConfig === undefined ? {} : { retryConfig }),
    ...(retryCount === undefined ? {} : { retryCount }),
  }
}

const EDGE_ERRORS: ReadonlySet<string> = new Set([
  'fragLoadError',
  'fragLoadTimeOut',
  'levelLoadError',
  'levelLoadTimeOut',
  'audioTrackLoadError',
  'audioTrackLoadTimeOut',
  'subtitleTrackLoadError',
  'subtitleTrackLoadTimeOut',
])

/** The address that failed when the edge is to blame, else null. */
export function failedUrl(data: ErrorData): string | null {
  if (!EDGE_ERRORS.has(data.details)) return null
  const timedOut = data.details.endsWith('TimeOut')
  if (!blamesEdge({ status: data.response?.code, timedOut })) return null
  return data.frag?.url ?? data.context?.url ?? data.url ?? null
}
