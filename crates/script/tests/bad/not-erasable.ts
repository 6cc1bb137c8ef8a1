enum X { A }
class A { constructor(private x: number) {} }
namespace N { export const a = 1 }
export = 1;
