// Owns who watches now, broken down: the sessions that the fleet's own count is made of, so that every page shows the
// same number.
import type { ViewersNowAnswer, WatchingPart } from '#wire'
import { isSimulated } from '#wire'
import type { SessionBook } from '../fleet/session-book.ts'
import type { SessionKeeper } from './session-keeper.ts'

/** The largest; the rest is one line. */
const PARTS_MAX = 100

export function watchingNow(
  book: SessionBook,
  keeper: Pick<SessionKeeper, 'get'>,
): Omit<ViewersNowAnswer, 'now'> {
  const [byEdge, byTitle, byRegion, byPlayer] = [new Parts(), new Parts(), new Parts(), new Parts()]
  let [watching, estimated, simulated] = [0, 0, 0]
  for (const [sid, watcher] of book.watchers()) {
    const session = keeper.get(sid)
    watching += 1
    if (watcher.estimated) estimated += 1
    if (isSimulated(sid)) simulated += 1
    byEdge.add(watcher.edge, watcher.estimated)
    byTitle.add(watcher.title, watcher.estimated)
    byRegion.add(session?.viewerRegion ?? 'unknown', watcher.estimated)
    byPlayer.add(session?.player ?? 'unknown', watcher.estimated)
  }
  const parts = {
    byEdge: byEdge.all(),
    byTitle: byTitle.all(),
    byRegion: byRegion.all(),
    byPlayer: byPlayer.all(),
  }
  return { watching, estimated, simulated, ...parts }
}

class Parts {
  readonly #parts = new Map<string, { name: string; watching: number; estimated: number }>()

  add(name: string, estimated: boolean): void {
    const part = this.#parts.get(name) ?? { name, watching: 0, estimated: 0 }
    part.watching += 1
    part.estimated += Number(estimated)
    this.#parts.set(name, part)
  }

  all(): WatchingPart[] {
    const sorted = [...this.#parts.values()].toSorted((a, b) => b.watching - a.watching)
    const rest = sorted.splice(PARTS_MAX)
    if (rest.length === 0) return sorted
    const other = rest.reduce(
      (sum, { watching, estimated }) => ({
        name: 'other',
        watching: sum.watching + watching,
        estimated: sum.estimated + estimated,
      }),
      { name: 'other', watching: 0, estimated: 0 },
    )
    return [...sorted, other]
  }
}
