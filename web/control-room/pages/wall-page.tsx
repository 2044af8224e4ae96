// Owns the wall: one sentence, and one row an edge, worst first, to be read from across the room. With `?kiosk` it
// stands alone on a screen, opened by a link; what does not fit there is counted in words.
import { type ReactNode, type RefObject, useEffect, useLayoutEffect, useRef, useState } from 'react'
import { useSearchParams } from 'wouter'
import type { WallAnswer, WallRow } from '#wire'
import { ApiProblem } from '../api/client.ts'
import { useFleetNow, useMe, useWall } from '../api/use-control-room.tsx'
import { Empty, Loading, Problem } from '../parts/answers.tsx'
import { Link } from '../parts/link.tsx'
import { Lasting, ZoneSwitch } from '../parts/moment.tsx'
import { SilenceBanner, useSilence } from '../parts/shell.tsx'
import { StateIcon } from '../parts/state.tsx'
import { toneOf } from '../parts/tone.ts'
import { AroundThen } from '../past/around-then.tsx'
import { useSettings } from '../settings.tsx'
import { timeOfDay } from '../time-format.ts'
import { figure } from '../units.ts'
import { Defined } from '../viewers/defined.tsx'
import { spanWords } from '../viewers/figures.ts'
import { estimatedWords, ratioText, WATCHING_DEFINITION } from '../viewers/viewer-words.ts'
import { NormalCell } from '../wall/normal-cell.tsx'
import { SparkLine } from '../wall/spark-line.tsx'
import { offsetText, offsetWrong, sentenceOf, worstRowsFirst } from '../wall/wall-words.ts'
import { WitnessDot } from '../wall/witness-dot.tsx'
import '../wall/wall.css'

/** On a kiosk: below the rows, for the line that counts those that did not fit. */
const KIOSK_FOOT_PX = 48
/** One second of a hundred: what people complain of. */
const REBUFFERING_TOLD = 0.01
const CORES_MIN = 0.2 // the spark line's scale reaches at least this, so that idle noise stays low

export function WallPage(): ReactNode {
  const [search] = useSearchParams()
  const kiosk = search.has('kiosk')
  const wall = useWall()
  return kiosk ? (
    <main className="kiosk">
      <SilenceBanner />
      <Body wall={wall} kiosk />
    </main>
  ) : (
    <Body wall={wall} kiosk={false} />
  )
}

function Body({
  wall,
  kiosk,
}: {
  readonly wall: ReturnType<typeof useWall>
  readonly kiosk: boolean
}): ReactNode {
  if (wall.error instanceof ApiProblem && wall.error.status === 401) {
    return (
      <div className="wall">
        <h1>This screen is not let in</h1>
        <p className="wall-lead">
          The link in its address was revoked, or is not whole. An admin makes another one on the page Links.
        </p>
      </div>
    )
  }
  if (wall.data === undefined) {
    return (
      <div className="wall">
        <h1 className="visually-hidden">Wall</h1>
        {wall.error === null ? <Loading what="the wall" /> : <Problem error={wall.error} what="The wall" />}
      </div>
    )
  }
  return <Wall answer={wall.data} kiosk={kiosk} />
}

