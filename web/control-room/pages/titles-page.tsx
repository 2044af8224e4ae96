// Owns the list of titles: what can be watched, what cannot and why, and how to add one's own files.
import { type ReactNode, useState } from 'react'
import type { TitleView } from '#wire'
import { useMe, useTitles } from '../api/use-control-room.tsx'
import { EmbedPanel } from '../embed/embed-panel.tsx'
import { Empty, Loading, Problem } from '../parts/answers.tsx'
import { figureText } from '../units.ts'

export function TitlesPage(): ReactNode {
  const titles = useTitles()
  return (
    <div className="page">
      <header className="page-head">
        <h1>Titles</h1>
        {titles.data === undefined ? null : <p className="quiet">{counted(titles.data)}</p>}
      </header>
      <Content titles={titles.data} error={titles.error} />
      {titles.data === undefined ? null : <HowToAdd />}
    </div>
  )
}

function Content({
  titles,
  error,
}: {
  readonly titles: readonly TitleView[] | undefined
  readonly error: Error | null
}): ReactNode {
  if (titles === undefined)
    return error === null ? <Loading what="the titles" /> : <Problem error={error} what="The titles" />
  if (titles.length === 0) {
    return (
      <Empty title="No title yet">
        <p>
          The origin has reported nothing that can be played. A file in the media folder appears here within 3
          seconds.
        </p>
      </Empty>
    )
  }
  return <Titles titles={titles} />
}

/** A list that fits a screen needs no search. */
const SEARCH_FROM = 10
/** A page of a browser; the search reaches the others. */
const ROWS_MAX = 200

function Titles({ titles }: { readonly titles: readonly TitleView[] }): ReactNode {
  const [words, setWords] = useState('')
  const [state, setState] = useState<TitleView['state'] | 'all'>('all')
  const matching = inListOrder(titles).filter(
    title => (state === 'all' || title.state === state) && hasWords(title, words),
  )
  return (
    <>
      {titles.length < SEARCH_FROM ? null : (
        <Find {...{ titles, words, setWords, state, setState }} matching={matching.length} />
      )}
      {matching.length === 0 ? (
        <p className="quiet">No title has these words.</p>
      ) : (
        <TitleTable titles={matching.slice(0, ROWS_MAX)} />
      )}
      {matching.length > ROWS_MAX ? (
        <p className="quiet">
          The first {ROWS_MAX} of {matching.length}. Search to see others.
        </p>
      ) : null}
    </>
  )
}

/** What needs somebody first; then by name, with numbers in it as numbers. */
function inListOrder(titles: readonly TitleView[]): TitleView[] {
  const broken = ({ state }: TitleView): number => Number(state === 'broken')
  return [...titles].sort(
    (a, b) => broken(b) - broken(a) || a.name.localeCompare(b.name, undefined, { numeric: true }),
  )
}

function hasWords({ name, id, reason }: TitleView, words: string): boolean {
  const text = `${name} ${id} ${reason ?? ''}`.toLowerCase()
  return words
    .toLowerCase()
    .split(/\s+/)
    .every(word => text.includes(word))
}

interface FindProps {
  readonly titles: readonly TitleView[]
  readonly matching: number
  readonly words: string
  readonly setWords: (words: string) => void
  readonly state: TitleView['state'] | 'all'
  readonly setState: (state: TitleView['state'] | 'all') => void
}

function Find({ titles, matching, words, setWords, state, setState }: FindProps): ReactNode {
  const count = (wanted: TitleView['state']): number => titles.filter(title => title.state === wanted).length
  const choices = [
    { id: 'all', text: `All ${titles.length}` },
    { id: 'ready', text: `Ready ${count('ready')}` },
    { id: 'broken', text: `Cannot play ${count('broken')}` },
  ] as const
  return (
    <div className="fleet-tools" role="search" aria-label="Find titles">
      <input
        type="search"
        aria-label="Find a title"
        placeholder="Find: name, id, reason"
        value={words}
        onChange={event => setWords(event.target.value)}
      />
      <div className="segments" role="group" aria-label="State">
        {choices.map(({ id, text }) => (
          <button key={id} type="button" aria-pressed={state === id} onClick={() => setState(id)}>
            {text}
          </button>
        ))}
      </div>
      <p role="status">{matching === titles.length ? '' : `${matching} of ${titles.length}`}</p>
    </div>
  )
}

