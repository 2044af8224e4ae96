// Owns the start of the control room's pages.
export {}
