// Owns the bar over the picture and the keyboard: play, seek, sound, quality, captions, full screen.
import type { PlayerState, VitrinePlayer } from '../player/index.ts'
import { element, setText } from './element.ts'
import { type IconName, icon } from './icons.ts'

const SEEK_S = 5
const VOLUME_STEP = 0.1

export class Controls {
  readonly bar: HTMLElement
  readonly #player: VitrinePlayer
  readonly #video: HTMLVideoElement
  readonly #frame: HTMLElement
  readonly #play = iconButton('play', 'Play')
  readonly #sound = iconButton('sound', 'Mute')
  readonly #full = iconButton('full', 'Full screen')
  readonly #captions = iconButton('captions', 'Captions')
  readonly #time = element('span', { class: 'time' }, '0:00 / 0:00')
  readonly #quality = element('select', { 'aria-label': 'Quality' })
  readonly #range = element('input', {
    type: 'range',
    min: '0',
    max: '0',
    step: '0.1',
    'aria-label': 'Position',
  })
  readonly #ahead = element('i', { class: 'ahead' })
  readonly #played = element('i', { class: 'played' })
  #qualityKey = ''

  constructor(player: VitrinePlayer, video: HTMLVideoElement, frame: HTMLElement) {
    this.#player = player
    this.#video = video
    this.#frame = frame
    this.bar = element(
      'div',
      { class: 'bar' },
      element(
        'div',
        { class: 'scrub' },
        element('div', { class: 'rail' }, this.#ahead, this.#played),
        this.#range,
      ),
      element(
        'div',
        { class: 'keys' },
        this.#play,
        this.#sound,
        this.#time,
        this.#captions,
        this.#quality,
        this.#full,
      ),
    )
    this.#wire()
  }

  /** Draws the present; called on each change and once a second. */
  draw(state: PlayerState): void {
    const { currentTime, duration, paused, muted, volume } = this.#video
    const length = Number.isFinite(duration) ? duration : 0
    setText(this.#time, `${clock(currentTime)} / ${clock(length)}`)
    this.#range.max = String(length)
    if (document.activeElement !== this.#range) this.#range.value = String(currentTime)
    this.#range.setAttribute('aria-valuetext', `${clock(currentTime)} of ${clock(length)}`)
    this.#played.style.transform = `scaleX(${length > 0 ? currentTime / length : 0})`
    this.#ahead.style.transform = `scaleX(${length > 0 ? (currentTime + state.bufferedAheadS) / length : 0})`
    setIcon(this.#play, paused ? 'play' : 'pause', paused ? 'Play (space)' : 'Pause (space)')
    setIcon(this.#sound, muted || volume === 0 ? 'muted' : 'sound', muted ? 'Sound on (m)' : 'Sound off (m)')
    this.#captions.hidden = this.#video.textTracks.length === 0
    this.#drawQuality(state)
  }

  #drawQuality(state: PlayerState): void {
    const automatic = state.rendition === null ? 'Auto' : `Auto (${state.rendition})`
    const key = `${automatic}|${state.renditions.map(rendition => rendition.label).join()}`
    if (key !== this.#qualityKey) {
      this.#qualityKey = key
      const choices = [...state.renditions].reverse()
      this.#quality.replaceChildren(
        element('option', { value: '-1' }, automatic),
        ...choices.map(({ index, label }) => element('option', { value: String(index) }, label)),
      )
    }
    this.#quality.value = String(state.renditionChosen)
    this.#quality.hidden = state.renditions.length === 0
  }

  #wire(): void {
    this.#play.addEventListener('click', () => this.#player.toggle())
    this.#sound.addEventListener('click', () => this.#player.setMuted(!this.#video.muted))
    this.#full.addEventListener('click', () => this.#toggleFull())
    this.#captions.addEventListener('click', () => this.#toggleCaptions())
    this.#range.addEventListener('input', () => this.#player.seek(Number(this.#range.value)))
    this.#quality.addEventListener('change', () => this.#player.chooseRendition(Number(this.#quality.value)))
    this.#video.addEventListener('click', () => this.#player.toggle())
    this.#video.addEventListener('dblclick', () => this.#toggleFull())
    document.addEventListener('keydown', event => this.#key(event))
  }

  #key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const target = event.target
    if (target instanceof HTMLSelectElement) return
    if (event.key === ' ' && target instanceof HTMLButtonElement) return
    if (event.key.startsWith('Arrow') && target instanceof HTMLInputElement) return
    const act = this.#actionOf(event.key)
    if (act === null) return
    event.preventDefault()
    act()
  }

  #actionOf(key: string): (() => void) | null {
    const video = this.#video
    switch (key) {
      case ' ':
      case 'k':
        return () => this.#player.toggle()
      case 'ArrowLeft':
        return () => this.#player.seek(video.currentTime - SEEK_S)
      case 'ArrowRight':
        return () => this.#player.seek(video.currentTime + SEEK_S)
      case 'ArrowUp':
      case 'ArrowDown':
        return () => {
          const step = key === 'ArrowUp' ? VOLUME_STEP : -VOLUME_STEP
          video.volume = Math.min(1, Math.max(0, video.volume + step))
        }
      case 'm':
        return () => this.#player.setMuted(!video.muted)
      case 'f':
        return () => this.#toggleFull()
      case 'c':
        return () => this.#toggleCaptions()
      default:
        return null
    }
  }

  #toggleFull(): void {
    const change =
      document.fullscreenElement === null ? this.#frame.requestFullscreen() : document.exitFullscreen()
    change.catch(() => undefined) // The browser may refuse; the picture stays as it is.
  }

  #toggleCaptions(): void {
    const [track] = this.#video.textTracks
    if (track !== undefined) track.mode = track.mode === 'showing' ? 'hidden' : 'showing'
  }
}

function iconButton(name: IconName, label: string): HTMLButtonElement {
  const button = element('button', { type: 'button' })
  setIcon(button, name, label)
  return button
}

function setIcon(button: HTMLButtonElement, name: IconName, label: string): void {
  if (button.dataset['icon'] !== name) {
    button.dataset['icon'] = name
    button.replaceChildren(icon(name))
  }
  if (button.title !== label) {
    button.title = label
    button.setAttribute('aria-label', label)
  }
}

/** `3:07`, `1:02:03`. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  const hours = Math.floor(whole / 3600)
  const minutes = Math.floor((whole % 3600) / 60)
  const rest = String(whole % 60).padStart(2, '0')
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${rest}` : `${minutes}:${rest}`
}
