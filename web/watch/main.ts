// Owns the player page /watch/{title}: the picture, the edge in use, and what this viewer went through.
// It needs nothing from the server that gave it once it is loaded: every edge can go on from here.
import { type EdgeMove, type PlayerState, readKnownEdges, VitrinePlayer } from '../player/index.ts'
import { Controls } from './controls.ts'
import { element, setText } from './element.ts'
import { icon } from './icons.ts'
import './watch.css'

const REDRAW_MS = 500

const title = decodeURIComponent(location.pathname.split('/')[2] ?? '')
const via = new URLSearchParams(location.search).get('via')

const video = element('video', { playsinline: true, 'aria-label': 'Video' })
const frame = element('div', { class: 'frame' })
const noticeText = element('p', { role: 'status' })
const noticeAct = element('div')
const notice = element('div', { class: 'notice' }, noticeAct, noticeText)
const unmute = element(
  'button',
  { class: 'unmute', type: 'button', hidden: true },
  icon('muted'),
  'Turn sound on',
)
const heading = element('h1', {}, title)
const edgeName = element('p', { class: 'edge' }, '—')
const moved = element('p', { class: 'moved', role: 'status' })
const silence = element('p', { class: 'moved', role: 'status', hidden: true })
const edgeList = element('ul', { class: 'edges' })
const figures = {
  rendition: element('dd', {}, '—'),
  buffer: element('dd', {}, '—'),
  stalls: element('dd', {}, '—'),
}

const edges = readKnownEdges(
  document.querySelector('meta[name="vitrine-edges"]')?.getAttribute('content') ?? null,
)
const player = new VitrinePlayer({ video, title, home: location.origin, via, startMuted: false, edges })
const controls = new Controls(player, video, frame)
const spinner = element('div', { class: 'spinner' })
const bigPlay = element('button', { class: 'big-play', type: 'button', 'aria-label': 'Play' }, icon('play'))
const again = element('button', { class: 'solid', type: 'button' }, 'Try again')
const moves: EdgeMove[] = []
const MOVES_MAX = 50
const failedEdges = new Set<string>()

function build(): void {
  frame.append(video, notice, unmute, controls.bar)
  bigPlay.addEventListener('click', () => player.toggle())
  again.addEventListener('click', () => player.retry())
  unmute.addEventListener('click', () => player.setMuted(false))
  const facts = element(
    'aside',
    { class: 'facts', 'aria-label': 'About this playback' },
    element('section', {}, element('h2', {}, 'Playing from edge'), edgeName, moved, silence),
    element(
      'dl',
      {},
      element('dt', {}, 'Quality'),
      figures.rendition,
      element('dt', {}, 'Buffer ahead'),
      figures.buffer,
      element('dt', {}, 'Picture stopped'),
      figures.stalls,
    ),
    element('section', {}, element('h2', {}, 'Edges of this fleet'), edgeList),
    sessionPart(),
    hint(),
  )
  const head = element(
    'header',
    { class: 'watch-head' },
    element('span', { class: 'brand' }, 'Vitrine'),
    heading,
  )
  const stage = element('main', { class: 'stage' }, frame)
  document.querySelector('#watch')?.append(element('div', { class: 'watch' }, head, stage, facts))
}

/** For whoever asks later why he was on that edge: the page Steering of the control room knows it by this id. */
function sessionPart(): HTMLElement {
  const id = element('input', {
    type: 'text',
    readonly: true,
    'aria-label': 'Session id',
    value: player.sessionId,
  })
  const said = element('span', { role: 'status' })
  const copy = element('button', { type: 'button' }, 'Copy')
  id.addEventListener('focus', () => id.select())
  copy.addEventListener('click', () => {
    // Off loopback and without TLS browsers have no clipboard.
    const { clipboard } = navigator as { readonly clipboard?: Clipboard }
    const writing = clipboard?.writeText(player.sessionId) ?? Promise.reject(new Error('no clipboard'))
    writing.then(
      () => setText(said, 'Copied'),
      () => id.select(),
    )
  })
  return element(
    'section',
    { class: 'session' },
    element('h2', {}, 'Session id'),
    element('div', {}, id, copy, said),
  )
}

