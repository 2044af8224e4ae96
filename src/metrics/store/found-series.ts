// Owns one series as a query finds it: its samples within the time that is asked for, read when they are needed.
// It refuses to show what is past the retention: seals are dropped as a whole, and memory by pages.
import type { Clock, Labels } from '#base'
import type { LoadedSamples, Meter, SelectedSeries } from '../promql/source.ts'
import type { Series } from './series.ts'

/** The same for all series of one selector. */
export interface SelectedWindow {
  readonly fromMs: number
  readonly toMs: number
  readonly meter: Meter
  readonly clock: Clock
  /** From wherever the samples lie; what was decoded is kept for the next one who asks. */
  readonly read: (series: Series, fromMs: number, toMs: number) => LoadedSamples
}

/** A class, because a query finds ten thousand of them: three closures each would be most of what it makes. */
export class FoundSeries implements SelectedSeries {
  readonly #series: Series
  readonly #window: SelectedWindow

  constructor(series: Series, window: SelectedWindow) {
    this.#series = series
    this.#window = window
  }

  get labels(): Labels {
    return this.#series.labels
  }

  get unnamed(): Labels {
    return this.#series.unnamed
  }

  load(): LoadedSamples {
    const { fromMs, toMs, meter, clock, read } = this.#window
    const startedMs = clock.monotonicMs()
    const samples = read(this.#series, fromMs, toMs)
    meter.readFor(clock.monotonicMs() - startedMs)
    return this.#metered(samples)
  }

  glance(): LoadedSamples {
    const { fromMs, toMs, read } = this.#window
    const series = this.#series
    return this.#metered(
      fromMs < series.memoryFromMs ? read(series, fromMs, toMs) : series.glance(fromMs, toMs),
    )
  }

  newest(): LoadedSamples {
    const { fromMs, toMs } = this.#window
    const newest = this.#series.newest(fromMs, toMs)
    return newest === null ? this.glance() : this.#metered(newest)
  }

  #metered(samples: LoadedSamples): LoadedSamples {
    const { meter } = this.#window
    meter.samples(samples.times.length)
    meter.work(samples.times.length)
    return samples
  }
}
