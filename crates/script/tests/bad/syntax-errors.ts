const a = {;
let b = ;
const c = 1;
enum X { A }