function hint(): HTMLElement {
  const keys = [
    ['space', 'play'],
    ['← →', '5 s'],
    ['m', 'sound'],
    ['f', 'full screen'],
  ] as const
  const parts = keys.flatMap(([key, meaning]) => [element('kbd', {}, key), ` ${meaning}   `])
  return element('p', { class: 'hint' }, ...parts)
}

function draw(state: PlayerState): void {
  controls.draw(state)
  setText(edgeName, state.edge ?? (state.phase === 'failed' ? 'none' : 'finding one'))
  setText(figures.rendition, state.rendition ?? '—')
  setText(figures.buffer, state.phase === 'loading' ? '—' : `${state.bufferedAheadS.toFixed(0)} s`)
  setText(
    figures.stalls,
    state.stalls === 0 ? 'never' : `${state.stalls} × · ${(state.stalledMs / 1000).toFixed(1)} s`,
  )
  unmute.hidden = !state.mutedByBrowser || state.lostSound.length > 0
  const lost = state.lostSound.join(', ')
  setText(silence, lost === '' ? '' : `No sound: this browser does not play ${lost}.`)
  silence.hidden = lost === ''
  frame.dataset['resting'] = String(video.paused)
  drawNotice(state)
  drawEdges(state)
  const name = player.table.table.titles.find(entry => entry.id === title)?.name ?? title
  setText(heading, name)
  const pageTitle = `${name} · Vitrine`
  if (document.title !== pageTitle) document.title = pageTitle
}

function drawNotice(state: PlayerState): void {
  const shown = noticeFor(state)
  notice.dataset['on'] = String(shown !== null)
  if (shown === null) return
  setText(noticeText, shown.text)
  if (noticeAct.firstChild !== shown.act) noticeAct.replaceChildren(shown.act)
}

function noticeFor(state: PlayerState): { text: string; act: HTMLElement } | null {
  switch (state.phase) {
    case 'failed':
      return { text: state.problem ?? 'This cannot be played.', act: again }
    case 'blocked':
      return { text: '', act: bigPlay }
    case 'loading':
      return { text: state.problem ?? '', act: spinner }
    case 'stalled':
      return { text: state.problem ?? 'Waiting for the picture', act: spinner }
    case 'recovering':
    case 'playing':
    case 'paused':
      return null
    default:
      return null
  }
}

function drawEdges(state: PlayerState): void {
  const rows = player.table.table.pathways.map(({ id, region }) => {
    const other = failedEdges.has(id) ? 'did not answer' : region === id ? '' : region
    const note = id === state.edge ? 'in use' : other
    return { id, note, used: id === state.edge }
  })
  const key = JSON.stringify(rows)
  if (edgeList.dataset['key'] === key) return
  edgeList.dataset['key'] = key
  edgeList.replaceChildren(
    ...rows.map(({ id, note, used }) =>
      element('li', { 'data-used': String(used) }, id, element('span', { class: 'note' }, note)),
    ),
  )
}

/** The first is where it began. */
function times(count: number): string {
  return count === 1 ? '1 move' : `${count} moves`
}

build()
player.on('state', draw)
player.on('edge', move => {
  failedEdges.delete(move.to)
  moves.push(move)
  if (moves.length > MOVES_MAX) moves.shift()
  if (move.from !== null) {
    setText(moved, `Moved from ${move.from}, without a reload. ${times(moves.length - 1)} so far.`)
  } else if (moves.length > 1) {
    setText(moved, `Playing again, from ${move.to}.`)
  }
})
player.on('error', ({ text, fatal, edge }) => {
  if (fatal) return
  if (edge !== null) failedEdges.add(edge)
  setText(moved, `${text}.`)
})
player.start()
setInterval(() => draw(player.state), REDRAW_MS)
