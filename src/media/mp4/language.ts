// Owns languages: the packed ISO 639-2 code of `mdhd` to the RFC 5646 tag that HLS wants, the shortest one.

/** ISO 639-2/T and /B codes that have a two-letter form; others are tags as they are. */
const short: Readonly<Record<string, string>> = {
  ara: 'ar',
  bul: 'bg',
  cat: 'ca',
  ces: 'cs',
  chi: 'zh',
  cze: 'cs',
  dan: 'da',
  deu: 'de',
  dut: 'nl',
  ell: 'el',
  eng: 'en',
  est: 'et',
  fas: 'fa',
  fin: 'fi',
  fra: 'fr',
  fre: 'fr',
  ger: 'de',
  gre: 'el',
  heb: 'he',
  hin: 'hi',
  hrv: 'hr',
  hun: 'hu',
  ind: 'id',
  isl: 'is',
  ita: 'it',
  jpn: 'ja',
  kor: 'ko',
  lav: 'lv',
  lit: 'lt',
  msa: 'ms',
  nld: 'nl',
  nor: 'no',
  pol: 'pl',
  por: 'pt',
  ron: 'ro',
  rum: 'ro',
  rus: 'ru',
  slk: 'sk',
  slo: 'sk',
  slv: 'sl',
  spa: 'es',
  srp: 'sr',
  swe: 'sv',
  tha: 'th',
  tur: 'tr',
  ukr: 'uk',
  vie: 'vi',
  zho: 'zh',
}

/** Null for `und`, for QuickTime's numbers of languages, and for what is no code. */
export function languageTag(packed: number): string | null {
  if (packed < 0x400 || packed === 0x7fff) return null
  const letters = [10, 5, 0].map(shift => String.fromCharCode(((packed >>> shift) & 31) + 0x60)).join('')
  if (!/^[a-z]{3}$/.test(letters) || letters === 'und') return null
  return short[letters] ?? letters
}
