// Owns what viewers went through: start time, rebuffering, exits, failures and bitrate in any span of time, for all and
// compared by edge, region, class of title or player. The address holds the whole question.
import type { ReactNode } from 'react'
import { useSearchParams } from 'wouter'
import { useServers } from '../api/use-control-room.tsx'
import { seriesColour } from '../charts/palette.ts'
import { Empty, Loading, Problem } from '../parts/answers.tsx'
import { Link } from '../parts/link.tsx'
import { useSilence } from '../parts/shell.tsx'
import { inOrder } from '../server-order.ts'
import { withChoices } from '../url-state.ts'
import { affectedHref } from '../viewers/affected-href.ts'
import { Defined } from '../viewers/defined.tsx'
import { ExperienceCharts } from '../viewers/experience-charts.tsx'
import { ExperienceTable, valueText } from '../viewers/experience-table.tsx'
import {
  BREAKDOWNS,
  type Breakdown,
  type BreakdownId,
  type Cut,
  countWords,
  FEW,
  FIGURES,
  queryHref,
} from '../viewers/figures.ts'
import { SpanPicker } from '../viewers/span-picker.tsx'
import { type Experience, useExperience } from '../viewers/use-experience.ts'
import { ViewerHead } from '../viewers/viewer-tabs.tsx'
import { partName, shareText } from '../viewers/viewer-words.ts'
import '../viewers/viewers.css'
import { type PageWindow, useWindow } from './use-window.ts'

/** More lines cannot be told apart. */
const LINES_MAX = 6
const VALUE_CHARACTERS_MAX = 128

const DEFINITIONS: Readonly<Record<string, string>> = {
  start50: 'From the wish to play to the first frame. Half of the starts took longer.',
  start95: 'From the wish to play to the first frame. 5 of 100 starts took longer.',
  rebuffering:
    'Seconds of stalls after the first frame, by seconds watched and stalled. Stalls of a seek do not count.',
  exits: 'Asked to play, then left or gone, without a first frame and without a fatal error.',
  failures: 'A fatal error, before the first frame or after it.',
  bitrate: 'Of what was shown, weighted by time.',
}

export function ExperiencePage(): ReactNode {
  const page = useWindow('1h')
  const [search, setSearch] = useSearchParams()
  const by = BREAKDOWNS.find(({ id }) => id === search.get('by')) ?? BREAKDOWNS[0]
  const cut = readCut(search)
  const change = (values: Readonly<Record<string, string | null>>): void =>
    setSearch(before => withChoices(before, values))
  const { data, error, isPlaceholderData } = useExperience({ cut, by, window: page.feed })
  const silent = useSilence() > 0
  return (
    <div className="page experience-page" data-silent={silent || isPlaceholderData}>
      <ViewerHead title="Experience" />
      <div className="viewer-tools">
        <SpanPicker page={page} />
        <div className="segments" role="group" aria-label="Which sessions">
          <button
            type="button"
            aria-pressed={!cut.estimated}
            title="Players that tell what they go through"
            onClick={() => change({ sessions: null })}
          >
            Measured
          </button>
          <button
            type="button"
            aria-pressed={cut.estimated}
            title="From segment requests alone"
            onClick={() => change({ sessions: 'estimated' })}
          >
            Estimated
          </button>
        </div>
        <Only cut={cut} remove={id => change({ [id]: null })} />
        <Link className="plain affected-link" href={affectedHref(page.window, cut.only)}>
          Who was affected
        </Link>
      </div>
      {error !== null && !silent ? <Problem error={error} what="What viewers went through" /> : null}
      {data === undefined ? (
        error === null ? (
          <Loading what="what viewers went through" />
        ) : null
      ) : data.all.counts.sessions === 0 && data.all.counts.asked === 0 ? (
        <Nothing cut={cut} estimatedShare={data.all.estimatedShare} />
      ) : (
        <Shown {...{ page, data, cut, by, change }} />
      )}
    </div>
  )
}

function Nothing({
  cut,
  estimatedShare,
}: {
  readonly cut: Cut
  readonly estimatedShare: number | null
}): ReactNode {
  return (
    <Empty title={`No ${cut.estimated ? 'estimated' : 'measured'} session in this time`}>
      <p>
        {estimatedShare === null
          ? 'Choose a wider range. '
          : cut.estimated
            ? 'All players told what they went through. '
            : 'Players told nothing, and what they went through is estimated: choose Estimated. '}
        Figures come from <Link href="/sessions">sessions</Link>, some seconds after they were reported.
      </p>
    </Empty>
  )
}

