// Owns what of a kernel message is never kept nor sent: addresses of viewers, serial numbers, arguments of programs,
// values that look like secrets. Pure.

const HIDDEN = '[hidden]'

/** An audit line carries the arguments of programs; the kernel's command line may carry passwords. */
const WHOLE: readonly (readonly [RegExp, string])[] = [
  [/^audit: type=(\d+).*/s, `audit: type=$1 ${HIDDEN}`],
  [/^((?:Kernel )?command line:).*/is, `$1 ${HIDDEN}`],
]
const PARTS: readonly (readonly [RegExp, string])[] = [
  [/\b(SRC|DST|MAC)=\S+/g, `$1=${HIDDEN}`],
  [/\b(SerialNumber|serial(?: number)?)(\s*[:=]\s*)\S+/gi, `$1$2${HIDDEN}`],
  [
    /\b([\w.-]*(?:password|passwd|passphrase|secret|token|api_?key|credential)[\w.-]*)(\s*[=:]\s*)\S+/gi,
    `$1$2${HIDDEN}`,
  ],
  [/\b(?:\d{1,3}\.){3}\d{1,3}\b/g, HIDDEN],
  [/\b(?:[0-9a-f]{2}:){5,}[0-9a-f]{2}\b/gi, HIDDEN],
  [/\b(?:[0-9a-f]{1,4}:){3,7}(?::?[0-9a-f]{1,4})+\b/gi, HIDDEN],
]

export function redactKernelText(text: string): string {
  for (const [pattern, kept] of WHOLE) if (pattern.test(text)) return text.replace(pattern, kept)
  return PARTS.reduce((left, [pattern, kept]) => left.replace(pattern, kept), text)
}
