type X = { a: number };
function deep(x: X | null): number {
  return x!.a.b.c;
}
function outer() {
  return deep({ a: 1 });
}
outer();