interface ShownProps {
  readonly page: PageWindow
  readonly data: Experience
  readonly cut: Cut
  readonly by: Breakdown
  readonly change: (values: Readonly<Record<string, string | null>>) => void
}

function Shown({ page, data, cut, by, change }: ShownProps): ReactNode {
  const servers = inOrder(useServers().data ?? []).map(({ id }) => id)
  const names = data.rows.slice(0, LINES_MAX).map(({ name }) => name)
  const places = names.toSorted()
  const lines = places.map((name, at) => ({
    name,
    colour: by.id !== 'edge' ? `--series-${at + 1}` : colourOfEdge(name, servers),
  }))
  return (
    <>
      <Headline data={data} cut={cut} />
      <div className="segments by-what" role="group" aria-label="Compare">
        {BREAKDOWNS.map(({ id, short }) => (
          <button key={id} type="button" aria-pressed={id === by.id} onClick={() => change({ by: id })}>
            By {short.toLowerCase()}
          </button>
        ))}
      </div>
      <ExperienceTable
        rows={data.rows}
        by={by}
        only={(id, name) => change({ [id]: name })}
        colourOf={name => lines.find(line => line.name === name)?.colour ?? null}
      />
      {data.rows.length <= LINES_MAX ? null : (
        <p className="quiet by-more">
          Drawn below are the {LINES_MAX} of {data.rows.length} {by.plural} with most viewing time.
        </p>
      )}
      <ExperienceCharts page={page} cut={cut} by={by} lines={lines} />
    </>
  )
}

/** As on every page; those of no edge, and of edges that have left, are grey. */
function colourOfEdge(name: string, servers: readonly string[]): string {
  return servers.includes(name) ? seriesColour(name, servers) : '--series-host'
}

/** Each figure for all of them, with what it is of, and the way to ask further. */
function Headline({ data, cut }: { readonly data: Experience; readonly cut: Cut }): ReactNode {
  const { all, windowS } = data
  return (
    <dl className="felt-figures">
      {FIGURES.map(figure => {
        const n = all.counts[figure.of] ?? 0
        const few = n < FEW[figure.of]
        return (
          <div key={figure.id} data-few={few}>
            <dt>
              <Defined definition={DEFINITIONS[figure.id] ?? ''}>{figure.title}</Defined>
            </dt>
            <dd>
              <b>{valueText(figure, all.figures[figure.id] ?? null)}</b>
              <small>
                {countWords(figure.of, n)}
                {few ? ': too few to tell' : ''}
              </small>
              {all.estimatedShare === null ? null : (
                <small>{shareText(all.estimatedShare)} of sessions estimated</small>
              )}
              <Link
                href={queryHref(figure.expr({ cut, by: null, windowS }))}
                aria-label={`Ask further: ${figure.title}`}
              >
                Query
              </Link>
            </dd>
          </div>
        )
      })}
      <div>
        <dt>
          <Defined definition="Sessions whose player tells nothing: what they went through is estimated from their requests, and never added to measured figures.">
            Estimated
          </Defined>
        </dt>
        <dd>
          <b>{all.estimatedShare === null ? '–' : shareText(all.estimatedShare)}</b>
          <small>of all sessions</small>
        </dd>
      </div>
    </dl>
  )
}

function Only({ cut, remove }: { readonly cut: Cut; readonly remove: (id: BreakdownId) => void }): ReactNode {
  const set = BREAKDOWNS.filter(({ id }) => cut.only[id] !== undefined)
  if (set.length === 0) return null
  return (
    <ul className="only-chips" aria-label="Narrowed to">
      {set.map(({ id, name }) => (
        <li key={id}>
          {name} <b>{partName(cut.only[id] ?? '')}</b>
          <button type="button" aria-label={`All, not only ${cut.only[id]}`} onClick={() => remove(id)}>
            <svg viewBox="0 0 16 16" aria-hidden="true">
              <path d="M4.500 4.500l7 7M11.500 4.500l-7 7" />
            </svg>
          </button>
        </li>
      ))}
    </ul>
  )
}

function readCut(search: URLSearchParams): Cut {
  const only = Object.fromEntries(
    BREAKDOWNS.flatMap(({ id }) => {
      const value = search.get(id)
      return value === null || value === '' ? [] : [[id, value.slice(0, VALUE_CHARACTERS_MAX)]]
    }),
  )
  return { estimated: search.get('sessions') === 'estimated', only }
}
