const ü = "öäü"; throw new Error("böse");
const x = 1;