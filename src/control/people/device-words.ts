// Owns the words for a browser, from what it says of itself. They are for people to recognise a device by; nothing is
// decided by them, since whoever asks can say anything.
const BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/\bEdgA?\/\d/, 'Edge'],
  [/\bOPR\/\d/, 'Opera'],
  [/\bSamsungBrowser\/\d/, 'Samsung Internet'],
  [/\bFirefox\/\d|\bFxiOS\/\d/, 'Firefox'],
  [/\bHeadlessChrome\/\d/, 'Chrome without a window'],
  [/\bChrome\/\d|\bCriOS\/\d/, 'Chrome'],
  [/\bSafari\/\d/, 'Safari'],
  [/^curl\/\d/, 'curl'],
]
const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/\biPhone\b/, 'iPhone'],
  [/\biPad\b/, 'iPad'],
  [/\bAndroid\b/, 'Android'],
  [/\bWindows NT\b/, 'Windows'],
  [/\bMac OS X\b/, 'macOS'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bLinux\b/, 'Linux'],
]
const AGENT_MAX = 512

/** `Firefox on Linux`; `unknown device` when it says nothing that is known. */
export function deviceWords(userAgent: string | undefined): string {
  const text = (userAgent ?? '').slice(0, AGENT_MAX)
  const find = (known: typeof BROWSERS): string | undefined => known.find(([sign]) => sign.test(text))?.[1]
  const [browser, system] = [find(BROWSERS), find(SYSTEMS)]
  if (browser === undefined && system === undefined) return 'unknown device'
  if (browser === undefined) return `a program on ${system}`
  return system === undefined ? browser : `${browser} on ${system}`
}
