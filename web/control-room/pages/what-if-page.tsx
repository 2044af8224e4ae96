// Owns the page "If one is lost": for every edge and region, worst first, what the rest would carry of what is watched
// now and at this hour of recent weeks. A capacity that nobody knows is shown as such, with the way to say it.
import type { ReactNode } from 'react'
import type { LossView, WhatIfAnswer } from '#wire'
import { useWhatIf } from '../api/use-differences.ts'
import { Empty, Loading, Problem } from '../parts/answers.tsx'
import { Link } from '../parts/link.tsx'
import { Moment, ZoneSwitch } from '../parts/moment.tsx'
import { StateIcon } from '../parts/state.tsx'
import { useSettings } from '../settings.tsx'
import { dayAndTime, timeOfDay } from '../time-format.ts'
import { figureText } from '../units.ts'
import { WeekChart } from '../what-if/week-chart.tsx'
import { CARRY_WORDS, carryText, rowsOf, sentenceOf, weekTop } from '../what-if/what-if-words.ts'
import '../what-if/what-if.css'

const HOUR_MS = 3_600_000

export function WhatIfPage(): ReactNode {
  const answer = useWhatIf()
  return (
    <div className="page">
      <header className="page-head">
        <h1>If one is lost</h1>
      </header>
      {answer.data !== undefined ? (
        <Content answer={answer.data} />
      ) : answer.error === null ? (
        <Loading what="what the rest carries" />
      ) : (
        <Problem error={answer.error} what="What the rest carries" />
      )}
    </div>
  )
}

function Content({ answer }: { readonly answer: WhatIfAnswer }): ReactNode {
  const rows = rowsOf(answer.losses)
  const { text, tone } = sentenceOf(answer)
  const top = weekTop(answer)
  if (rows.length === 0) {
    return (
      <Empty title="There is no edge yet that could be lost">
        <p>
          <code>npx vitrine server invite --region REGION</code> prints the line that makes a machine an edge.
        </p>
      </Empty>
    )
  }
  return (
    <>
      <p className="what-if-sentence" data-tone={tone} role="status">
        {text}
      </p>
      <Basis answer={answer} />
      <Unsaid answer={answer} />
      <section className="panel what-if" aria-label="Losses">
        <table>
          <thead>
            <tr>
              <th scope="col">If this is lost</th>
              <th scope="col">The rest</th>
              <th scope="col">Now</th>
              <th scope="col">
                {hourName(answer)} <ZoneSwitch />
              </th>
              <th scope="col">
                The week <small>demand by the hour, against the capacity without it</small>
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map(loss => (
              <Row key={`${loss.kind} ${loss.id}`} {...{ loss, answer, top }} />
            ))}
          </tbody>
        </table>
      </section>
    </>
  )
}

/** `Sundays 17:00–18:00`. */
function hourName({ now }: WhatIfAnswer): string {
  const { zone } = useSettings()
  const from = Math.floor(now / HOUR_MS) * HOUR_MS
  const day = new Intl.DateTimeFormat('en-GB', {
    weekday: 'long',
    ...(zone === 'local' ? {} : { timeZone: zone === 'utc' ? 'UTC' : zone }),
  }).format(from)
  return `${day}s ${timeOfDay(from, zone).slice(0, 5)}–${timeOfDay(from + HOUR_MS, zone).slice(0, 5)}`
}

/** What the figures rest on. */
function Basis({ answer }: { readonly answer: WhatIfAnswer }): ReactNode {
  const { sameHours, storedFrom } = answer
  const weeks =
    sameHours.length === 0
      ? 'No earlier week is stored of this hour.'
      : `This hour is stored of ${sameHours.length === 1 ? 'one earlier week' : `${sameHours.length} earlier weeks`}.`
  return (
    <p className="quiet what-if-basis">
      Demand is the most that all edges sent together at one moment. {weeks}{' '}
      {storedFrom === null ? (
        'The first whole hour is stored a quarter of an hour after it ends.'
      ) : (
        <>
          Hours are stored since <Moment at={storedFrom} />; the week shows the highest of up to four.
        </>
      )}
    </p>
  )
}

