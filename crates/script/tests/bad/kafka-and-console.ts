console.log("hi", {a:1}, [1,2]); console.error(new Error("x"));
function f() { console.warn(3) } f();
const t = new TopologyBuilder(); t.createProcess({id: Symbol("a")}); t.createProcess({id: () => 1});t.kafka({topics:[{name:"orders", partitions:3}]}).scenario("a","A").produce("x", "ordrs").expect("leeder(orders-0) == x").waitUntil("leader(orders-7) == nix").expect("high-watermark(orders-0) = 1")
