// Owns the tail of the beta-binomial distribution: how likely so many or more of n sessions are hit, when the share of
// those that usually are is itself only known from so many sessions. Pure.

/** Lanczos, g = 7: 15 digits (Numerical Recipes, third edition, 6.1). */
const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
]
const G = 7
/** A term so much smaller than the sum changes no digit that anybody compares. */
const ENOUGH = 1e-12

export function logGamma(x: number): number {
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x)
  const y = x - 1
  let sum = LANCZOS[0] ?? 1
  for (let at = 1; at < LANCZOS.length; at += 1) sum += (LANCZOS[at] ?? 0) / (y + at)
  const t = y + G + 0.5
  return 0.5 * Math.log(2 * Math.PI) + (y + 0.5) * Math.log(t) - t + Math.log(sum)
}

export interface Share {
  /** Of sessions that usually are hit, 0 to 1. */
  readonly p: number
  /** So many independent sessions it is known from. */
  readonly known: number
}

/**
 * P(K >= k) for K of n sessions, with a share that is Beta(p * known + 1/2, (1 - p) * known + 1/2) distributed (Jeffreys'
 * prior, so that a share of which nothing was seen is not nought).
 */
export function tailOf(k: number, n: number, { p, known }: Share): number {
  if (k <= 0) return 1
  if (k > n) return 0
  const a = p * known + 0.5
  const b = (1 - p) * known + 0.5
  // Below the mean the tail is no small number and of no interest.
  if (k <= (n * a) / (a + b)) return 1
  const logChoose = logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1)
  const logBetas =
    logGamma(k + a) +
    logGamma(n - k + b) -
    logGamma(n + a + b) -
    (logGamma(a) + logGamma(b) - logGamma(a + b))
  let term = Math.exp(logChoose + logBetas)
  let sum = 0
  for (let j = k; j <= n; j += 1) {
    sum += term
    if (term < sum * ENOUGH) break
    term *= ((n - j) / (j + 1)) * ((j + a) / (n - j - 1 + b))
  }
  return Math.min(1, sum)
}
