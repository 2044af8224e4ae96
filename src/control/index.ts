// The door of control.
export {}
