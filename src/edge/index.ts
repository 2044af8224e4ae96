// The door of edge.
export {}