function TitleTable({ titles }: { readonly titles: readonly TitleView[] }): ReactNode {
  return (
    <div className="panel table-panel titles">
      <table>
        <thead>
          <tr>
            <th scope="col">Title</th>
            <th scope="col">State</th>
            <th scope="col" className="number">
              Length
            </th>
            <th scope="col">Renditions</th>
            <th scope="col">
              <span className="visually-hidden">Watch</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {titles.map(title => (
            <Row key={title.id} title={title} />
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Row({ title }: { readonly title: TitleView }): ReactNode {
  const { id, name, state, reason, durationMs, renditions, watchPath } = title
  const ready = state === 'ready'
  const [embedding, setEmbedding] = useState(false)
  return (
    <>
      <tr data-broken={!ready}>
        <th scope="row">
          {name}
          <small>{id}</small>
        </th>
        <td>
          <span className="state-badge" data-tone={ready ? 'healthy' : 'unreachable'}>
            <svg
              className="state-icon"
              viewBox="0 0 16 16"
              aria-hidden="true"
              data-tone={ready ? 'healthy' : 'unreachable'}
            >
              <path d={ready ? 'M4 2.500v11l9-5.500z' : 'M7 2h2v8H7zM7 12h2v2H7z'} />
            </svg>
            {ready ? 'ready' : 'cannot play'}
          </span>
          {reason === null ? null : <p className="why">{reason}</p>}
        </td>
        <td className="number">{durationMs === null ? <NotKnown /> : length(durationMs)}</td>
        <td>
          <Renditions renditions={renditions} />
        </td>
        <td className="number title-acts">
          {ready ? (
            <div className="title-buttons">
              <button
                type="button"
                className="plain"
                aria-expanded={embedding}
                aria-label={`Embed ${name}`}
                onClick={() => setEmbedding(!embedding)}
              >
                Embed
              </button>
              <a className="solid" href={watchPath} aria-label={`Watch ${name}`}>
                Watch
              </a>
            </div>
          ) : null}
        </td>
      </tr>
      {embedding ? (
        <tr className="embed-row">
          <td colSpan={5}>
            <EmbedPanel title={id} name={name} />
          </td>
        </tr>
      ) : null}
    </>
  )
}

function Renditions({ renditions }: { readonly renditions: TitleView['renditions'] }): ReactNode {
  if (renditions.length === 0) return <NotKnown />
  return (
    <ul className="chips">
      {renditions.map(({ id, kind, height, bitrateBps, codecs }) => (
        <li key={`${kind}/${id}`} title={codecs}>
          <b>{kind === 'video' && height !== null ? `${height}p` : kind}</b> {figureText(bitrateBps, 'bits')}
        </li>
      ))}
    </ul>
  )
}

function NotKnown(): ReactNode {
  return (
    <span className="not-known">
      <span aria-hidden="true">–</span>
      <span className="visually-hidden">not known</span>
    </span>
  )
}

function HowToAdd(): ReactNode {
  const { data: me } = useMe()
  return (
    <section className="panel how" aria-label="Add your own files">
      <header>
        <h2>Add your own files</h2>
      </header>
      <dl>
        <div>
          <dt>Put an MP4 into the media folder</dt>
          <dd>
            <code>{me?.mediaFolder ?? 'media/ in the data folder of the origin'}</code>
          </dd>
        </div>
        <div>
          <dt>Or copy one from anywhere</dt>
          <dd>
            <code>npx vitrine publish FILE</code>
          </dd>
        </div>
        <div>
          <dt>Or serve a folder where it is, read-only</dt>
          <dd>
            <code>npx vitrine publish --in-place DIR</code>
          </dd>
        </div>
      </dl>
      <p className="quiet">
        It can be watched within 3 seconds. A file that cannot play is listed here with the reason.
      </p>
    </section>
  )
}

function counted(titles: readonly TitleView[]): string {
  const broken = titles.filter(title => title.state === 'broken').length
  const ready = titles.length - broken
  return broken === 0 ? `${ready} ready` : `${ready} ready, ${broken} cannot play`
}

/** `3:00`, `1:02:03`. */
function length(ms: number): string {
  const seconds = Math.round(ms / 1000)
  const minutes = Math.floor(seconds / 60)
  const two = (value: number): string => String(value).padStart(2, '0')
  return minutes < 60
    ? `${minutes}:${two(seconds % 60)}`
    : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`
}
