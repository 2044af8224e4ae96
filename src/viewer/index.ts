// The door of viewer.
export {}
