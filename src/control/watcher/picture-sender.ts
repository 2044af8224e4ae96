// Owns when edges get a new picture of the fleet: as soon as something of note has changed, and else each few seconds.
import type { WallPicture } from '#wire'
import type { ControlContext } from '../context.ts'
import { wallPictureOf } from './wall-picture.ts'

const EVERY_MS = 5000
/** With more edges, rarer: a thousand of them cost as much as a hundred. */
const EDGES_A_PERIOD = 100

export class PictureSender {
  readonly #context: Pick<ControlContext, 'fleet' | 'incidents' | 'fleetTime' | 'selfUrl'>
  readonly #publish: (picture: WallPicture) => void
  #key = ''
  #sentAt = Number.NEGATIVE_INFINITY

  constructor(
    context: Pick<ControlContext, 'fleet' | 'incidents' | 'fleetTime' | 'selfUrl'>,
    publish: (picture: WallPicture) => void,
  ) {
    this.#context = context
    this.#publish = publish
  }

  picture(): WallPicture {
    const { fleet, incidents, fleetTime, selfUrl } = this.#context
    return wallPictureOf({
      servers: fleet.all(),
      watching: id => fleet.sessions.of(id),
      incidents: incidents.keeper.open(),
      controlUrl: selfUrl(),
      at: fleetTime.nowMs(),
    })
  }

  /** Each second. */
  turn(): void {
    const picture = this.picture()
    const servers = picture.servers.map(({ id, name, state, reason }) => [id, name, state, reason])
    const key = JSON.stringify([servers, picture.incidents, picture.counts])
    const periodMs = EVERY_MS * Math.max(1, this.#context.fleet.edges().length / EDGES_A_PERIOD)
    if (key === this.#key && picture.at - this.#sentAt < periodMs) return
    this.#key = key
    this.#sentAt = picture.at
    this.#publish(picture)
  }
}
