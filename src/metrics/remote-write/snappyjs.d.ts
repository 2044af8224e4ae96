// Owns the types of the part of snappyjs that is used; the package ships none.
declare module 'snappyjs' {
  export function compress(bytes: Uint8Array): Uint8Array
}
