function spin() {
  let i = 0;
  while (true) {
    i++;
  }
}
function outer() { spin(); }
outer();
