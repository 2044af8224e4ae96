// Owns what simulated viewers report: counts since the start, and who feeds them now.

export interface ViewerStats {
  /** Viewers that were asked for. */
  readonly count: number
  /** Viewers that have media in their buffer and play on. */
  readonly playing: number
  /** Viewers whose buffer ran empty and who wait. */
  readonly stalled: number
  readonly stalls: number
  readonly stalledSeconds: number
  readonly bytes: number
  /** Changes of pathway: by the viewer's own time-out, and by the steering table. */
  readonly movedByTimeout: number
  readonly movedBySteering: number
  /** Returns to /play because every pathway failed. */
  readonly restarts: number
  readonly failures: number
  /** By edge id (pathway). `active`: viewers fed by it now. */
  readonly edges: Readonly<
    Record<string, { readonly active: number; readonly stalls: number; readonly bytes: number }>
  >
}
