// The door of origin.
export {}
