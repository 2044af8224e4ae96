// Owns how packed numbers begin: the two lowest bits of the first varint.
export const TAG = { whole: 0, nothing: 1, raw: 2, tenths: 3 } as const
/** Beyond it they are stored as they are: eight times a difference of two must be exact. */
export const TENTHS_MAX: number = 2 ** 48