function Wall({ answer, kiosk }: { readonly answer: WallAnswer; readonly kiosk: boolean }): ReactNode {
  const silent = useSilence() > 0
  const now = useFleetNow() ?? answer.now
  const rows = worstRowsFirst(answer.edges)
  const table = useRef<HTMLTableElement>(null)
  const fitting = useFitting(table, rows.length)
  const shown = kiosk ? rows.slice(0, fitting) : rows
  const top = Math.max(CORES_MIN, ...rows.flatMap(({ cpu }) => cpu.map(cell => cell ?? 0)))
  const capacities = rows.some(({ capacityBps }) => capacityBps !== null)
  return (
    <div
      className="wall"
      data-silent={silent}
      data-rows={rows.length <= 4 ? 'few' : rows.length > 8 ? 'many' : 'some'}
    >
      <WallHead answer={answer} kiosk={kiosk} />
      {rows.length === 0 && answer.past !== undefined ? null : rows.length === 0 ? (
        <Empty title="No edge yet">
          <p>
            <Link href="/add-edge">Add an edge</Link>, or let{' '}
            <code>npx vitrine server invite --region REGION</code> print the line that makes a machine one.
          </p>
        </Empty>
      ) : (
        <table className="wall-rows" ref={table}>
          <thead>
            <tr>
              <th scope="col">Edge</th>
              <th scope="col" className="number">
                {kiosk ? 'Viewers' : <Defined definition={WATCHING_DEFINITION}>Viewers</Defined>}
              </th>
              <th scope="col" className="number">
                Rebuffering <span>5 min</span>
              </th>
              <th scope="col">{capacities ? 'Throughput of capacity' : 'Throughput'}</th>
              <th scope="col">
                CPU <span>cores, 5 min</span>
              </th>
              <th scope="col" className="number">
                {kiosk ? 'Clock' : <Link href="/clocks">Clock</Link>}
              </th>
              <th scope="col">Normal range</th>
              <th scope="col">Witnesses</th>
            </tr>
          </thead>
          <tbody>
            {shown.map(row => (
              <Row key={row.id} {...{ row, top, now, kiosk }} />
            ))}
          </tbody>
        </table>
      )}
      {shown.length < rows.length ? <More rows={rows.slice(shown.length)} /> : null}
      <AroundThen />
    </div>
  )
}

function WallHead({ answer, kiosk }: { readonly answer: WallAnswer; readonly kiosk: boolean }): ReactNode {
  const { data: me } = useMe(!kiosk)
  const { head, wrong, tone } = sentenceOf(answer, answer.past)
  return (
    <header className="wall-head" data-tone={tone}>
      <h1 aria-live="polite">
        {head}
        {wrong === '' ? '.' : <b>; {wrong}.</b>}
      </h1>
      {kiosk ? (
        <WallClock />
      ) : (
        <p className="wall-links">
          <Link href="/steering">Steering</Link>
          <Link href="/clocks">Clocks</Link>
          {answer.past === undefined ? <Link href="/what-if">If one is lost</Link> : null}
          {answer.past === undefined ? <Link href="/wall?kiosk">Without navigation</Link> : null}
          {answer.past !== undefined || me === undefined || me.role === 'viewer' ? null : (
            <Link href="/add-edge">Add an edge</Link>
          )}
          {me?.role === 'admin' && answer.past === undefined ? (
            <Link href="/links">Links for screens</Link>
          ) : null}
        </p>
      )}
    </header>
  )
}

function WallClock(): ReactNode {
  const now = useFleetNow()
  const { zone } = useSettings()
  return (
    <p className="wall-clock">
      <b>{now === null ? '--:--:--' : timeOfDay(now, zone)}</b> <ZoneSwitch />
    </p>
  )
}

interface RowProps {
  readonly row: WallRow
  readonly top: number
  readonly now: number
  readonly kiosk: boolean
}

function Row({ row, top, now, kiosk }: RowProps): ReactNode {
  const { id, name, region, state, reason, since, watching } = row
  const cores = figure(row.cpu.findLast(cell => cell !== null) ?? null, 'cores')
  const wrong = offsetWrong(row.clockOffsetS)
  return (
    <tr data-tone={toneOf(state)} data-state={state}>
      <th scope="row">
        <div className="wall-edge">
          <StateIcon state={state} />
          <div>
            <p className="wall-name">
              {kiosk ? name : <Link href={`/servers/${id}`}>{name}</Link>}{' '}
              <span className="wall-state">{state}</span>
            </p>
            <p className="wall-reason" title={reason}>
              <span>
                {name === id ? '' : `${id}, `}
                {region === id ? '' : `${region}, `}
                {state === 'unknown' ? null : (
                  <>
                    for <Lasting from={since} to={null} />
                  </>
                )}
                {reason === '' ? '' : ': '}
              </span>
              {reason}
            </p>
          </div>
        </div>
      </th>
      <td className="number wall-figure" data-label="Viewers">
        {figure(watching, 'count').value}
        {watching === null || watching === 0 ? null : (
          <small className="wall-estimated">
            {estimatedWords({ watching, estimated: row.watchingEstimated ?? 0 })}
          </small>
        )}
      </td>
      <Rebuffering row={row} />
      <td data-label="Throughput">
        <Throughput row={row} />
      </td>
      <td data-label="CPU">
        <div className="wall-cpu">
          <SparkLine cells={row.cpu} top={top} />
          <span className="wall-figure">{cores.value}</span>
        </div>
      </td>
      <td className="number wall-figure" data-label="Clock" data-wrong={wrong !== null}>
        {offsetText(row.clockOffsetS)}
        {wrong === null ? null : <small>{wrong}</small>}
      </td>
      <td data-label="Normal range">
        <NormalCell normal={row.normal} now={now} />
      </td>
      <td data-label="Witnesses">
        <div className="witness-dots">
          {row.witnesses.map(witness => (
            <WitnessDot key={witness.kind} witness={witness} now={now} />
          ))}
        </div>
      </td>
    </tr>
  )
}