/** Never counted as infinite, and never hidden. */
function Unsaid({ answer }: { readonly answer: WhatIfAnswer }): ReactNode {
  const unknown = answer.edges.filter(({ capacityBps }) => capacityBps === null)
  if (unknown.length === 0) return null
  return (
    <div className="what-if-unsaid" role="note">
      <p>
        {unknown.length === answer.edges.length
          ? 'No edge’s capacity is known, so nothing can be weighed. '
          : 'Capacity not known; such edges count as carrying nothing. '}
        Say what their lines carry, such as <code>800 Mb/s</code>:
      </p>
      <ul className="what-if-set">
        {unknown.map(({ id, name }) => (
          <li key={id}>
            <Link href={`/servers/${id}#tags`}>Set it for {name}</Link>
          </li>
        ))}
      </ul>
    </div>
  )
}

interface RowProps {
  readonly loss: LossView
  readonly answer: WhatIfAnswer
  readonly top: number
}

function Row({ loss, answer, top }: RowProps): ReactNode {
  const { zone } = useSettings()
  const { now, usual, week, rest, word } = loss
  const { text, tone } = CARRY_WORDS[word]
  return (
    <tr data-word={word}>
      <th scope="row">
        <Name loss={loss} answer={answer} />
        <small>{loss.viewers === 1 ? 'one viewer moves' : `${loss.viewers} viewers move`}</small>
      </th>
      <td data-head="The rest">
        <span className="what-if-word" data-tone={tone}>
          {text}
        </span>
        <small>{restText(loss)}</small>
      </td>
      <td data-head="Now">
        <b data-tone={CARRY_WORDS[now.word].tone}>{carryText(now)}</b>
        <small>{loss.sentBps === null ? '' : `${figureText(loss.sentBps, 'bits')} of it here`}</small>
      </td>
      <td data-head="This hour in earlier weeks">
        <b data-tone={CARRY_WORDS[usual.word].tone}>
          {usual.demandBps === null ? 'no earlier week' : carryText(usual)}
        </b>
        <small>{answer.sameHours.length === 0 ? '' : `highest of n = ${answer.sameHours.length}`}</small>
      </td>
      <td className="what-if-week" data-head="The week">
        <WeekChart
          week={answer.week}
          capacityBps={rest.capacityBps === 0 ? null : rest.capacityBps}
          certain={rest.unknown.length === 0}
          top={top}
        />
        <small>
          {week.demandBps === null || week.at === null
            ? 'nothing stored yet'
            : `highest ${carryText(week)}, ${dayAndTime(week.at, zone).slice(0, -3)}`}
        </small>
      </td>
    </tr>
  )
}

function Name({ loss, answer }: Omit<RowProps, 'top'>): ReactNode {
  const { kind, id, name, edges } = loss
  if (kind === 'region') {
    return (
      <span className="what-if-name">
        Region {name} <span className="quiet">{edges.join(', ')}</span>
      </span>
    )
  }
  const edge = answer.edges.find(other => other.id === id)
  return (
    <span className="what-if-name">
      <Link href={`/servers/${id}`}>{name}</Link>
      {edge === undefined || edge.state === 'healthy' ? null : (
        <>
          <StateIcon state={edge.state} />
          <span className="quiet">{edge.takes ? edge.state : `${edge.state}: takes nobody now`}</span>
        </>
      )}
    </span>
  )
}

function restText({ rest }: LossView): string {
  if (rest.edges.length === 0) return 'nobody is left'
  const count = rest.edges.length === 1 ? 'one edge' : `${rest.edges.length} edges`
  if (rest.unknown.length === rest.edges.length) return `${count}, capacity not known`
  const carries = `${figureText(rest.capacityBps, 'bits')} by ${count}`
  return rest.unknown.length === 0 ? carries : `at least ${carries}; not known of ${rest.unknown.join(', ')}`
}