/** Sum over sum, with what it is of; where no player reports it is estimated, and says so. */
function Rebuffering({ row: { rebuffering } }: { readonly row: WallRow }): ReactNode {
  const label = 'Rebuffering'
  if (rebuffering === null) {
    return (
      <td className="number wall-figure" data-label={label}>
        –
      </td>
    )
  }
  const { ratio, askedS, estimated } = rebuffering
  return (
    <td className="number wall-figure" data-label={label} data-lost={ratio >= REBUFFERING_TOLD}>
      {estimated ? <abbr title="estimated from requests: no player reports">~</abbr> : null}
      {ratioText(ratio)}
      <small>
        {estimated ? 'estimated, ' : ''}of {spanWords(askedS)}
      </small>
    </td>
  )
}

function Throughput({ row }: { readonly row: WallRow }): ReactNode {
  const { throughputBps, capacityBps } = row
  const sent = figure(throughputBps, 'bits')
  if (capacityBps === null) {
    return (
      <span className="wall-figure">
        {sent.value} {throughputBps === null ? null : <small>{sent.unit}</small>}
      </span>
    )
  }
  const line = figure(capacityBps, 'bits')
  const share = throughputBps === null ? 0 : Math.min(1, throughputBps / capacityBps)
  return (
    <>
      <span className="wall-figure">
        {sent.value} {throughputBps === null ? null : <small>{sent.unit}</small>}
      </span>
      <span className="wall-share">
        <meter min={0} max={1} high={0.8} value={share} aria-label="Throughput of capacity" />
        <small>
          {throughputBps === null ? '' : `${percent(throughputBps / capacityBps)} of `}
          {line.value} {line.unit}
        </small>
      </span>
    </>
  )
}

function percent(share: number): string {
  return share > 0 && share < 0.01 ? '<1%' : `${Math.round(share * 100)}%`
}

function More({ rows }: { readonly rows: readonly WallRow[] }): ReactNode {
  const ill = rows.filter(({ state }) => state !== 'healthy').length
  return (
    <p className="wall-more">
      {rows.length === 1 ? 'One more edge' : `${rows.length} more edges`}
      {ill === 0 ? ', healthy.' : `, ${ill} of them not healthy.`}
    </p>
  )
}

/** How many rows a screen has room for: as drawn, since rows with long reasons are taller. */
function useFitting(table: RefObject<HTMLTableElement | null>, all: number): number {
  const [room, setRoom] = useState({ all, width: innerWidth, height: innerHeight, count: all })
  useEffect(() => {
    const changed = (): void =>
      setRoom(before => ({ ...before, width: innerWidth, height: innerHeight, count: before.all }))
    addEventListener('resize', changed)
    return () => removeEventListener('resize', changed)
  }, [])
  if (room.all !== all) setRoom({ ...room, all, count: all })
  useLayoutEffect(() => {
    const bottom = table.current?.getBoundingClientRect().bottom ?? 0
    const foot = room.count < all ? KIOSK_FOOT_PX : 0
    if (bottom + foot > innerHeight && room.count > 1) setRoom({ ...room, count: room.count - 1 })
  })
  return room.count
}
